"""The API of exclusions, declarations, the calendar and the audit trail: four eyes by programs, as it is described."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE
from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from detak_collector.pair import entry
from detak_collector.web.openapi import document
from detak_collector.web.work.audit_words import KINDS
from people_stage import Browser, Page
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.asyncio

DESCRIBED = json.loads(document("0"))
JANUARY = {**RECORD, "from": "2026-01-10T17:00:00Z", "to": "2026-01-11T17:00:00Z"}


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        yield staged


async def asked(browser: Browser, path: str, described: str = "", **headers: str) -> tuple[int, Any]:
    async with browser.client.get(path, headers=headers) as answer:
        told = json.loads(await answer.text() or "null")
        _check("get", described or path.partition("?")[0], answer.status, told)
        return answer.status, told


def tag_of(page: Page) -> str:
    return next(value for name, value in page.headers.items() if name.lower() == "etag")


async def sent(browser: Browser, path: str, body: Mapping[str, object], described: str = "") -> tuple[int, Any]:
    async with browser.client.post(path, json=body) as answer:
        told = json.loads(await answer.text())
        _check("post", described or path, answer.status, told)
        return answer.status, told


def _check(method: str, path: str, status: int, told: object) -> None:
    """What came fits what is described."""
    answers = DESCRIBED["paths"][path][method]["responses"]
    assert str(status) in answers, (path, status)
    for content in answers[str(status)].get("content", {}).values():
        if "schema" in content:
            jsonschema.validate(told, {**content["schema"], "components": DESCRIBED["components"]})


async def test_programs_of_two_people_do_what_their_pages_do(stage: WorkStage) -> None:
    async with stage.browser() as ani, stage.browser() as budi:
        await ani.sign_in("ani")
        await budi.sign_in("budi")
        base, one = "/api/v1/exclusions", "/api/v1/exclusions/{name}"
        status, effect = await sent(ani, f"{base}/effect", {"record": JANUARY})
        assert status == 200
        (month,) = [each for each in effect["periods"] if each["period"] == "2026-01"]
        assert month["before"]["counted_ms"] - month["after"]["counted_ms"] == 30 * 60_000
        assert month["services"] == [{"service": "impor", "before_ms": 1_800_000, "after_ms": 0}]

        status, made = await sent(ani, base, {"record": JANUARY})
        assert (status, made["id"], made["state"], made["late"]) == (201, "x1", "pending", True)
        assert await asked(budi, f"{base}/x1/effect", f"{one}/effect") == (200, effect)
        assert (await sent(ani, f"{base}/x1/decision", {"verdict": "approve"}, f"{one}/decision"))[0] == 403
        status, made = await sent(budi, f"{base}/x1/decision", {"verdict": "approve"}, f"{one}/decision")
        assert (status, made["state"], made["decided_by"]) == (201, "in force", "budi")
        assert (await sent(budi, f"{base}/x1/decision", {"verdict": "approve"}, f"{one}/decision"))[0] == 409

        shorter = {"record": {**JANUARY, "to": "2026-01-11T01:00:00Z"}, "because": "over earlier"}
        status, made = await sent(ani, f"{base}/x1/amendments", shorter, f"{one}/amendments")
        assert (status, made["id"], made["target"]) == (201, "x2", "x1")
        gone = {"reason": "called off", "document": "ND-2"}
        assert (await sent(ani, f"{base}/x1/withdrawal", gone, f"{one}/withdrawal"))[0] == 409
        took = {"verdict": "take-back", "reason": "no"}
        assert (await sent(ani, f"{base}/x2/decision", took, f"{one}/decision"))[0] == 201
        assert (await sent(ani, f"{base}/x1/withdrawal", gone, f"{one}/withdrawal"))[0] == 201

        status, listed = await asked(budi, f"{base}?state=all")
        assert [(each["id"], each["state"]) for each in listed["items"]] == [
            ("x3", "pending"), ("x2", "taken back"), ("x1", "in force"),
        ]  # fmt: skip
        history = (await asked(budi, f"{base}/x1", one))[1]["history"]
        assert [each["what"] for each in history] == [
            "proposed", "approved", "proposed in place of x1", "taken back", "proposed the withdrawal of x1",
        ]  # fmt: skip


async def test_what_is_wrong_is_named_by_its_field_and_nothing_is_entered(stage: WorkStage) -> None:
    base = "/api/v1/exclusions"
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        for record, field in (
            ({**JANUARY, "scope": {"service": "x"}}, "target"), ({**JANUARY, "to": "x"}, "to"),
            ({**JANUARY, "odd": 1}, "odd"), ({**JANUARY, "reason": ""}, "reason"), ({}, "category"),
        ):  # fmt: skip
            status, told = await sent(ani, base, {"record": record})
            assert status == 422
            assert field in {one["field"] for one in told["errors"]}, (record, told)
        assert (await sent(ani, base, {"record": JANUARY, "drill": True}))[0] == 422
        assert (await sent(ani, base, {"record": JANUARY, "provider": {"name": "x", "from": "y"}}))[0] == 422
        assert (await sent(ani, base, {"record": JANUARY, "odd": 1}))[0] == 400
        assert (await asked(ani, f"{base}?state=odd"))[0] == 400
        assert (await asked(ani, f"{base}/x9", f"{base}/{{name}}"))[0] == 404
    assert stage.store.entries.of("proposal") == []


async def test_what_an_asker_has_already_is_not_sent_again(stage: WorkStage) -> None:
    stage.decided(Draft("exclusion", "add", record=dict(RECORD)), by="Cici")
    async with stage.browser() as siti:
        await siti.sign_in("siti")
        for path in ("/api/v1/exclusions", "/api/v1/exclusions/x1", "/api/v1/calendar?from=2026-01-01T00:00:00Z",
                     "/calendar.ics"):  # fmt: skip
            first = await siti.get(path)
            assert first.status == 200, first.text
            tag = tag_of(first)
            assert (await siti.get(path, If_None_Match=tag)).status == 304, path
        tag = tag_of(await siti.get("/api/v1/exclusions"))
        stage.verdict("x1", "approve", "Dodi")
        assert (await siti.get("/api/v1/exclusions", If_None_Match=tag)).status == 200


async def test_a_third_party_and_what_he_says_are_told_to_programs(stage: WorkStage) -> None:
    base, one = "/api/v1/exclusions", "/api/v1/exclusions/{name}"
    provider = {
        "name": "PT Jaringan", "circuit": "C-7", "ticket": HOSTILE,
        "from": "2026-01-10T18:00:00Z", "to": "2026-01-10T19:00:00Z",
    }  # fmt: skip
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        record = {**JANUARY, "category": "third_party"}
        _, made = await sent(ani, base, {"record": record, "provider": provider})
        assert made["provider"] == {**provider, "from": "2026-01-10T18:00:00.000Z", "to": "2026-01-10T19:00:00.000Z"}
        assert made["stance"] == "claimed"
        claimed = {"stance": "accepted", "reason": "his letter"}
        status, made = await sent(ani, f"{base}/x1/claims", claimed, f"{one}/claims")
        assert (status, made["stance"]) == (201, "accepted")
        assert (await asked(ani, f"{base}/x1", one))[1]["claims"][0]["reason"] == "his letter"


async def test_the_audit_trail_is_leafed_through_and_asked_by_kind_person_and_words(stage: WorkStage) -> None:
    for at in range(60):
        stage.decided(Draft("exclusion", "add", record={**RECORD, "document": f"ND-{at}_%"}), by="Cici")
    stage.verdict("x7", "approve", "Dodi")
    stage.store.ledger.append(stage.now.utc)
    stage.verdict("x8", "reject", "Dodi")
    async with stage.browser() as dewi:
        await dewi.sign_in("dewi")
        path, seen = "/api/v1/audit", []
        status, page = await asked(dewi, path)
        assert (page["items"][0]["kind"], page["items"][0]["block"]) == ("decision", None)
        assert page["items"][1]["block"] == 1
        while True:
            seen += [one["number"] for one in page["items"]]
            if page["next"] is None:
                break
            status, page = await asked(dewi, f"{path}?before={page['next']}", path)
            assert status == 200
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == len(stage.store.entries.all())
        for query, count in (
            ("by=Dodi", 2),
            ("kind=grant", 5),
            ("words=ND-41_%25", 1),
            ("words=4_%25", 6),
            ("words=nd-4", 11),
        ):
            assert len((await asked(dewi, f"{path}?{query}"))[1]["items"]) == count, query
        shown = (await dewi.get("/audit?by=Dodi")).text
        assert '<a href="./exclusions/x8">' in shown
        assert "not chained yet" in shown
        assert (await dewi.get("/audit?before=x")).status == 404


async def test_every_kind_of_entry_has_a_name_in_the_audit_trail() -> None:
    kinds = {value for name, value in vars(entry).items() if name.isupper() and isinstance(value, str)}
    assert kinds
    assert kinds == set(KINDS)
