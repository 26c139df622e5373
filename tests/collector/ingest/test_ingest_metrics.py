"""Metrics on their way to the store: apart from evidence, and never in its way."""

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from detak_collector.ingest.metrics import AT_ONCE, COMMITS, MOST_WAITING, MetricsIntake
from detak_collector.metrics import Moment, kept
from detak_collector.store.base import Arrival, StoreBrokenError, StoreUnavailableError
from detak_wire.codec import encode
from detak_wire.messages import Metrics
from evidence_builders import NODE, START_UTC, arrival, first_beat, reading
from running_collector import running_collector

LATER = 100_000
pytestmark = pytest.mark.asyncio


class Remembering:
    """A store that does as it is told."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, bytes]] = []
        self.sizes: list[int] = []
        self.tidied: list[int] = []
        self.failure: Exception | None = None

    def keep(self, found: Sequence[tuple[str, int, bytes]]) -> None:
        if self.failure is not None:
            raise self.failure
        self.kept += found
        self.sizes.append(len(found))

    def tidy(self, now_utc: int) -> None:
        self.tidied.append(now_utc)

    def read(self, node: str, begin_utc: int, end_utc: int, most: int) -> list[Moment] | None:
        return None


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def told(*measured: int) -> Arrival:
    points = [Metrics(at, 60_000, cpu_percent=12.5) for at in measured]
    return arrival(replace(first_beat(sent=LATER), metrics=points), reading(LATER))


async def test_what_arrived_is_kept_once_under_its_node_and_time(thread: ThreadPoolExecutor) -> None:
    store = Remembering()
    intake = MetricsIntake(store, thread)
    intake.take(told(1_000, 2_000))
    await intake.store(7)
    await intake.store(8)
    expected = [kept(NODE, Moment(START_UTC + at, 60_000, {0: {"": 125}})) for at in (1_000, 2_000)]
    assert store.kept == expected
    assert store.tidied == [7, 8]


@pytest.mark.parametrize("failure", [StoreBrokenError("gone"), sqlite3.ProgrammingError("closed"), ValueError("odd")])
async def test_a_store_that_fails_is_said_once_and_the_next_metrics_are_kept(
    thread: ThreadPoolExecutor, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = Remembering()
    intake = MetricsIntake(store, thread)
    store.failure = failure
    for _ in range(3):
        intake.take(told(1_000))
        await intake.store(7)
    assert [record.message for record in caplog.records] == [f"metrics are lost: {failure}"]
    store.failure = None
    intake.take(told(2_000))
    await intake.store(8)
    assert [utc for _, utc, _ in store.kept] == [START_UTC + 2_000]


async def test_of_more_than_can_wait_the_latest_are_kept(thread: ThreadPoolExecutor) -> None:
    store = Remembering()
    intake = MetricsIntake(store, thread)
    for number in range(MOST_WAITING // 50 + 1):
        intake.take(told(*(50 * number + at for at in range(50))))
    while len(store.tidied) < 20:
        await intake.store(7)
    assert len(store.kept) == MOST_WAITING
    assert store.kept[-1][1] == START_UTC + MOST_WAITING + 49


async def test_many_are_kept_in_small_commits_so_that_evidence_takes_its_turn_between_them(
    thread: ThreadPoolExecutor,
) -> None:
    store = Remembering()
    intake = MetricsIntake(store, thread)
    for number in range(MOST_WAITING // 50):
        intake.take(told(*(50 * number + at for at in range(50))))
    await intake.store(7)
    assert store.sizes == [AT_ONCE] * COMMITS
    await intake.store(8)
    assert len(store.kept) == MOST_WAITING


async def test_metrics_are_taken_once_the_evidence_beside_them_is_durable(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        message = replace(first_beat(), metrics=[Metrics(2_000, 60_000, cpu_percent=12.5)])
        running.evidence.failure = StoreUnavailableError("no")
        assert (await running.refusal(encode(message)))[0] == 503
        await running.metrics.store(START_UTC)
        assert running.rows("metric") == 0
        running.evidence.failure = None
        await running.deliver(message)
        await running.metrics.store(START_UTC)
        assert running.rows("metric") == 1


async def test_metrics_that_cannot_be_are_refused_with_their_place(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        message = replace(first_beat(), metrics=[Metrics(2_000, 60_000, cpu_percent=100.5)])
        status, problem = await running.refusal(encode(message))
        assert (status, problem.path) == (400, "$.metrics[0].cpu_percent")
        many = replace(first_beat(), metrics=[Metrics(2_000, 1)] * 61)
        assert (await running.refusal(encode(many)))[1].path == "$.metrics"
