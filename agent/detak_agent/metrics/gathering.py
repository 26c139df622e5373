"""Makes a point now and then, beside everything else that an agent does. Whatever goes wrong costs that point only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.threads import Lane
from detak_agent.clocks import Clock
from detak_agent.metrics.latencies import Latencies
from detak_agent.metrics.points import Counters, Disks, point
from detak_agent.metrics.reading import Source
from detak_agent.metrics.waiting import WaitingPoints
from detak_agent.schedule import next_due

_log = logging.getLogger("detak_agent")

DEADLINE_MS = 3_000
"""For the filesystems: one that hangs leaves all of them out, until it answers."""

_SLOT = "metrics"

T = TypeVar("T")


class Gatherer:
    """Reads in daemon threads, of which a hung one holds up nothing but its own readings."""

    def __init__(self, source: Source, clock: Clock, latencies: Latencies, waiting: WaitingPoints) -> None:
        self._source = source
        self._clock = clock
        self._latencies = latencies
        self._waiting = waiting
        self._kernel = Lane()
        self._disks = Lane()
        self._before: Counters | None = None
        self._trouble = ""

    async def run(self, every_ms: int, sleep_until: Callable[[int], Awaitable[None]]) -> None:
        """For ever: a point each `every_ms`. The first one comes later, so that it has some time behind it."""
        due = next_due(_SLOT, every_ms, self._clock.begin() + every_ms // 2)
        await self.gather()
        while True:
            await sleep_until(due)
            await self.gather()
            due = next_due(_SLOT, every_ms, self._clock.begin())

    async def gather(self) -> None:
        """One point, unless this is the first reading."""
        try:
            await self._gather()
        except Exception as error:  # noqa: BLE001 - whatever it is, evidence goes on
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("no metrics: %s: %s", type(error).__name__, error)

    async def _gather(self) -> None:
        at = self._clock.begin()
        now = await _in_time(self._kernel, lambda: self._source.counters(at))
        if now is None:
            return
        if self._before is not None:
            disks = await _in_time(self._disks, self._source.disks) or Disks()
            made = point(self._before, now, disks, self._latencies.take())
            if made is not None:
                self._waiting.add(made)
        self._before = now


async def _in_time(lane: Lane, read: Callable[[], T]) -> T | None:
    try:
        return await lane.run(read, DEADLINE_MS)
    except (asyncio.TimeoutError, CouldNotCheckError):
        return None
