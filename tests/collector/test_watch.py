import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.store.sqlite import open_store
from detak_collector.watch import Watch, interruption
from evidence_builders import START_UTC, reading


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (reading(2_000), None),
        (reading(3_500), None),
        (reading(3_501), "lagged"),
        (reading(2_000, utc=START_UTC + 2_500), None),
        (reading(2_000, utc=START_UTC + 2_501), "stepped"),
        (reading(2_000, utc=START_UTC + 1_499), "stepped"),
        (reading(2_000, boot="00000000"), "lagged"),
    ],
)
def test_time_counts_as_watched_unless_the_loop_lagged_or_utc_stepped(now: Reading, why: str | None) -> None:
    assert interruption(reading(1_000), now) == why


class Stage:
    """A watch over a real store, whose clock a test sets; each tick is asked for."""

    def __init__(self, directory: Path) -> None:
        self.now = reading(1_000)
        self.store = open_store(directory, self.now)
        self.thread = ThreadPoolExecutor(1)
        self.watch = Watch(self.store.watch, self.thread, lambda: self.now)

    def close(self) -> None:
        self.thread.shutdown()
        self.store.close()

    async def ticks_at(self, *moments: Reading) -> None:
        for self.now in moments:
            await self.watch.tick()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another process keeps the file to itself."""
        self.store.watch._connection.execute("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(self.store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    def watched(self) -> list[tuple[int, int]]:
        intervals = self.store.watch.watched(START_UTC - 100_000, START_UTC + 900_000)
        return [(begin - START_UTC, end - START_UTC) for begin, end in intervals]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with closing(Stage(tmp_path)) as stage:
        yield stage


def test_ticks_make_one_stretch(stage: Stage) -> None:
    asyncio.run(stage.ticks_at(*(reading(1_000 * second) for second in range(1, 8))))
    assert stage.watched() == [(1_000, 7_000)]


def test_a_lag_ends_the_stretch_at_its_last_tick(stage: Stage) -> None:
    asyncio.run(stage.ticks_at(reading(1_000), reading(2_000), reading(60_000), reading(61_000)))
    assert stage.watched() == [(1_000, 2_000), (60_000, 61_000)]


def test_a_step_of_utc_begins_a_new_stretch_on_the_new_time(stage: Stage) -> None:
    stepped = [reading(boottime, utc=START_UTC + boottime + 500_000) for boottime in (3_000, 4_000)]
    asyncio.run(stage.ticks_at(reading(1_000), reading(2_000), *stepped))
    assert stage.watched() == [(1_000, 2_000), (503_000, 504_000)]


def test_time_in_which_liveness_was_refused_is_not_watched(stage: Stage) -> None:
    asyncio.run(stage.ticks_at(reading(1_000), reading(2_000)))
    stage.watch.refused_liveness()
    asyncio.run(stage.ticks_at(reading(3_000), reading(4_000)))
    assert stage.watched() == [(1_000, 2_000), (3_000, 4_000)]


def test_while_the_store_takes_nothing_it_does_not_watch_and_then_goes_on(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(stage.ticks_at(reading(1_000), reading(2_000)))
    with stage.locked():
        asyncio.run(stage.ticks_at(reading(3_000), reading(4_000), reading(5_000)))
    asyncio.run(stage.ticks_at(reading(6_000), reading(7_000)))
    assert stage.watched() == [(1_000, 2_000), (6_000, 7_000)]
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(",")[0] for line in told] == ["not watching", "watching again"]


def test_after_its_end_nothing_is_watched(stage: Stage) -> None:
    asyncio.run(stage.ticks_at(reading(1_000), reading(2_000)))
    asyncio.run(stage.watch.end("stop"))
    assert stage.watched() == [(1_000, 2_000)]


def test_a_node_falls_silent_once_and_comes_back_once() -> None:
    deadlines = Deadlines(15_000, {"db-01": 1_000}, listening_since=500)
    assert deadlines.fell_silent(16_000) == []
    assert deadlines.fell_silent(16_001) == ["db-01"]
    assert deadlines.fell_silent(99_000) == []
    assert deadlines.heard("db-01", 99_500)
    assert not deadlines.heard("db-01", 100_500)
    assert deadlines.heard("app-01", 100_500)


def test_no_node_falls_silent_before_its_deadline_since_listening_began_anew() -> None:
    deadlines = Deadlines(15_000, {"db-01": 1_000}, listening_since=500)
    assert deadlines.fell_silent(99_000, listening_since=84_000) == []
    assert deadlines.fell_silent(99_001, listening_since=84_000) == ["db-01"]


def test_a_restarted_collector_gives_every_node_its_whole_deadline_again() -> None:
    deadlines = Deadlines(15_000, {"db-01": 1_000, "app-01": -5_000}, listening_since=90_000)
    assert deadlines.fell_silent(105_000) == []
    assert deadlines.fell_silent(105_001) == ["app-01", "db-01"]


def test_the_pulse_wakes_everyone_who_waits_and_does_not_hold_up_who_is_behind() -> None:
    async def play() -> list[int]:
        pulse = Pulse()
        waiting = [asyncio.create_task(pulse.wait(0)) for _ in range(2)]
        await asyncio.sleep(0)
        pulse.beat()
        pulse.beat()
        return [*await asyncio.gather(*waiting), await pulse.wait(1)]

    assert asyncio.run(play()) == [2, 2, 2]
