"""Tells of each node as soon as its deadline has passed: who waits for the page then sees it presumed down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Clock
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.operating.logs import fields
from detak_collector.watch import Watch

LEAST_MS, MOST_MS = 200, 1_000
"""Between two looks: where many fall silent one by one they are told of together."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Silence:
    """Of one serving process, used in its event loop only. Who does not listen finds nobody silent."""

    deadlines: Deadlines
    watch: Watch
    clock: Clock
    pulse: Pulse
    allowed_ms: Callable[[], int]
    _once_more: int | None = field(default=None, init=False)
    """When the page is told again: the other collector of a pair may have heard a node a little later."""

    async def run(self) -> None:
        """Looks each second, and the moment after the next deadline; for ever."""
        while True:
            again_ms = self.look()
            await asyncio.sleep(again_ms / 1_000)

    def look(self) -> int:
        """One step; returns after how many milliseconds to look again."""
        reading = self.clock()
        if self.watch.unheard or not self.watch.is_current(reading):
            return MOST_MS
        now, since = reading.boottime, self.watch.since.boottime
        if self._once_more is not None and now >= self._once_more:
            self._once_more = None
            self.pulse.beat()
        silent = self.deadlines.fell_silent(now, since)
        if silent:
            names, limit = ", ".join(silent), self.allowed_ms()
            _log.warning("not heard for more than %d ms: %s", limit, names, extra=fields(event="silent", nodes=names))
            self.pulse.beat()
            self._once_more = now + MOST_MS
        passes = self.deadlines.next_passes(since)
        return MOST_MS if passes is None else min(max(passes - now, LEAST_MS), MOST_MS)
