"""A node's metrics over HTTP, from a real store."""

import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from detak_wire.messages import Metrics
from evidence_builders import NODE, first_beat
from running_collector import Running, running_collector

pytestmark = pytest.mark.asyncio


async def get(running: Running, node: str = NODE, **query: str | int) -> tuple[int, Any]:
    named = {name.rstrip("_"): str(value) for name, value in query.items()}
    async with running.session.get(f"{running.url}/api/v1/nodes/{node}/metrics", params=named) as answer:
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


async def deliver(running: Running, *points: Metrics, sent: int = 10_000_000) -> None:
    await running.deliver(replace(first_beat(sent=sent), metrics=list(points)))
    await running.metrics.store(time.time_ns() // 1_000_000)


async def test_what_an_agent_sent_is_told_in_columns(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        now = time.time_ns() // 1_000_000
        earlier = Metrics(9_880_000, 60_000, cpu_percent=10.0, latency_ms={"web": (1.5, 9.0)})
        later = Metrics(9_940_000, 60_000, cpu_percent=12.5, disk_used_percent={"/": 41.2})
        await deliver(running, earlier, later)
        status, told = await get(running)
        assert status == 200
        assert (told["node"], told["interval_ms"]) == (NODE, [60_000, 60_000])
        assert [abs(utc - now + ago) < 20_000 for utc, ago in zip(told["utc"], (120_000, 60_000), strict=True)]
        assert told["to"] - told["from"] == 86_400_000
        assert told["series"] == [
            {"name": "cpu_percent", "label": "", "mean": [10.0, 12.5], "greatest": [10.0, 12.5]},
            {"name": "disk_used_percent", "label": "/", "mean": [None, 41.2], "greatest": [None, 41.2]},
            {"name": "latency_ms", "label": "web", "mean": [1.5, None], "greatest": [9.0, None]},
        ]


async def test_no_more_points_are_told_than_were_asked_for(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        await deliver(running, *(Metrics(9_000_000 + at * 10_000, 10_000, cpu_percent=at) for at in range(60)))
        status, told = await get(running, points=1)
        assert (status, told["interval_ms"]) == (200, [600_000])
        assert told["series"][0] == {"name": "cpu_percent", "label": "", "mean": [29.5], "greatest": [59.0]}


async def test_a_time_without_metrics_is_empty(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        await deliver(running, Metrics(9_000_000, 60_000, cpu_percent=1.0))
        status, told = await get(running, from_=1_000, to=2_000)
        assert (status, told) == (
            200,
            {"node": NODE, "from": 1_000, "to": 2_000, "utc": [], "interval_ms": [], "series": []},
        )


@pytest.mark.parametrize("node", ["stranger", "A%20B", "%F0%9F%92%A9"])
async def test_a_node_that_nobody_knows_is_not_found(tmp_path: Path, node: str) -> None:
    async with running_collector(tmp_path) as running:
        status, problem = await get(running, node)
        assert (status, problem["error"]) == (404, "unknown")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "-1"}, "to"),
        ({"to": "9" * 15}, "to"),
        ({"to": "1" * 5_000}, "to"),
        ({"from": "2000", "to": "2000"}, "from"),
        ({"from": "0", "to": str(401 * 86_400_000)}, "from"),
        ({"points": "0"}, "points"),
        ({"points": "2001"}, "points"),
        ({"step": "60"}, "step"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused_with_its_place(
    tmp_path: Path, query: dict[str, str], path: str
) -> None:
    async with running_collector(tmp_path) as running:
        status, problem = await get(running, **query)
        assert (status, problem["error"], problem["path"]) == (400, "invalid", path)
