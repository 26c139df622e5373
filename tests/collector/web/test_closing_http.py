"""Closing a month on pages and by programs: asked by one, approved by another; restated; an outage disputed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE
from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from detak_collector.pair.entry import PROMOTION, Entry, canonical
from detak_collector.store.entries import take_entries
from detak_collector.web.openapi import document
from people_stage import Browser, Page
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.asyncio

DESCRIBED = json.loads(document("0"))
JANUARY = "/closing/2026-01"
LATE = {**RECORD, "from": "2026-01-10T17:00:00Z", "to": "2026-01-11T17:00:00Z"}
"""Takes half an hour of impor out of January."""

APRIL = 1_774_976_400_000
"""When it begins, local."""


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        yield staged


async def signed_in(browser: Browser, name: str) -> Browser:
    assert (await browser.sign_in(name)).status == 303
    return browser


async def sent(browser: Browser, path: str, **fields: str) -> Page:
    return await browser.post(path, {"token": await browser.token("/disputes/new"), **fields})


def text_of(page: Page) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def excluded(stage: WorkStage) -> None:
    stage.later(60_000)
    (name,) = stage.decided(Draft("exclusion", "add", record=LATE), by="Ani")
    stage.verdict(name, "approve", "Budi")


async def test_one_asks_for_a_seal_another_approves_it_and_the_figure_says_so(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(first, "ani"), await signed_in(second, "budi")
        shown = text_of(await ani.get(JANUARY))
        assert "State open Figure 0.0458 %" in shown
        assert "outages have no annotation: 1-" in shown
        asked = await sent(ani, JANUARY, action="seal", reason=HOSTILE)
        assert (asked.status, asked.to) == (303, "./2026-01?notice=asked")
        assert "Sealed, no." not in text_of(await ani.get("/figure/2026-01"))
        assert (await sent(ani, JANUARY, action="approve")).status == 409
        there = await budi.get(JANUARY)
        assert "ani asks for it, for this reason:" in text_of(there)
        assert HOSTILE not in there.text
        assert (await sent(budi, JANUARY, action="approve")).to == "./2026-01?notice=approved"
        figure = text_of(await ani.get("/figure/2026-01"))
        assert "Sealed, no. 1, on" in figure
        assert "by ani, approved by budi." in figure
        assert "sealed, no. 1 0.0458 %" in text_of(await ani.get("/closing"))
        assert (await sent(budi, JANUARY, action="seal", reason="again")).status == 409
        assert [one for one in stage.told.names if one.startswith("seal")] == ["seal-asked", "seal-approved"]


async def test_what_comes_later_leaves_the_sealed_figure_until_it_is_restated(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(first, "ani"), await signed_in(second, "budi")
        await sent(ani, JANUARY, action="seal")
        await sent(budi, JANUARY, action="approve")
        assert "All that is known now says what the seal says." in text_of(await ani.get(JANUARY))
        excluded(stage)
        whole = {**LATE, "scope": {"service": "ekspor"}, "from": "2025-12-31T17:00:00Z", "to": "2026-01-31T17:00:00Z"}
        (other,) = stage.decided(Draft("exclusion", "add", record=whole), by="Ani")
        shown = text_of(await ani.get(f"/exclusions/{other}"))
        assert "2026-01 sealed, no. 1 0.0234 % 0.0000 %" in shown
        assert "A sealed figure stays as it is, until somebody restates it" in shown
        stage.verdict(other, "reject", "Budi")
        figure = text_of(await ani.get("/figure/2026-01"))
        assert "By all that is known now it would be 0.0234 % (-30 min 0.0 s of downtime)" in figure
        assert "0.0458 % Target met" in figure
        shown = text_of(await ani.get(JANUARY))
        assert "impor 40 min" in shown or "impor 30 min" in shown
        refused = await sent(ani, JANUARY, action="restate", reason=" ")
        assert (refused.status, "This is required." in text_of(refused)) == (422, True)
        await sent(ani, JANUARY, action="restate", reason="found later")
        assert "restatement" not in text_of(await ani.get("/figure/2026-01")).replace("only a restatement", "")
        await sent(budi, JANUARY, action="approve")
        assert "Restated, no. 2" in text_of(await ani.get("/figure/2026-01"))
        assert "restated, no. 2 0.0234 %" in text_of(await ani.get("/closing"))


async def test_what_hinders_needs_a_reason_and_a_changed_figure_is_not_approved(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(first, "ani"), await signed_in(second, "budi")
        stage.decided(Draft("exclusion", "add", record=LATE), by="Cici")
        shown = text_of(await ani.get(JANUARY))
        assert "hinders Exclusion x1 is pending an approver other than Cici" in shown
        assert (await sent(ani, JANUARY, action="seal", reason="")).status == 422
        await sent(ani, JANUARY, action="seal", reason="agreed by phone")
        assert "It is asked for despite this: exclusion x1 is pending" in text_of(await budi.get(JANUARY))
        stage.verdict("x1", "approve", "Budi")
        refused = await sent(budi, JANUARY, action="approve")
        assert refused.status == 409
        assert "By now the facts say another figure than was asked for" in text_of(refused)
        assert (await sent(budi, JANUARY, action="reject", reason="ask anew")).status == 303
        assert "rejected" in text_of(await ani.get(JANUARY))


async def test_who_may_not_is_refused_and_what_cannot_be_closed_is_not_there(stage: WorkStage) -> None:
    async with stage.browser() as nobody, stage.browser() as third:
        assert (await nobody.get("/closing")).to.startswith("./sign-in")
        siti = await signed_in(third, "siti")
        shown = await siti.get(JANUARY)
        assert (shown.status, "<form" in shown.text) == (200, False)
        assert (await siti.post(JANUARY, {"token": await siti.token("/account"), "action": "seal"})).status == 403
        for path in ("/closing/2026-01-05", "/closing/2026-ytd", "/closing/2031-01", "/closing/x", "/disputes/7"):
            assert (await siti.get(path)).status == 404, path
        assert (await siti.get("/closing?year=nineteen")).status == 200
    async with stage.browser() as fourth:
        running = await (await signed_in(fourth, "ani")).get("/closing/2026")
        assert "is not over: it ends on 1 January 2027" in text_of(running)
        assert 'value="seal"' not in running.text


async def test_a_follower_enters_nothing(stage: WorkStage) -> None:
    body = canonical({"reason": "the other one leads", "epoch": 2, "collector": "dc"})
    promoted = Entry("a" * 32, PROMOTION, stage.now.utc, "ops", "dc", {}, body)
    with stage.store.database.writing() as connection:
        take_entries(connection, [promoted])
    async with stage.browser() as browser:
        ani = await signed_in(browser, "ani")
        refused = await sent(ani, JANUARY, action="seal", reason="x")
        assert (refused.status, stage.store.entries.of("seal")) == (409, [])


async def outage_number(stage: WorkStage, browser: Browser) -> int:
    """The number of an outage of impor in January."""
    await browser.get("/figure/2026-01")
    known = filter(None, map(stage.store.outages.known, range(1, 5_000)))
    return next(one.number for one in known if one.service == "impor")


async def test_a_disputed_outage_keeps_its_month_open_until_it_is_answered(stage: WorkStage) -> None:
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(first, "ani"), await signed_in(second, "budi")
        number = str(await outage_number(stage, ani))
        wrong = await sent(ani, "/disputes/new", outage="4711", reason="", deadline="yesterday")
        assert wrong.status == 422
        for words in ("No outage has this number.", "This is required.", "Expected a date and a time."):
            assert words in text_of(wrong), words
        made = await sent(
            ani, "/disputes/new", outage=number, reason=HOSTILE, ticket="T-1", deadline="2026-12-24T08:00"
        )
        assert made.to == "./1?notice=disputed"
        assert f"Outage {number} is disputed by ani; the answer is due on" in text_of(await budi.get(JANUARY))
        assert (await sent(ani, "/disputes/1", action="dismiss", reason="x")).status == 409
        assert (await sent(budi, "/disputes/1", action="dismiss", reason="")).status == 422
        assert (await sent(budi, "/disputes/1", action="dismiss", reason="no")).to == "./1?notice=dismissed"
        assert "dismissed" in text_of(await ani.get("/disputes"))
        assert (await sent(budi, "/disputes/1", action="uphold", reason="yes")).status == 409
        assert "disputed" not in text_of(await budi.get(JANUARY))


def check(method: str, path: str, status: int, told: object) -> None:
    """What came fits what is described."""
    answers = DESCRIBED["paths"][path][method]["responses"]
    assert str(status) in answers, (path, status)
    for content in answers[str(status)].get("content", {}).values():
        if "schema" in content:
            jsonschema.validate(told, {**content["schema"], "components": DESCRIBED["components"]})


async def asked(browser: Browser, path: str, described: str = "") -> Any:
    async with browser.client.get(path) as answer:
        told = json.loads(await answer.text())
        check("get", described or path.partition("?")[0], answer.status, told)
        return told


async def post(browser: Browser, path: str, body: Mapping[str, object], described: str = "") -> tuple[int, Any]:
    async with browser.client.post(path, json=body) as answer:
        told = json.loads(await answer.text())
        check("post", described or path, answer.status, told)
        return answer.status, told


async def test_programs_close_a_month_as_people_do(stage: WorkStage) -> None:
    one, described = "/api/v1/closing/2026-01", "/api/v1/closing/{period}"
    async with stage.browser() as first, stage.browser() as second:
        ani, budi = await signed_in(first, "ani"), await signed_in(second, "budi")
        rows = {each["period"]: each["state"] for each in (await asked(ani, "/api/v1/closing?year=2026"))["items"]}
        assert (rows["2026"], rows["2026-01"]) == ("running", "open")
        assert {each["weight"] for each in (await asked(ani, one, described))["findings"]} == {"told"}
        status, told = await post(ani, one, {"action": "seal"}, described)
        assert (status, told["state"], told["pending"]) == (201, "pending", "1")
        assert (await post(ani, one, {"action": "approve"}, described))[0] == 409
        status, told = await post(budi, one, {"action": "approve", "reason": "seen"}, described)
        assert (status, told["state"], told["seal"], told["history"][0]["decided_by"]) == (201, "sealed", "1", "budi")
        assert told["figure"] == told["sealed_figure"]
        excluded(stage)
        assert (await post(ani, one, {"action": "restate"}, described))[0] == 422
        status, told = await post(ani, one, {"action": "restate", "reason": "late"}, described)
        assert (status, told["history"][0]["restates"]) == (201, "1")
        assert (await post(ani, one, {"action": "take-back", "reason": "no"}, described))[1]["state"] == "sealed"
        number = await outage_number(stage, ani)
        disputed = {"outage": number, "reason": "not ours"}
        assert (await post(ani, "/api/v1/disputes", disputed))[0] == 409
        await ani.get("/figure/2026-04")
        april = filter(None, map(stage.store.outages.known, range(1, 5_000)))
        other = next(each.number for each in april if each.begin > APRIL)
        status, told = await post(ani, "/api/v1/disputes", {"outage": other, "reason": "not ours"})
        assert (status, told["number"], told["state"]) == (201, 1, "open")
        answer = ("/api/v1/disputes/1/answer", {"verdict": "uphold", "reason": "right"})
        assert (await post(ani, *answer, "/api/v1/disputes/{number}/answer"))[0] == 409
        assert (await post(budi, *answer, "/api/v1/disputes/{number}/answer"))[1]["state"] == "upheld"
        assert (await asked(ani, "/api/v1/disputes"))["total"] == 1
        assert [one for one in stage.told.names if one.startswith(("seal", "restate", "dispute"))] == [
            "seal-asked", "seal-approved", "restatement-asked", "seal-taken-back", "dispute-upheld",
        ]  # fmt: skip
