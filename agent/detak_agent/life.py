"""Everything that happens during one run, side by side: samples, ticks, commits and deliveries.

Nothing here decides what a sample means; this is where the clock, the journal and the network meet the pure parts.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from detak_agent.checks.base import Surroundings
from detak_agent.checks.loading import Turns
from detak_agent.clocks import Clock
from detak_agent.composing import Stopping
from detak_agent.config import AgentConfig, CollectorSettings
from detak_agent.delivery import Courier, Link, RenewalError, Station
from detak_agent.ending import end_all
from detak_agent.journal import Journal
from detak_agent.journal_thread import JournalThread
from detak_agent.metrics.gathering import Gatherer
from detak_agent.metrics.latencies import Latencies
from detak_agent.metrics.reading import Source, selections
from detak_agent.metrics.waiting import WaitingPoints
from detak_agent.run import Run
from detak_agent.runner import Sampler, Starvation
from detak_agent.schedule import first_due, grid_ms, next_due
from detak_agent.spans import Sample
from detak_agent.systemd import Notifier
from detak_agent.way import way_to
from detak_wire.messages import StopReason

_log = logging.getLogger("detak_agent")

JUMP_MS = 1_000
"""A machine that was suspended for longer begins a new run, whose opening tells how long; so does one set back."""

FAREWELL_S = 2.0
"""How long the last beat may take."""


def random_identity() -> str:
    """What a new run is called."""
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
class Machine:
    """The outside world, as it is handed in."""

    clock: Clock
    surroundings: Surroundings
    random: Callable[[], float]
    notifier: Notifier
    connect: Callable[[AgentConfig, CollectorSettings], Link] = way_to
    identity: Callable[[], str] = random_identity


class Life:
    """One run while it lasts."""

    def __init__(
        self, config: AgentConfig, run: Run, journal: Journal, thread: JournalThread, machine: Machine
    ) -> None:
        self._config = config
        self._run = run
        self._journal = journal
        self._thread = thread
        self._machine = machine
        self._clock = machine.clock
        self._starvation = Starvation(config.tick_ms)
        self._grid_ms = grid_ms(check.settings.interval_ms for check in config.checks)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._commit_wanted = asyncio.Event()
        self._is_urgent = False
        self._turns = Turns()
        self._latencies = Latencies()
        self._points = WaitingPoints()
        self._couriers: list[Courier] = []
        self._delivering: list[asyncio.Task[None]] = []
        self._working: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Start every task. The first tick is now, and its commit wakes the couriers."""
        self._run.tick(self._clock.begin())
        self._commit_wanted.set()
        samplers = (
            Sampler(check, self._machine.surroundings, self._clock, self._starvation) for check in self._config.checks
        )
        self._working = [self._start(self._tick()), self._start(self._commit())]
        self._working += [self._start(self._sample(one)) for one in samplers]
        if self._config.metrics_ms:
            self._working.append(self._start(self._gatherer().run(self._config.metrics_ms, self._sleep_until)))
        self._begin_delivery(self._config.collectors)

    async def change_collectors(self, collectors: Sequence[CollectorSettings]) -> None:
        """A reload that changes nothing of what is measured: the run goes on, the deliveries begin anew."""
        await self._end_delivery()
        await self._thread.call(self._journal.outbox.configure, [one.url for one in collectors])
        self._begin_delivery(collectors)
        self._wake()

    async def failed(self) -> None:
        """Waits until a task ends, which none does by itself, and raises what ended it; RenewalError among others."""
        await asyncio.wait({self._failure})
        self._failure.result()

    async def end(self, reason: StopReason | None) -> None:
        """Close every span as at its last sample, durably; a run that stops says so to every collector."""
        await end_all(self._working)
        await self._end_delivery()
        for courier in self._couriers:
            for stamps in courier.exchanges_left():
                self._run.keep(stamps)
        now = self._clock.begin()
        commit = self._run.end(reason, now)
        await self._thread.call(self._journal.commit, commit, self._clock.utc())
        self._run.committed(commit)
        if reason is not None and reason != "reload":
            await self._say_farewell(Stopping(reason, now))
        for courier in self._couriers:
            courier.close()

    async def give_up(self) -> None:
        """The journal takes nothing any more: the collectors are told, so that this silence is not the host's."""
        await end_all(self._working)
        await self._end_delivery()
        await self._say_farewell(Stopping("failed", self._clock.begin()))
        for courier in self._couriers:
            courier.close()

    async def _say_farewell(self, stopping: Stopping) -> None:
        partings = [asyncio.ensure_future(courier.farewell(stopping)) for courier in self._couriers]
        if partings:
            _, late = await asyncio.wait(partings, timeout=FAREWELL_S)
            await end_all(late)

    async def _tick(self) -> None:
        due, suspended_ms = self._next_tick(), self._run.opening.suspended_ms
        self._starvation.ticked(self._clock.begin(), due)
        while True:
            await self._sleep_until(due)
            now = self._clock.begin()
            slept_ms = self._clock.suspended() - suspended_ms
            if slept_ms >= JUMP_MS:
                raise RenewalError(f"this machine was suspended for {slept_ms / 1_000:.1f} s")
            self._run.tick(now)
            due = self._next_tick()
            self._starvation.ticked(now, due)
            self._commit_wanted.set()

    def _next_tick(self) -> int:
        return next_due("", self._config.tick_ms, self._clock.begin())

    async def _sample(self, sampler: Sampler) -> None:
        name, interval_ms = sampler.settings.name, sampler.settings.interval_ms
        await self._sleep_until(first_due(name, interval_ms, self._clock.begin()))
        await sampler.prepare(self._turns)
        while True:
            sample = await sampler.sample()
            self._take(sample)
            self._latencies.add(sample, sampler.values)
            await self._sleep_until(next_due(name, interval_ms, self._clock.begin(), self._grid_ms))

    def _take(self, sample: Sample) -> None:
        if self._run.add(sample):
            _log.info("check %s: %s%s", sample.check, sample.state, f": {sample.message}" if sample.message else "")
            self._commit_wanted.set()

    def _gatherer(self) -> Gatherer:
        watched = selections(check.settings for check in self._config.checks)
        source = Source(self._machine.surroundings.root, self._config.state_directory, watched)
        return Gatherer(source, self._clock, self._latencies, self._points)

    async def _commit(self) -> None:
        """One commit at a time; what came while the disk was busy goes into the next one."""
        while True:
            await self._commit_wanted.wait()
            self._commit_wanted.clear()
            is_urgent, self._is_urgent = self._is_urgent, False
            before = self._run.durable
            commit = self._run.take()
            losses = await self._thread.call(self._journal.commit, commit, self._clock.utc())
            self._run.committed(commit)
            for loss in losses:
                self._run.lose(loss)
            if is_urgent or before.last_number == 0 or commit.edges > before.edges:
                self._wake()

    def _commit_soon(self) -> None:
        """Commit now, and deliver as soon as that is durable."""
        self._is_urgent = True
        self._commit_wanted.set()

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _begin_delivery(self, collectors: Sequence[CollectorSettings]) -> None:
        station = Station(
            node=self._config.node,
            state_directory=self._config.state_directory,
            beat_ms=self._config.beat_ms,
            run=self._run,
            journal=self._journal,
            thread=self._thread,
            clock=self._clock,
            random=self._machine.random,
            commit_soon=self._commit_soon,
            points=self._points,
        )
        self._couriers = [Courier(station, one, self._machine.connect(self._config, one)) for one in collectors]
        self._delivering = [self._start(courier.deliver()) for courier in self._couriers]

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)

    async def _end_delivery(self) -> None:
        await end_all(self._delivering)
        self._delivering = []

    async def _sleep_until(self, due: int) -> None:
        # The loop's clock is steered and may run ahead of agent time: it is asked again until it is really due.
        now = self._clock.begin()
        while now < due:
            await asyncio.sleep((due - now) / 1_000)
            earlier, now = now, self._clock.begin()
            if now < earlier - JUMP_MS:
                raise RenewalError("agent time ran backwards: this process was set back, or moved to another machine")
