"""Exclusions and declarations on pages: who may what, what is refused and how, and what that does to the figure."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE
from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from detak_collector.pair.entry import PROMOTION, Entry, canonical
from detak_collector.store.entries import take_entries
from people_stage import HOUR_MS, Browser, Page
from work_stage import BEGIN, NOW, WorkStage, work_stage

pytestmark = pytest.mark.asyncio

PROPOSED = {
    "category": "planned", "kind": "service", "target": "impor", "zone": "Asia/Jakarta", "from": "2026-01-11T00:00",
    "to": "2026-01-12T00:00", "document": "ND-1/2026", "reason": "patches", "action": "propose",
}  # fmt: skip
THIRD = {
    **PROPOSED, "category": "third_party", "provider": "PT Jaringan", "circuit": "C-77", "ticket": "T-1",
    "provider_from": "2026-01-11T00:10", "provider_to": "2026-01-11T00:40",
}  # fmt: skip
AHEAD = {**PROPOSED, "from": "2027-01-11T00:00", "to": "2027-01-11T02:00"}
DOWN = {**PROPOSED, "category": "down", "from": "2026-02-02T08:00", "to": "2026-02-02T09:00"}
RATE = re.compile(r'class="percent"><a[^>]*>([^<]+)<')


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        yield staged


async def signed_in(stage: WorkStage, browser: Browser, name: str) -> Browser:
    assert (await browser.sign_in(name)).status == 303
    return browser


async def sent(browser: Browser, path: str, fields: dict[str, str], form: str = "/exclusions/new") -> Page:
    return await browser.post(path, {"token": await browser.token(form), **fields})


async def rate(browser: Browser, period: str = "2026-01") -> str:
    found = RATE.search((await browser.get(f"/figure/{period}")).text)
    assert found is not None
    return found[1]


def text_of(page: Page) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def test_one_proposes_another_approves_and_only_then_the_figure_changes(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(stage, first, "ani"), await signed_in(stage, second, "budi")
        before = await rate(ani)
        shown = await sent(ani, "/exclusions/new", {**PROPOSED, "action": "preview"})
        assert shown.status == 200
        assert "2026-01 0.0458 % 0.0234 % 1 h 01 min 20.0 s 31 min 20.0 s met" in text_of(shown)
        assert stage.store.entries.of("proposal") == []

        proposed = await sent(ani, "/exclusions/new", PROPOSED)
        assert (proposed.status, proposed.to) == (303, "../exclusions/x1?notice=proposed")
        assert await rate(ani) == before == "0.0458 %"
        own = await sent(ani, "/exclusions/x1", {"action": "approve"})
        assert own.status == 403

        there = await budi.get("/exclusions/x1")
        assert "0.0458 % 0.0234 %" in text_of(there)
        assert "late" in text_of(there)
        assert (await sent(budi, "/exclusions/x1", {"action": "approve"})).to == "../exclusions/x1?notice=approved"
        assert await rate(ani) == "0.0234 %"
        assert "in force" in text_of(await ani.get("/exclusions"))
        again = await sent(budi, "/exclusions/x1", {"action": "approve"})
        assert again.status == 409
        assert "by now it stands otherwise" in text_of(again)
        assert [name for name in stage.told.names if name.startswith("exclusion")] == [
            "exclusion-proposed", "exclusion-approved",
        ]  # fmt: skip


async def test_nobody_approves_his_own_however_his_name_is_written(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        budi = await signed_in(stage, browser, "budi")
        await sent(budi, "/exclusions/new", PROPOSED)
        shown = await budi.get("/exclusions/x1")
        assert 'value="approve"' not in shown.text
        assert "You proposed it, so somebody else must decide." in text_of(shown)
        refused = await sent(budi, "/exclusions/x1", {"action": "approve"})
        assert refused.status == 409
        stage.verdict("x1", "take-back", "budi")
        for number, name in enumerate(("BUDI", "Budi Santoso", "budi-santoso"), 2):
            stage.decided(_draft(), by=name)
            assert (await sent(budi, f"/exclusions/x{number}", {"action": "approve"})).status == 409, name


async def test_what_is_refused_keeps_what_was_typed_and_says_why_beside_the_field(stage: WorkStage) -> None:
    wrong = {**PROPOSED, "target": "ekspro", "document": "", "to": "2026-01-10T00:00", "reason": HOSTILE}
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        shown = await sent(ani, "/exclusions/new", wrong)
        assert shown.status == 422
        assert HOSTILE not in shown.text
        assert HOSTILE in unescape(shown.text)
        assert 'value="ekspro"' in shown.text
        assert 'id="to-fault"' in shown.text
        assert 'id="document-fault"' in shown.text
        again = await sent(ani, "/exclusions/new", {**PROPOSED, "target": "ekspro"})
        assert "did you mean" in unescape(again.text)
        for name, value in (
            ("repeat", "rule"), ("zone", "Mars/Base"), ("from", "gestern"), ("category", "holiday"), ("kind", "moon"),
            ("without", "x"), ("rule", "FREQ=HOURLY"),
        ):  # fmt: skip
            odd = {**PROPOSED, name: value} | ({"repeat": "rule"} if name == "rule" else {})
            odd |= {"repeat": "WEEKLY"} if name == "without" else {}
            assert (await sent(ani, "/exclusions/new", odd)).status == 422, name
        assert stage.store.entries.of("proposal") == []


async def test_what_is_in_force_ends_and_changes_only_by_two_people(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(stage, first, "ani"), await signed_in(stage, second, "budi")
        await sent(ani, "/exclusions/new", PROPOSED)
        await sent(budi, "/exclusions/x1", {"action": "approve"})
        same = await sent(
            ani, "/exclusions/x1/amend", {**PROPOSED, "because": "it was shorter"}, "/exclusions/x1/amend"
        )
        assert same.status == 422
        amended = {**PROPOSED, "to": "2026-01-11T06:00", "because": "it was shorter"}
        done = await sent(ani, "/exclusions/x1/amend", amended, "/exclusions/x1/amend")
        assert done.to == "../../exclusions/x2?notice=proposed"
        assert (await ani.get("/exclusions/x1/withdraw")).status == 409
        rejected = await sent(budi, "/exclusions/x2", {"action": "reject"})
        assert rejected.status == 422
        assert (await sent(budi, "/exclusions/x2", {"action": "reject", "reason": "it was not"})).status == 303
        ending = await ani.get("/exclusions/x1/withdraw")
        assert "0.0234 % 0.0458 %" in text_of(ending)
        form = "/exclusions/x1/withdraw"
        assert (await sent(ani, form, {"reason": "called off"}, form)).status == 422
        await sent(ani, form, {"reason": "called off", "document": "ND-2/2026"}, form)
        assert await rate(ani) == "0.0234 %"
        await sent(budi, "/exclusions/x3", {"action": "approve"})
        assert await rate(ani) == "0.0458 %"
        told = text_of(await ani.get("/exclusions/x1"))
        assert "x3 proposed the withdrawal of x1" in told
        assert "x2 rejected" in told


async def test_its_proposer_takes_back_what_is_pending_and_says_why(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        await sent(ani, "/exclusions/new", PROPOSED)
        assert (await sent(ani, "/exclusions/x1", {"action": "take-back"})).status == 422
        assert (await sent(ani, "/exclusions/x1", {"action": "take-back", "reason": "a mistake"})).status == 303
        assert "taken back" in text_of(await ani.get("/exclusions?state=over"))


async def test_a_third_party_is_named_and_what_he_says_is_kept(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        assert (await sent(ani, "/exclusions/new", {**THIRD, "provider": ""})).status == 422
        assert (await sent(ani, "/exclusions/new", {**THIRD, "provider_to": "2026-01-10T00:00"})).status == 422
        await sent(ani, "/exclusions/new", THIRD)
        shown = text_of(await ani.get("/exclusions/x1"))
        assert "PT Jaringan · circuit C-77 · ticket T-1" in shown
        assert "11 Jan 2026 00:10:00 \N{EN DASH} 00:40:00" in shown
        assert "claimed of him" in shown
        assert (await sent(ani, "/exclusions/x1", {"action": "claim", "stance": "disputed"})).status == 422
        kept = {"action": "claim", "stance": "disputed", "claim_reason": HOSTILE}
        assert (await sent(ani, "/exclusions/x1", kept)).to == "./x1?notice=claimed"
        assert "disputed by him" in text_of(await ani.get("/exclusions"))
        assert (
            await sent(ani, "/exclusions/x1/amend", {**THIRD, "because": "x", "ticket": "T-2"}, "/exclusions/x1/amend")
        ).status == 303
        there = await ani.get("/exclusions/x2")
        assert "T-2" in there.text
        assert "disputed by him" in text_of(there)
        assert HOSTILE not in there.text
        await sent(ani, "/exclusions/new", PROPOSED)
        assert (await sent(ani, "/exclusions/x3", kept)).status == 409
        assert len(stage.store.entries.of("claim")) == 1


async def test_a_drill_is_planned_and_declared_before_it_begins(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        for odd in ({**PROPOSED, "drill": "yes"}, {**AHEAD, "drill": "yes", "category": "preventive"}):
            shown = await sent(ani, "/exclusions/new", odd)
            assert shown.status == 422
            assert 'id="drill-fault"' in shown.text
        await sent(ani, "/exclusions/new", {**AHEAD, "drill": "yes"})
        for path in ("/exclusions", "/exclusions/x1", "/calendar?at=2027-01", "/calendar?view=list&at=2027-01"):
            assert "drill" in (await ani.get(path)).text.partition("calendar-key")[0].lower(), path
        stage.verdict("x1", "approve", "budi")
        amended = {**AHEAD, "to": "2027-01-11T03:00", "drill": "yes", "because": "longer"}
        assert (await sent(ani, "/exclusions/x1/amend", amended, "/exclusions/x1/amend")).status == 303
        stage.verdict("x2", "approve", "budi")
        stage.later(60 * 24 * HOUR_MS)
        await signed_in(stage, browser, "ani")
        over = {**amended, "to": "2027-01-11T01:00", "because": "it was over earlier"}
        assert (await sent(ani, "/exclusions/x2/amend", over, "/exclusions/x2/amend")).status == 303
        assert "drill" in text_of(await ani.get("/exclusions?words=x3"))


async def test_an_outage_in_a_drill_is_labelled_where_that_was_declared_before(tmp_path: Path) -> None:
    january = {**RECORD, "from": "2026-01-10T17:00:00Z", "to": "2026-01-11T17:00:00Z"}
    async with work_stage(tmp_path, sign_in=False) as stage, stage.browser() as browser:
        stage.later(BEGIN - NOW)
        stage.decided(Draft("exclusion", "add", record=january, drill=True), by="Ani")
        stage.verdict("x1", "approve", "Budi")
        stage.later(NOW - BEGIN)
        late = {**january, "from": "2026-03-31T17:00:00Z", "to": "2026-04-01T17:00:00Z"}
        stage.decided(Draft("exclusion", "add", record=late, drill=True), by="Ani")
        stage.verdict("x2", "approve", "Budi")
        page = (await browser.get("/figure/2026-01/outages")).text
        labelled = [row for row in page.split("<tr>") if "tag drill" in row]
        assert len(labelled) == 1
        assert "CEISA Impor" in labelled[0]
        assert "tag drill" not in (await browser.get("/figure/2026-04/outages")).text
        assert "tag drill" in (await browser.get("/service/impor/outage/20260111T000000")).text
        assert "tag drill" in (await browser.get("/service/impor?period=2026-01")).text


async def test_a_declared_outage_enters_the_figure_when_it_is_approved(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(stage, first, "ani"), await signed_in(stage, second, "budi")
        before = await rate(ani, "2026-02")
        done = await sent(ani, "/declarations/new", DOWN, "/declarations/new")
        assert done.to == "../declarations/d1?notice=proposed"
        assert (await budi.get("/exclusions/d1")).status == 404
        assert "was down, service impor" in text_of(await budi.get("/declarations"))
        await sent(budi, "/declarations/d1", {"action": "approve"})
        assert await rate(ani, "2026-02") != before
        up = {**DOWN, "category": "up", "kind": "service"}
        assert (await sent(ani, "/declarations/new", up, "/declarations/new")).status == 422


async def test_ten_thousand_proposals_are_leafed_through_and_searched(stage: WorkStage) -> None:
    for at in range(0, 120, 60):
        stage.decided(*(_draft(f"ND-{at + one}/2026") for one in range(60)), by="ani")
    async with stage.browser() as browser:
        budi = await signed_in(stage, browser, "budi")
        first = await budi.get("/exclusions")
        assert "120 proposals · page 1 of 3" in text_of(first)
        assert "120 proposals of others wait for your decision" in text_of(first)
        assert "x120" in first.text
        assert "x70<" not in first.text
        assert "x70<" in (await budi.get("/exclusions?page=2")).text
        assert "1 proposal " in text_of(await budi.get("/exclusions?words=nd-77/"))
        assert "None, as far as is asked for." in text_of(await budi.get("/exclusions?category=preventive"))
        assert (await budi.get("/exclusions?state=odd")).status == 404


async def test_nothing_is_entered_where_another_collector_leads(stage: WorkStage) -> None:
    promotion = Entry("f" * 32, PROMOTION, stage.now.utc, "root", "drc", {}, canonical({"reason": "x"}))
    with stage.store.database.writing() as connection:
        take_entries(connection, [promotion])
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        refused = await sent(ani, "/exclusions/new", PROPOSED)
        assert refused.status == 409
        assert "Things are entered at the other collector" in text_of(refused)
        assert stage.store.entries.of("proposal") == []


async def test_a_form_of_another_browser_is_refused(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        assert (await ani.post("/exclusions/new", PROPOSED)).status == 403
        token = await ani.token("/exclusions/new")
        fields = {"token": token, **PROPOSED}
        assert (await ani.post("/exclusions/new", fields, Sec_Fetch_Site="cross-site")).status == 403
        stage.later(13 * HOUR_MS)
        gone = await ani.post("/exclusions/new", fields)
        assert gone.status == 303
        assert gone.to == "../sign-in?next=/exclusions/new"
        assert stage.store.entries.of("proposal") == []


async def test_without_sign_in_everybody_sees_and_nobody_enters(tmp_path: Path) -> None:
    async with work_stage(tmp_path, sign_in=False) as stage, stage.browser() as browser:
        stage.decided(_draft(), by="Ani")
        assert "ND-12/2026" in (await browser.get("/exclusions/x1")).text
        assert (await browser.get("/calendar")).status == 200
        for path in ("/exclusions/new", "/audit", "/api/v1/audit", "/calendar/import"):
            assert (await browser.get(path)).status == 404, path


async def test_pages_are_in_the_readers_language(stage: WorkStage) -> None:
    async with stage.browser() as browser:
        ani = await signed_in(stage, browser, "ani")
        await sent(ani, "/exclusions/new", PROPOSED)
        for path in ("/exclusions", "/exclusions/x1", "/exclusions/new", "/calendar", "/calendar/import"):
            shown = await ani.get(path, Accept_Language="id")
            assert '<html lang="id">' in shown.text
            assert "Pengecualian" in shown.text, path


def _draft(document: str = "ND-12/2026") -> Draft:
    return Draft("exclusion", "add", record={**RECORD, "document": document})
