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
from detak_collector.store.sqlite import open_store
from detak_collector.watch import Watch
from evidence_builders import reading


class Stage:
    """Two nodes heard at 1,000 and 3,000, by a collector that listens since 0; a test sets the clock."""

    def __init__(self, watch: Watch) -> None:
        self.now = reading(3_000)
        self.watch = watch
        self.pulse = Pulse()
        self.deadlines = Deadlines(15_000, {"app-01": 1_000, "db-01": 3_000}, listening_since=0)
        self.silence = Silence(self.deadlines, watch, lambda: self.now, self.pulse, lambda: 15_000)

    def looks_at(self, now: Reading) -> int:
        self.now = now
        return self.silence.look()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = open_store(tmp_path, reading(0))
    with ThreadPoolExecutor(1) as thread:
        yield Stage(Watch(store.watch, thread, lambda: reading(0)))
    store.close()


def test_it_looks_each_second_and_the_moment_after_a_deadline(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    assert stage.looks_at(reading(9_000)) == MOST_MS
    assert stage.looks_at(reading(15_600)) == 401
    assert stage.pulse.version == 0
    stage.looks_at(reading(16_001))
    assert stage.pulse.version == 1
    assert caplog.messages == ["not heard for more than 15000 ms: app-01"]


def test_nodes_that_fall_silent_one_by_one_are_told_of_together(stage: Stage) -> None:
    stage.deadlines.heard("db-01", 1_050)
    assert stage.looks_at(reading(16_001)) == LEAST_MS
    stage.looks_at(reading(16_001 + LEAST_MS))
    assert stage.pulse.version == 2
    assert stage.looks_at(reading(20_000)) == MOST_MS


def test_who_does_not_listen_finds_nobody_silent(stage: Stage) -> None:
    stage.watch.unheard = True
    assert stage.looks_at(reading(50_000)) == MOST_MS
    assert stage.pulse.version == 0


def test_a_page_is_told_of_a_silence_without_waiting_for_the_next_second(stage: Stage) -> None:
    async def play() -> None:
        stage.now = reading(15_950)
        running = asyncio.ensure_future(stage.silence.run())
        await asyncio.sleep(0)
        stage.now = reading(16_151)
        await stage.pulse.changed(0, within_s=0.9)
        running.cancel()

    asyncio.run(play())
    assert stage.pulse.version == 1
