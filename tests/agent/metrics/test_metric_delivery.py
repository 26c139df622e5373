from pathlib import Path

import pytest

from agent.collector_stand_in import StandIn, collector
from agent.delivery_rig import holds, rig
from detak_agent.connection import Reply
from detak_agent.refusals import NoMetricsError, refusal
from detak_wire.codec import encode
from detak_wire.messages import Metrics, Problem

pytestmark = pytest.mark.asyncio


def told(one: StandIn) -> list[int]:
    return [point.interval_ms for request in one.requests for point in request.metrics]


async def test_a_point_goes_with_a_beat_and_only_once(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        agent.station.points.add(Metrics(agent.clock.begin(), 7, cpu_percent=12.5))
        await agent.see()
        await one.until(lambda: told(one) == [7])
        before = len(one.requests)
        await agent.see("down")
        await one.until(lambda: len(one.requests) >= before + 3)
        assert told(one) == [7]
        assert one.requests[0].metrics[0].cpu_percent == 12.5


async def test_a_beat_without_a_point_is_not_a_byte_longer(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        await agent.see()
        await one.until(lambda: len(one.requests) >= 2)
        assert all(b"metrics" not in encode(request) for request in one.requests)


async def test_points_are_sent_until_an_answer_says_that_they_are_there(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.loses_answers = 2
        for number in (1, 2, 3):
            agent.station.points.add(Metrics(agent.clock.begin() + number, number))
        await agent.see()
        await one.until(lambda: len(one.requests) >= 4 and one.requests[-1].metrics == [])
        assert told(one) == [1, 2, 3] * 3


async def test_an_older_collector_gets_all_evidence_and_is_not_sent_metrics_again(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.knows_metrics = False
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        agent.station.points.add(Metrics(agent.clock.begin(), 1))
        await agent.see("down")
        await agent.see("up")
        await one.until(lambda: holds(one, agent.run))
        tried = len(one.sizes) - len(one.requests)
        agent.station.points.add(Metrics(agent.clock.begin(), 2))
        await agent.see("down")
        await one.until(lambda: holds(one, agent.run))
        assert [span.state for span in one.newest().spans("db")] == ["up", "down", "up", "down"]
        assert tried == 1
        assert told(one) == []


@pytest.mark.parametrize(
    ("path", "detail"), [("$", "Object contains unknown field `metrics`"), ("$.metrics[3].cpu_percent", "Expected ...")]
)
async def test_what_is_wrong_with_metrics_is_nothing_worse(path: str, detail: str) -> None:
    assert isinstance(refusal(Reply(400, {}, encode(Problem("invalid", detail, path)))), NoMetricsError)


async def test_a_message_that_is_wrong_otherwise_is_not_laid_to_metrics() -> None:
    error = refusal(Reply(400, {}, encode(Problem("invalid", "Expected `int`", "$.sent_agent"))))
    assert not isinstance(error, NoMetricsError)
