"""What people say of outages, through the pages: who may, what is kept, and that nothing typed becomes markup."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotation_stage import PDF, annotation_stage, plain, send, signed_in
from browser.fabricated import HOSTILE
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import parse_period
from detak_collector.report.document import document
from people_stage import Browser
from sheets_stage import JAKARTA, SheetStage, figures, now

Work = Callable[[SheetStage, int, int], Awaitable[None]]
ANNOTATION = {
    "version": "0",
    "cause": f"firewall {HOSTILE}",
    "chronology": f"00:05 {HOSTILE}\n00:31 restarted",
    "effect": f"no declarations\n{HOSTILE}",
    "what-1": HOSTILE,
    "who-1": HOSTILE,
    "until-1": "2026-12-31",
}


def scene(folder: Path, work: Work) -> None:
    async def played() -> None:
        async with annotation_stage(folder) as (stage, first, second):
            await work(stage, first, second)

    asyncio.run(played())


def figure(stage: SheetStage) -> Result:
    return figures(stage).report(parse_period("2026", JAKARTA, now().utc))


def counted(result: Result) -> dict[str, Any]:
    told = document(replace(result, ledger=None, stories={}))
    return {**told, "incidents": None, "figure": {**told["figure"], "incidents": None}, "services": [
        {**one, "outages": [{**each, "incident": None} for each in one["outages"]]} for one in told["services"]
    ]}  # fmt: skip


def test_what_an_operator_writes_is_on_the_outage_page_and_none_of_it_is_markup(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi, signed_in(stage, "siti") as siti:
            before = await siti.get(f"/service/impor/outage/{first}")
            assert "What happened" not in before.text
            saved = await send(budi, f"/outages/{first}/annotation", ANNOTATION)
            assert (saved.status, saved.to) == (303, f"../{first}?notice=saved#annotation")
            await send(budi, f"/outages/{first}/acknowledgement", {"note": HOSTILE})
            await send(budi, f"/outages/{first}/files", {}, (f"{HOSTILE}.html", PDF))
            await send(budi, f"/outages/{first}/note", {"id": HOSTILE, "en": HOSTILE, "audience": "public"})
            for browser, path in (
                (siti, f"/service/impor/outage/{first}"), (siti, f"/outages/{first}"), (budi, f"/outages/{first}"),
                (budi, "/outages"), (siti, "/notes"), (budi, "/notes"),
            ):  # fmt: skip
                page = await browser.get(path)
                assert page.status == 200, path
                assert "<script>alert" not in page.text
                assert "onerror=alert(1)>" not in page.text
            shown = await siti.get(f"/service/impor/outage/{first}")
            for words in (
                "What happened",
                "firewall",
                "11 Jan 2026 00:31:00",
                "until 31 December 2026",
                "Acknowledged",
            ):
                assert words in shown.text, words
            assert "Change what is written here" not in shown.text
            assert "Change what is written here" in (await budi.get(f"/service/impor/outage/{first}")).text

    scene(tmp_path, work)


def test_a_second_version_leaves_the_first_to_be_read_and_one_that_crossed_it_is_shown_beside_it(
    tmp_path: Path,
) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi, signed_in(stage, "ani") as ani:
            await send(budi, f"/outages/{first}/annotation", {"version": "0", "cause": "the first guess"})
            crossed = await send(ani, f"/outages/{first}/annotation", {"version": "0", "cause": "what Ani knows"})
            assert crossed.status == 409
            assert "Somebody has written a newer version meanwhile" in crossed.text
            assert 'value="what Ani knows"' in crossed.text
            assert "the first guess" in crossed.text
            assert 'name="version" value="1"' in crossed.text
            again = await send(ani, f"/outages/{first}/annotation", {"version": "1", "cause": "what Ani knows"})
            assert again.status == 303
            page = plain(await budi.get(f"/outages/{first}"))
            assert page.index("version 2") < page.index("version 1")
            assert "the first guess" in page
            same = await send(ani, f"/outages/{first}/annotation", {"version": "2", "cause": "what Ani knows"})
            assert same.status == 422
            assert "It says the same as before" in same.text

    scene(tmp_path, work)


def test_what_is_refused_stays_in_the_form_with_the_reason_beside_it(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi:
            wrong = {**ANNOTATION, "chronology": "10:05 begins\nsoon it ends", "until-1": "2026-02-30"}
            page = await send(budi, f"/outages/{first}/annotation", wrong)
            assert page.status == 422
            assert "10:05 begins\nsoon it ends</textarea>" in page.text
            assert "Line 2: begin with the time" in page.text
            assert "There is no such day" in page.text
            assert 'value="2026-02-30"' in page.text
            assert 'aria-describedby="annotation-chronology-fault chronology-help"' in page.text
            empty = await send(budi, f"/outages/{first}/note", {"id": " ", "en": "", "audience": "public"})
            assert empty.status == 422
            assert stage.store.entries.of("annotation") == stage.store.entries.of("note") == []

    scene(tmp_path, work)


def test_an_attachment_is_saved_and_never_shown_and_its_digest_is_in_the_ledger(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi, signed_in(stage, "siti") as siti, signed_in(stage, "") as nobody:
            page = b"<!doctype html><script>alert(1)</script>"
            await send(budi, f"/outages/{first}/files", {}, ("../../evil.html", page))
            digest = hashlib.sha256(page).hexdigest()
            async with siti.client.get(f"/attachments/{digest}") as answer:
                assert await answer.read() == page
                headers = answer.headers
            assert headers["Content-Type"] == "text/plain; charset=utf-8"
            assert headers["Content-Disposition"].startswith('attachment; filename="evil_html.txt"')
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in headers["Content-Security-Policy"]
            assert (await nobody.get(f"/attachments/{digest}")).status == 303
            stage.store.ledger.append(now().utc)
            lines = [line for one in stage.store.ledger.blocks() for line in one.lines or ()]
            assert any(digest.encode() in bytes(line) for line in lines)

            for brought, words in (
                ((".exe", b"MZ\x90\x00"), "Only PDF files"), (("a", b""), "The file is empty"),
                (("a.txt", page), "attached already"), (("big.pdf", b"%PDF-" + bytes(6_000_000)), "at most 5 MiB"),
            ):  # fmt: skip
                refused = await send(budi, f"/outages/{first}/files", {}, brought)
                assert refused.status == 422
                assert words in refused.text
            gone = await send(budi, f"/outages/{first}/files", {"withdraw": digest})
            assert gone.status == 303
            assert digest not in (await siti.get(f"/outages/{first}")).text
            assert (await siti.get("/attachments/" + "0" * 64)).status == 404

    scene(tmp_path, work)


def test_outages_that_belong_together_are_one_incident_and_no_figure_changes(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, second: int) -> None:
        before = figure(stage)
        async with signed_in(stage, "budi") as budi:
            fields = {"action": "merge", "outages": f"{second}", "reason": "the same firewall"}
            assert (await send(budi, f"/outages/{first}/incident", fields)).status == 303
            assert "are one incident" in (await budi.get(f"/outages/{second}")).text
            assert "the same firewall" in (await budi.get(f"/service/impor/outage/{second}")).text
            merged = figure(stage)
            assert len(merged.incidents) == len(before.incidents) - 1
            assert counted(merged) == counted(before)
            await send(budi, f"/outages/{second}/incident", {"action": "split", "reason": "it was another"})
            assert len(figure(stage).incidents) == len(before.incidents)
            undo = {"action": "undo", "undoes": "1", "reason": "wrong"}
            assert (await send(budi, f"/outages/{first}/incident", undo)).status == 303
            again = await send(budi, f"/outages/{first}/incident", undo)
            assert again.status == 422
            assert "it was taken back already" in again.text
            odd = await send(budi, f"/outages/{first}/incident", {"action": "merge", "outages": "x", "reason": "y"})
            assert odd.status == 400
            unknown = {"action": "merge", "outages": "999999", "reason": "y"}
            assert "no outage has it" in (await send(budi, f"/outages/{first}/incident", unknown)).text

    scene(tmp_path, work)


def test_a_note_is_taken_back_once_and_stays_in_the_log(tmp_path: Path) -> None:
    async def work(stage: SheetStage, _: int, __: int) -> None:
        async with signed_in(stage, "budi") as budi:
            said = await send(budi, "/notes", {"id": "Pemeliharaan listrik", "en": "", "audience": "internal"})
            assert said.to == "./notes?notice=noted"
            page = await budi.get("/notes")
            assert "Pemeliharaan listrik" in page.text
            (note,) = stage.store.entries.of("note")
            assert (await send(budi, "/notes/retracted", {"note": note.id})).to == "../notes?notice=retracted"
            assert "Pemeliharaan listrik" not in (await budi.get("/notes")).text
            assert (await send(budi, "/notes/retracted", {"note": note.id})).status == 422
            assert len(stage.store.entries.of("note")) == 2

    scene(tmp_path, work)


ROLES = (
    ("", 303, 403),
    ("tamu", 303, 403),
    ("siti", 200, 403),
    ("rara", 200, 403),
    ("budi", 200, 303),
    ("ani", 200, 303),
)
"""Nobody, one without a role, a viewer, an auditor and administrator, an operator, an approver: what they get."""


def test_who_may_see_and_who_may_write(tmp_path: Path) -> None:
    async def tried(browser: Browser, name: str, first: int, second: int) -> tuple[set[int], set[int]]:
        pages = ("/outages", f"/outages/{first}", "/notes", f"/service/impor/outage/{first}")
        seen = {(await browser.get(path)).status for path in pages}
        token = await browser.token("/account" if name else "/sign-in")
        forms: tuple[tuple[str, dict[str, str]], ...] = (
            (f"/outages/{first}/annotation", {"version": "0", "cause": "x"}),
            (f"/outages/{first}/acknowledgement", {"note": ""}),
            (f"/outages/{first}/note", {"id": "x"}),
            (f"/outages/{first}/incident", {"action": "merge", "outages": str(second), "reason": "x"}),
            ("/notes", {"id": "y"}),
        )
        sent = {(await send(browser, path, fields, token=token)).status for path, fields in forms}
        file = ("a.txt", name.encode() or b"x")
        sent.add((await send(browser, f"/outages/{first}/files", {}, file, token=token)).status)
        return seen, sent

    async def work(stage: SheetStage, first: int, second: int) -> None:
        for name, sees, writes in ROLES:
            before = stage.store.entries.mark()
            async with signed_in(stage, name) as browser:
                if name == "ani":
                    await send(browser, f"/outages/{first}/annotation", {"version": "1", "cause": "y"})
                    continue
                assert await tried(browser, name, first, second) == ({sees}, {writes}), name
            assert (stage.store.entries.mark() > before) is (writes == 303)
        assert [one.author for one in stage.store.entries.of("annotation")] == ["budi", "ani"]

    scene(tmp_path, work)


def test_a_form_of_another_site_enters_nothing(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi:
            path = f"/outages/{first}/annotation"
            assert (await send(budi, path, {"version": "0", "cause": "x"}, token="0" * 64)).status == 403
            token = await budi.token(f"/outages/{first}")
            other = await budi.post(path, {"token": token, "version": "0", "cause": "x"})
            assert other.status == 415
            assert stage.store.entries.of("annotation") == []

    scene(tmp_path, work)


def test_where_people_do_not_sign_in_all_see_and_nobody_writes(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi:
            await send(budi, f"/outages/{first}/annotation", {"version": "0", "cause": "fan"})
            token = await budi.token(f"/outages/{first}")
            stage.terms(None)
            assert "fan" in (await budi.get(f"/outages/{first}")).text
            assert "<form" not in (await budi.get(f"/outages/{first}")).text
            assert (await send(budi, f"/outages/{first}/note", {"id": "x"}, token=token)).status == 404

    scene(tmp_path, work)


def test_an_outage_that_there_is_not_is_not_found(tmp_path: Path) -> None:
    async def work(stage: SheetStage, first: int, _: int) -> None:
        async with signed_in(stage, "budi") as budi:
            token = await budi.token(f"/outages/{first}")
            for number in ("999999", "0", "x", "1" * 40):
                assert (await budi.get(f"/outages/{number}")).status == 404
                sent = await send(budi, f"/outages/{number}/annotation", {"version": "0", "cause": "x"}, token=token)
                assert sent.status == 404, number

    scene(tmp_path, work)
