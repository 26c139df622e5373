"""The collector's own liveness: a durable tick each second, so that its silence is never laid to the nodes.

A stretch of watching ends where the loop lagged, where UTC stepped, or where liveness was refused; there is none
while the nodes refuse the collector's certificate.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from detak_collector.clocks import Clock, Reading
from detak_collector.store.base import StoreUnavailableError, WatchLog

TICK_S = 1.0
LAG_MS = 2_500
STEP_MS = 500

_log = logging.getLogger(__name__)

AfterTick = Callable[[Reading], Awaitable[None]]


def interruption(before: Reading, now: Reading) -> str | None:
    """Why the time between two ticks does not count as watched; None if it does."""
    passed = now.boottime - before.boottime
    if passed > LAG_MS or before.boot != now.boot:
        return "lagged"
    if abs((now.utc - before.utc) - passed) > STEP_MS:
        return "stepped"
    return None


class Watch:
    """Keeps the watch log; `thread` is the store's only writer, so that a store that hangs is not watching."""

    def __init__(self, log: WatchLog, thread: ThreadPoolExecutor, clock: Clock, tick_s: float = TICK_S) -> None:
        self._log = log
        self._thread = thread
        self._clock = clock
        self._tick_s = tick_s
        self._row: int | None = None
        self._last = clock()
        self._refused = False
        self._trouble = ""
        self.since = self._last
        """When the running stretch began."""
        self.unheard = False
        """Most nodes cannot be heard, and not because of them: what is not listened to is not watched."""

    @property
    def latest(self) -> Reading:
        """Its last tick that was made durable."""
        return self._last

    @property
    def trouble(self) -> str:
        """Why the latest tick could not be made durable; empty where it was."""
        return self._trouble

    def is_current(self, now: Reading) -> bool:
        """Whether a stretch is open at this moment, and its last tick not overdue: who listens, watches."""
        return self._row is not None and interruption(self._last, now) is None

    def refused_liveness(self) -> None:
        """A beat was turned away: who is not listened to is not watched."""
        self._refused = True

    async def run(self, after_tick: AfterTick) -> None:
        """Ticks for ever, once begun; raises StoreBrokenError when the store cannot be relied on any more."""
        while True:
            await asyncio.sleep(self._tick_s)
            await self.tick()
            await after_tick(self._last)

    async def tick(self) -> None:
        """One step of `run`. While the store takes nothing there is no watch, and once it does a new one begins."""
        try:
            await self._tick()
        except StoreUnavailableError as error:
            self._refused = True
            self._note(str(error))
        else:
            self._note("")

    async def _tick(self) -> None:
        now = self._clock()
        if self.unheard:
            await self.end("unheard")
            self._last = now
            return
        why = "refused" if self._refused else interruption(self._last, now)
        self._refused = False
        if self._row is None or why is not None:
            await self.end(why or "lagged")
            await self.begin()
        else:
            await self._call(self._log.extend, self._row, now)
            self._last = now

    async def end(self, why: str) -> None:
        """Closes the stretch as far as its last tick."""
        if self._row is not None:
            await self._call(self._log.end, self._row, why)
            self._row = None

    async def begin(self) -> None:
        """Opens a stretch at this moment."""
        now = self._clock()
        self._row = await asyncio.get_running_loop().run_in_executor(self._thread, self._log.begin, now)
        self._last = self.since = now

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.error("not watching, since nothing can be stored: %s", trouble)
        elif self._trouble and not trouble:
            _log.warning("watching again")
        self._trouble = trouble

    async def _call(self, function: Callable[..., None], *values: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, function, *values)
