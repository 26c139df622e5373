"""Whatever is asked without signing in, by whatever path: nothing that is not marked public is in any answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from detak_collector.accounts.tokens import Scope
from detak_collector.web.openapi import document
from reading_stage import MARKED, PUBLIC, Read, Reader, ReadingStage, reading_stage
from sheets_stage import REAL_NODE

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESCRIBED = json.loads(document("0.1.0"))
NAMES = {
    "service": ("impor", "ekspor", "manifes", "portal"), "outage": ("1", "2", "3"), "period": ("2026", "2026-04"),
    "node": (REAL_NODE, "dc-db-01"), "name": ("siti", "x1"), "token": ("x",), "code": ("en",), "number": ("1",),
}  # fmt: skip
QUERIES = ("", "?service=ekspor", "?service=manifes", "?period=2026&cause=application", "?running=true", "?limit=500")
ENDLESS = "/live"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReadingStage]:
    async with reading_stage(tmp_path_factory.mktemp("reading"), pace_ms=250) as running:
        yield running


def unmarked() -> set[str]:
    """What only those may read who may see everything."""
    hidden = [one for one in MARKED if one.id not in PUBLIC]
    names = {word for one in hidden for word in (one.id, one.name.values()[0])}
    groups = {group.name for one in MARKED for group in one.groups}
    checks = {check for one in MARKED for member in one.members() for check in member.checks}
    return {*names, *groups, *checks, *(check.partition("/")[0] for check in checks), REAL_NODE, "connection refused"}


def paths() -> Iterator[str]:
    """Every path that can be got, filled with the names of everything that is there."""
    for path, methods in DESCRIBED["paths"].items():
        if "get" not in methods or path == ENDLESS:
            continue
        found = [path]
        for name in re.findall(r"{(\w+)}", path):
            found = [one.replace(f"{{{name}}}", value) for one in found for value in NAMES.get(name, ("x",))]
        yield from found


def leaks(path: str, answer: Read) -> list[str]:
    """What of it stands in an answer that was not in the question."""
    said = answer.body.decode() + str(answer.headers)
    told = (word for word in unmarked() if word not in path)
    return [word for word in told if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", said)]


async def everything(reader: Reader) -> list[str]:
    found = []
    for path in paths():
        for query in QUERIES if path in {"/api/v1/outages", "/api/v1/services", "/feed.atom"} else ("",):
            answer = await reader.get(path + query)
            found += [f"{path}{query}: {leak}" for leak in leaks(path + query, answer)]
    return found


async def test_a_stranger_reads_nothing_that_is_not_marked(stage: ReadingStage) -> None:
    assert await everything(stage.stranger()) == []


async def test_a_token_for_what_is_public_reads_no_more_than_a_stranger(stage: ReadingStage) -> None:
    assert await everything(stage.with_token("siti", Scope.READ_PUBLIC)) == []


async def test_who_may_see_everything_does(stage: ReadingStage) -> None:
    """Else the tests above would find nothing wherever it leaked."""
    found = await everything(stage.with_token("siti"))
    for path in ("/api/v1/services", "/api/v1/outages", "/feed.atom", "/api/v1/nodes", "/api/v1/checks"):
        assert any(one.startswith(f"{path}:") for one in found), path


async def test_what_is_hidden_answers_as_what_is_not_there(stage: ReadingStage) -> None:
    stranger = stage.stranger()
    for path in ("/api/v1/services/{}", "/api/v1/outages?service={}", "/badge/{}.svg", "/badge/{}/2025.svg"):
        hidden, missing = await stranger.get(path.format("ekspor")), await stranger.get(path.format("none"))
        assert (hidden.status, missing.status) == (404, 404)
        assert hidden.body == missing.body


async def test_how_many_outages_others_have_is_not_told(stage: ReadingStage) -> None:
    told = (await stage.stranger().get("/api/v1/outages?limit=500")).told
    assert {one["service"] for one in told["items"]} == {"impor"}
    assert {one["number"] for one in told["items"]} == {None}
    assert told["total"] == len(told["items"]) < 10
    assert {one["detail"] for one in told["items"]} == {""}


async def test_a_badge_is_for_public_services_only_whoever_asks(stage: ReadingStage) -> None:
    for reader in (stage.stranger(), stage.with_token("siti")):
        assert (await reader.get("/badge/impor.svg")).status == 200
        assert (await reader.get("/badge/ekspor.svg")).status == 404


async def test_a_stranger_has_no_period_derived_that_is_not_kept(stage: ReadingStage) -> None:
    made = len(stage.stage.pages.made)
    for period in ("2026-ytd", "2026-04-07", "2026-Q1", "1999"):
        assert (await stage.stranger().get(f"/api/v1/outages?period={period}")).status == 400
    assert len(stage.stage.pages.made) == made


async def test_strangers_who_wait_leave_room_for_who_has_signed_in(stage: ReadingStage) -> None:
    stage.stage.pages.go.clear()
    waiting = [
        asyncio.create_task(stage.stranger().get(f"/api/v1/outages?period=2026-0{month}")) for month in range(1, 5)
    ]
    await asyncio.sleep(0.3)
    assert (await stage.stranger().get("/api/v1/outages?period=2026-05")).status == 503
    ours = asyncio.create_task(stage.with_token("siti").get("/api/v1/outages?period=2026-06"))
    await asyncio.sleep(0.1)
    stage.stage.pages.go.set()
    assert {one.status for one in await asyncio.gather(*waiting)} == {200}
    assert (await ours).status == 200
