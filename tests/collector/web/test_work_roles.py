"""Each route of work on exclusions, declarations, the calendar and the audit trail: who may ask for it, and who not."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from detak_collector.web.work import audit, calendar, declarations, exclusions
from people_stage import Browser
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.asyncio

EVERYBODY = ("ani", "budi", "siti", "dewi", "agus")
SEEING = dict.fromkeys(EVERYBODY, True) | {"tamu": False}
PROPOSING = dict.fromkeys(EVERYBODY, False) | {"ani": True, "budi": True, "tamu": False}
AUDITING = dict.fromkeys(EVERYBODY, False) | {"dewi": True, "tamu": False}
READ = {
    "/exclusions": SEEING, "/exclusions/{name}": SEEING, "/declarations": SEEING, "/declarations/{name}": SEEING,
    "/calendar": SEEING, "/calendar.ics": SEEING, "/exclusions/new": PROPOSING, "/declarations/new": PROPOSING,
    "/exclusions/{name}/amend": PROPOSING, "/exclusions/{name}/withdraw": PROPOSING,
    "/declarations/{name}/amend": PROPOSING, "/declarations/{name}/withdraw": PROPOSING,
    "/calendar/import": PROPOSING, "/audit": AUDITING, "/api/v1/audit": AUDITING, "/api/v1/calendar": SEEING,
    "/api/v1/exclusions": SEEING, "/api/v1/exclusions/{name}": SEEING, "/api/v1/exclusions/{name}/effect": SEEING,
    "/api/v1/declarations": SEEING, "/api/v1/declarations/{name}": SEEING,
    "/api/v1/declarations/{name}/effect": SEEING,
}  # fmt: skip
RECORDED: Mapping[str, object] = {"record": dict(RECORD)}
DECLARED: Mapping[str, object] = {"record": {**RECORD, "category": "down"}}
SENT: Mapping[str, Mapping[str, object]] = {
    "/api/v1/exclusions": RECORDED,
    "/api/v1/exclusions/effect": RECORDED,
    "/api/v1/exclusions/{name}/amendments": {**RECORDED, "because": "x"},
    "/api/v1/exclusions/{name}/withdrawal": {"reason": "x", "document": "ND-1"},
    "/api/v1/exclusions/{name}/decision": {"verdict": "take-back", "reason": "x"},
    "/api/v1/exclusions/{name}/claims": {"stance": "accepted", "reason": "x"},
    "/api/v1/declarations": DECLARED,
    "/api/v1/declarations/effect": DECLARED,
    "/api/v1/declarations/{name}/amendments": {**DECLARED, "because": "x"},
    "/api/v1/declarations/{name}/withdrawal": {"reason": "x", "document": "ND-1"},
    "/api/v1/declarations/{name}/decision": {"verdict": "take-back", "reason": "x"},
}
FORMS = (
    "/exclusions/new", "/exclusions/{name}", "/exclusions/{name}/amend", "/exclusions/{name}/withdraw",
    "/declarations/new", "/declarations/{name}", "/declarations/{name}/amend", "/declarations/{name}/withdraw",
    "/calendar/import",
)  # fmt: skip
UPLOADED = ("/api/v1/calendar",)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        record = dict(RECORD)
        staged.decided(
            Draft("exclusion", "add", record=record),
            Draft("declaration", "add", record={**record, "category": "down"}),
            by="Cici",
        )
        staged.verdict("x1", "approve", "Dodi")
        staged.verdict("d2", "approve", "Dodi")
        yield staged


def named(path: str) -> str:
    return path.replace("{name}", "d2" if "declarations" in path else "x1")


async def test_every_route_is_in_the_matrix() -> None:
    sources = map(inspect.getsource, (exclusions, declarations, calendar, audit))
    found = {route for source in sources for route in re.findall(r'web\.(get|post)\("([^"]+)"', source)}
    known = {("get", path) for path in READ} | {("post", path) for path in (*SENT, *FORMS, *UPLOADED)}
    assert found == known


async def test_every_page_is_for_those_whose_roles_include_it(stage: WorkStage) -> None:
    for name in (*EVERYBODY, "tamu"):
        async with stage.browser() as browser:
            await browser.sign_in(name)
            for path, allowed in READ.items():
                answer = await browser.get(named(path))
                expected = 200 if allowed[name] else 401 if path == "/calendar.ics" else 403
                assert answer.status == expected, (name, path, answer.text[:200])
    async with stage.browser() as nobody:
        for path in READ:
            answer = await nobody.get(named(path))
            assert answer.status == (401 if path.startswith("/api") or path.endswith(".ics") else 303), path
            assert "ND-12" not in answer.text


async def test_nobody_enters_anything_whose_roles_do_not_include_it(stage: WorkStage) -> None:
    before = len(stage.store.entries.all())
    for name in ("siti", "dewi", "agus", "tamu", ""):
        async with stage.browser() as browser:
            if name:
                await browser.sign_in(name)
            refused = 403 if name else 401
            for path, body in SENT.items():
                assert await _sent(browser, named(path), body) == refused, (name, path)
            headers = {"Content-Type": "text/calendar"}
            async with browser.client.post(UPLOADED[0], data=b"BEGIN:VCALENDAR", headers=headers) as answer:
                assert answer.status == refused
            token = await browser.token("/account" if name else "/sign-in")
            for path in FORMS:
                answer_ = await browser.post(named(path), {"token": token, "action": "approve"})
                assert answer_.status == (403 if name else 303), (name, path)
    assert len(stage.store.entries.all()) == before


async def test_an_operator_decides_nothing_and_another_site_has_nothing_entered(stage: WorkStage) -> None:
    stage.decided(Draft("exclusion", "add", record=dict(RECORD)), by="Cici")
    before = len(stage.store.entries.all())
    async with stage.browser() as browser:
        await browser.sign_in("ani")
        for verdict in ("approve", "reject", "take-back"):
            decided = {"verdict": verdict, "reason": "x"}
            expected = 409 if verdict == "take-back" else 403
            assert await _sent(browser, "/api/v1/exclusions/x3/decision", decided) == expected
        for path, body in SENT.items():
            async with browser.client.post(named(path), json=body, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
                assert answer.status == 403, path
            async with browser.client.post(named(path), data={"record": "x"}) as answer:
                assert answer.status in {409, 415}, path
    assert len(stage.store.entries.all()) == before


async def _sent(browser: Browser, path: str, body: Mapping[str, object]) -> int:
    async with browser.client.post(path, json=body) as answer:
        assert answer.content_type == "application/problem+json" or answer.status < 400
        return answer.status
