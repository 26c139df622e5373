"""What programs read says what the pages say, fits its own description, and can be read on where it was left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
import pytest_asyncio

from detak_collector.web.api_v1.cursors import closed
from detak_collector.web.openapi import document
from reading_stage import Read, ReadingStage, reading_stage
from sheets_stage import MANY, REAL_NODE, figures

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESCRIBED = json.loads(document("0.1.0"))
READ = {
    "/api/v1/services": ("/api/v1/services",),
    "/api/v1/services/{service}": ("/api/v1/services/impor", "/api/v1/services/ekspor", "/api/v1/services/portal"),
    "/api/v1/services/{service}/outages/{outage}": ("/api/v1/services/impor/outages/{number}",),
    "/api/v1/outages": (
        "/api/v1/outages", "/api/v1/outages?period=2026-04&service=impor", "/api/v1/outages?running=true",
        "/api/v1/outages?cause=database&excluded=planned",
    ),
    "/api/v1/figures/{period}": ("/api/v1/figures/2026", "/api/v1/figures/2026-04"),
    "/api/v1/nodes": ("/api/v1/nodes", "/api/v1/nodes?state=heard"),
    "/api/v1/nodes/{node}": (f"/api/v1/nodes/{REAL_NODE}",),
    "/api/v1/nodes/{node}/checks/{check}": (
        f"/api/v1/nodes/{REAL_NODE}/checks/web", "/api/v1/nodes/dc-app-02/checks/http?limit=3&kind=down",
        "/api/v1/nodes/dc-db-01/checks/pg?period=2026-04",
    ),
    "/api/v1/checks": ("/api/v1/checks", f"/api/v1/checks?state=down&node={REAL_NODE}"),
    "/api/v1/tokens": ("/api/v1/tokens",),
}  # fmt: skip
"""By the path that is described, what is asked."""

PROBLEMS = {
    "/api/v1/services?limit=0": 400,
    "/api/v1/services?limit=many": 400,
    "/api/v1/services?cursor=%21": 400,
    f"/api/v1/services?cursor={closed('gone')}": 400,
    "/api/v1/services?condition=fine": 400,
    "/api/v1/services/none": 404,
    f"/api/v1/services/{'x' * 300}": 404,
    "/api/v1/services/impor/outages/99999": 404,
    "/api/v1/services/none/outages/1": 404,
    "/api/v1/outages?service=none": 404,
    "/api/v1/outages?period=soon": 400,
    "/api/v1/outages?cause=magic": 400,
    "/api/v1/outages?running=perhaps": 400,
    "/api/v1/figures/soon": 400,
    "/api/v1/nodes?state=fine": 400,
    "/api/v1/nodes/none": 404,
    f"/api/v1/nodes/{REAL_NODE}/checks/none": 404,
    f"/api/v1/nodes/{REAL_NODE}/checks/web?kind=fine": 400,
    f"/api/v1/nodes/{REAL_NODE}/checks/web?period=soon": 400,
    "/api/v1/checks?state=fine": 400,
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReadingStage]:
    async with reading_stage(tmp_path_factory.mktemp("reading"), pace_ms=250) as running:
        yield running


def fits(path: str, answer: Read, method: str = "get") -> None:
    """Fails where the answer is another than the description says."""
    described = DESCRIBED["paths"][path][method]["responses"]
    assert str(answer.status) in described, (path, answer.status, answer.body)
    content = described[str(answer.status)].get("content", {})
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    assert kind in content, (path, answer.status, kind)
    if "schema" in content[kind]:
        jsonschema.validate(
            answer.told, {**content[kind]["schema"], "components": DESCRIBED["components"]},
            format_checker=jsonschema.FormatChecker(),
        )  # fmt: skip


async def whole_list(stage: ReadingStage, path: str, limit: int) -> list[Any]:
    """Read on by the Link of each answer to the end."""
    reader, found, query = stage.with_token("siti"), [], f"?limit={limit}"
    while True:
        answer = await reader.get(f"{path}{query}")
        found += answer.told["items"]
        link = answer.headers.get("Link", "")
        if not link:
            assert answer.told["next"] is None
            assert answer.told["total"] == len(found)
            return found
        query = link.removeprefix("<").partition(">")[0]


async def test_every_answer_fits_its_description(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    listed = (await reader.get("/api/v1/outages?service=impor")).told["items"]
    for described, paths in READ.items():
        for path in paths:
            answer = await reader.get(path.format(number=listed[0]["number"]))
            assert answer.status == 200, (path, answer.body)
            fits(described, answer)


async def test_every_refusal_is_a_problem_that_says_what_to_do(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    for path, status in PROBLEMS.items():
        answer = await reader.get(path)
        assert (answer.status, answer.told["status"]) == (status, status), path
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert len(answer.told["detail"]) > 10
        jsonschema.validate(
            answer.told,
            {"$ref": "#/components/schemas/ReadTrouble", "components": DESCRIBED["components"]},
        )


async def test_what_is_described_to_be_read_is_read_by_these_tests() -> None:
    gets = {path for path, methods in DESCRIBED["paths"].items() if "get" in methods and path.startswith("/api/v1/")}
    typed = {
        path for path in gets if "Read" in str(DESCRIBED["paths"][path]["get"]["responses"]["200"].get("content", {}))
    }
    assert typed == set(READ)


async def test_a_list_is_read_on_to_its_end_and_each_item_comes_once(stage: ReadingStage) -> None:
    outages = await whole_list(stage, "/api/v1/outages", 300)
    assert len({one["id"] for one in outages}) == len(outages) > MANY
    assert [one["from"] for one in outages] == sorted((one["from"] for one in outages), reverse=True)
    services = await whole_list(stage, "/api/v1/services", 3)
    assert [one["id"] for one in services] == ["impor", "ekspor", "manifes", "portal"]
    checks = await whole_list(stage, "/api/v1/checks", 1)
    assert [one["check"] for one in checks] == sorted(one["check"] for one in checks)
    assert f"{REAL_NODE}/web" in {one["check"] for one in checks}


async def test_what_has_not_changed_is_not_sent_again(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    number = (await reader.get("/api/v1/outages?service=impor")).told["items"][0]["number"]
    for paths in READ.values():
        path = paths[0].format(number=number)
        first = await reader.get(path)
        again = await reader.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status, again.body) == (304, b""), path
    before = await reader.get("/api/v1/services")
    board = stage.stage.source.current
    async with stage.showing(replace(board, services=board.services[:2])):
        after = await reader.get("/api/v1/services", If_None_Match=before.headers["ETag"])
    assert (after.status, after.told["total"]) == (200, 2)


async def test_the_figure_is_that_of_the_report(stage: ReadingStage) -> None:
    told = (await stage.with_token("siti").get("/api/v1/figures/2026-04")).told
    assert told["period"]["name"] == "2026-04"
    service = next(one for one in told["services"] if one["id"] == "impor")
    listed = (await stage.with_token("siti").get("/api/v1/outages?period=2026-04&service=impor")).told
    assert service["counted_ms"] == listed["counted_ms"] > 0
    assert sum(one["counted_ms"] for one in listed["items"]) == listed["counted_ms"]


async def test_the_pieces_of_an_outage_add_up_to_what_it_counts(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    listed = (await reader.get("/api/v1/outages?service=impor&period=2026-04")).told["items"]
    told = (await reader.get(f"/api/v1/services/impor/outages/{listed[0]['number']}")).told
    counted = [piece for piece in told["pieces"] if piece["fate"] == "counted"]
    assert told["outage"]["counted_ms"] == listed[0]["counted_ms"]
    assert counted
    assert all(piece["from"] < piece["to"] for piece in told["pieces"])


async def test_a_service_is_told_as_the_page_tells_it(stage: ReadingStage) -> None:
    board = figures(stage.stage).board_now()
    told = (await stage.with_token("siti").get("/api/v1/services?condition=")).told["items"]
    assert [(one["id"], one["condition"], one["year"]["counted_ms"]) for one in told] == [
        (one.id, one.condition.value, one.counted_ms) for one in board.services
    ]
    one = (await stage.with_token("siti").get("/api/v1/services/impor")).told
    assert [group["name"] for group in one["groups"]] == ["basis data", "jaringan", "probe"]
    assert len(one["days"]) == 90


async def test_where_nobody_signs_in_everybody_reads_everything(tmp_path: Path) -> None:
    async with reading_stage(tmp_path, sign_in=False) as stage:
        stranger = stage.stranger()
        for described in READ:
            if described.startswith(("/api/v1/tokens", "/api/v1/services/{service}/")):
                continue
            assert (await stranger.get(READ[described][0])).status == 200, described
        assert (await stranger.get(f"/api/v1/figures/{quote('2026-ytd')}")).status == 200
