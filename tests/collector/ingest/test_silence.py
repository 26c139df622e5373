"""When a node that is heard no more is told of: at the moment at which its deadline passes."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.silence import LEAST_MS, MOST_MS, Silence
from detak_collector.store.base import WatchLog
from detak_collector.store.sqlite import open_store
from detak_collector.watch import Watch
from evidence_builders import reading


class Stage:
    """Two nodes heard at 1,000 and 3,000, by a collector that listens since 0; a test sets the clock, and it ticks."""

    def __init__(self, log: WatchLog, thread: ThreadPoolExecutor) -> None:
        self.now = reading(0)
        self.watch = Watch(log, thread, lambda: self.now)
        self.pulse = Pulse()
        self.deadlines = Deadlines(15_000, {"app-01": 1_000, "db-01": 3_000}, listening_since=0)
        self.silence = Silence(self.deadlines, self.watch, lambda: self.now, self.pulse, lambda: 15_000)

    def ticks_until(self, boottime: int) -> None:
        for at in range(self.now.boottime, boottime, 1_000):
            self.now = reading(at)
            asyncio.run(self.watch.tick())

    def looks_at(self, now: Reading) -> int:
        self.now = now
        return self.silence.look()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = open_store(tmp_path, reading(0))
    with ThreadPoolExecutor(1) as thread:
        made = Stage(store.watch, thread)
        asyncio.run(made.watch.begin())
        yield made
    store.close()


def test_it_looks_each_second_and_the_moment_after_a_deadline(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.ticks_until(9_000)
    assert stage.looks_at(reading(9_000)) == MOST_MS
    stage.ticks_until(15_600)
    assert stage.looks_at(reading(15_600)) == 401
    assert stage.pulse.version == 0
    stage.looks_at(reading(16_001))
    assert stage.pulse.version == 1
    assert caplog.messages == ["not heard for more than 15000 ms: app-01"]


def test_nodes_that_fall_silent_one_by_one_are_told_of_together(stage: Stage) -> None:
    stage.deadlines.heard("db-01", 1_050)
    stage.ticks_until(16_000)
    assert stage.looks_at(reading(16_001)) == LEAST_MS
    stage.looks_at(reading(16_001 + LEAST_MS))
    assert stage.pulse.version == 2


def test_who_does_not_listen_finds_nobody_silent(stage: Stage) -> None:
    stage.ticks_until(50_000)
    stage.watch.unheard = True
    assert stage.looks_at(reading(50_000)) == MOST_MS
    assert stage.pulse.version == 0


def test_after_a_stop_nobody_is_silent_before_the_whole_deadline_has_passed_anew(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.ticks_until(10_000)
    assert stage.looks_at(reading(90_000)) == MOST_MS
    stage.ticks_until(105_500)
    assert stage.looks_at(reading(105_000)) == LEAST_MS
    assert "not heard" not in caplog.text
    stage.looks_at(reading(105_001))
    assert "app-01, db-01" in caplog.text


def test_the_page_is_told_again_a_second_later_since_the_other_collector_may_have_heard_later(stage: Stage) -> None:
    stage.deadlines.heard("db-01", 14_000)
    stage.ticks_until(18_500)
    for at, version in ((16_001, 1), (16_900, 1), (17_001, 2), (18_002, 2)):
        stage.looks_at(reading(at))
        assert stage.pulse.version == version


def test_a_page_is_told_of_a_silence_without_waiting_for_the_next_second(stage: Stage) -> None:
    stage.ticks_until(16_000)

    async def play() -> None:
        stage.now = reading(15_950)
        running = asyncio.ensure_future(stage.silence.run())
        await asyncio.sleep(0)
        stage.now = reading(16_151)
        await stage.pulse.changed(0, within_s=0.9)
        running.cancel()

    asyncio.run(play())
    assert stage.pulse.version == 1
