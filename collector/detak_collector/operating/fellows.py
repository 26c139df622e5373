"""Keeps what a collector remembers true while others write to the same store, and takes its turn at the common duty.

What of it decides a figure is read from the store each time and needs none of this: here are the keys, who was heard
lately, who speaks twice, and whether the page has news.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from detak_collector.board.pulse import Pulse
from detak_collector.channel.enrol import Keyring
from detak_collector.clocks import Reading
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import Ingest
from detak_collector.operating.logs import fields
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.parts import Store

LOOK_MS = 5_000
"""How often it is asked whom the others have heard, or three times within a node's deadline."""

T = TypeVar("T")

CLOCK_OFF_MS = 2_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Fellows:
    """Of one serving process, used in its event loop only; `thread` is the store's only writer."""

    store: Store
    thread: ThreadPoolExecutor
    keyring: Keyring
    deadlines: Deadlines
    ingest: Ingest
    pulse: Pulse
    _looked: int = field(default=0, init=False)
    _on_duty: bool | None = field(default=None, init=False)
    _is_off: bool = field(default=False, init=False)

    async def look(self, now: Reading, down_after_ms: int) -> None:
        """One step, each second. While the store cannot be reached there is nothing to learn."""
        try:
            if await self._call(self.store.registry.changed_elsewhere):
                await self._call(self.keyring.refill)
            if self.store.database.shared:
                await self._look_at_others(now, down_after_ms)
        except StoreUnavailableError as error:
            _log.debug("not looked at what others do: %s", error)
        self._tell_duty()

    async def _look_at_others(self, now: Reading, down_after_ms: int) -> None:
        began_s = asyncio.get_running_loop().time()
        await self._call(self.store.duty.take)
        # A balancer sends nothing to a collector that is in trouble: no beat would ever show that it is over.
        self.ingest.recovered()
        if await self._call(self.store.evidence.news_elsewhere):
            self.pulse.beat()
        if now.boottime - self._looked < min(LOOK_MS, down_after_ms // 3):
            return
        self._looked = now.boottime
        common = await self._call(self.store.duty.utc)
        took_ms = round((asyncio.get_running_loop().time() - began_s) * 1_000)
        self._tell_clock(now.utc, common, took_ms)
        heard = await asyncio.to_thread(self.store.registry.heard, now)
        at = {node: now.boottime - (now.utc - utc) for node, utc in heard.items() if utc is not None}
        if self.deadlines.heard_elsewhere(at):
            self.pulse.beat()
        for node, run, utc in await asyncio.to_thread(self.store.registry.several, now):
            self.ingest.rivals.spoke_elsewhere(node, run, now.boottime - (now.utc - utc))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def _tell_clock(self, utc: int, common: int | None, took_ms: int) -> None:
        """Collectors whose clocks differ note silences that were none. A database may take long to answer."""
        off_ms = 0 if common is None else utc - common
        is_off = abs(off_ms) > CLOCK_OFF_MS + took_ms
        if is_off and not self._is_off:
            _log.warning(
                "this machine's clock is %d ms %s the database's: set both by NTP",
                abs(off_ms), "ahead of" if off_ms > 0 else "behind", extra=fields(event="clock-off", off_ms=off_ms),
            )  # fmt: skip
        self._is_off = is_off

    def _tell_duty(self) -> None:
        is_mine = self.store.duty.is_mine
        if self.store.database.shared and is_mine is not self._on_duty:
            text = "this collector does the common work now" if is_mine else "another collector does the common work"
            _log.info("%s", text, extra=fields(event="duty", mine=is_mine))
        self._on_duty = is_mine
