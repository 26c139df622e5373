"""What ends a run: the clock of a machine that slept, or of a process that goes on where time is another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.agent_fakes import LoopClock, open_journal
from agent.agent_fakes import opening as plain_opening
from detak_agent.checks.base import Surroundings
from detak_agent.checks.registry import REGISTRY
from detak_agent.config import parse
from detak_agent.delivery import RenewalError
from detak_agent.journal_thread import JournalThread
from detak_agent.life import Life, Machine
from detak_agent.run import Run
from detak_agent.systemd import Notifier

TICK_MS = 100


class SleepyClock(LoopClock):
    """Agent time goes on while the machine sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.slept_ms = 0
        self.set_back_ms = 0

    def begin(self) -> int:
        return super().begin() + 1_000_000 + self.slept_ms - self.set_back_ms

    def suspended(self) -> int:
        return self.slept_ms


@asynccontextmanager
async def living(directory: Path, clock: SleepyClock) -> AsyncIterator[Life]:
    text = f"""
        node = "node-1"
        state_directory = "{directory}"
        tick_ms = {TICK_MS}
        metrics_ms = 0
        [[collector]]
        url = "http://127.0.0.1:9"
    """
    journal, thread = open_journal(directory, "http://127.0.0.1:9"), JournalThread()
    run = Run("00000000000000d1", plain_opening(tick_ms=TICK_MS, opened=clock.begin()))
    journal.begin_run(run.identity, run.opening, 0)
    machine = Machine(clock, Surroundings(directory), lambda: 0.5, Notifier())
    life = Life(parse(text, REGISTRY), run, journal, thread, machine)
    life.begin()
    try:
        yield life
    finally:
        await life.end(None)
        await thread.call(journal.close)
        thread.end(5)


@pytest.mark.asyncio
async def test_a_machine_that_was_suspended_begins_a_new_run(tmp_path: Path) -> None:
    clock = SleepyClock()
    async with living(tmp_path, clock) as life:
        await asyncio.sleep(0.15)
        clock.slept_ms = 5_400
        with pytest.raises(RenewalError, match=r"^this machine was suspended for 5\.4 s$"):
            await asyncio.wait_for(life.failed(), 5)


@pytest.mark.asyncio
async def test_a_process_whose_time_runs_backwards_begins_a_new_run_and_does_not_wait_it_out(tmp_path: Path) -> None:
    clock = SleepyClock()
    async with living(tmp_path, clock) as life:
        await asyncio.sleep(0.15)
        clock.set_back_ms = 900_000
        with pytest.raises(RenewalError, match=r"^agent time ran backwards: "):
            await asyncio.wait_for(life.failed(), 5)


@pytest.mark.asyncio
async def test_a_run_outlives_a_suspend_too_short_to_matter(tmp_path: Path) -> None:
    clock = SleepyClock()
    async with living(tmp_path, clock) as life:
        await asyncio.sleep(0.15)
        clock.slept_ms = 900
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(life.failed(), 0.5)
