"""What a serving collector does beside receiving: it looks after itself, and tells of outages, alarms and its own life.

Nothing here may end the collector or hold up evidence: what fails is logged once, and is tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from detak_collector.board.glance import Glance
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Clock
from detak_collector.operating.alarms import Alarm, changes, disk_alarms, syslog_alarm
from detak_collector.operating.counters import jobs, latency, refusals
from detak_collector.operating.disk import (
    SAMPLE_EVERY_MS,
    Disk,
    Sample,
    in_words,
    load_history,
    measured,
    save_history,
    with_sample,
)
from detak_collector.operating.events import Event
from detak_collector.operating.logs import fields
from detak_collector.operating.outage_news import OutageNews
from detak_collector.operating.syslog import Syslog
from detak_collector.operating.syslog_format import Destination

LOOK_S = 2.0
HEARTBEAT_S = 60.0
MINUTE_S = 60.0
NEWS_LEAST_S = 2.0
NEWS_MOST_S = 30.0
NEWS_LEISURE = 20
"""The page's data is derived for news no longer than a twentieth of the time: it takes turns with evidence.

After the first time, when everything is derived, it waits no longer than NEWS_MOST_S: that took many times as long.
"""
FLUSH_S = 3.0
UNTOLD_MS = 15_000
"""Of what happened so long ago, whoever takes the duty over tells once more: the one before it may not have."""

_log = logging.getLogger(__name__)

AlarmSource = Callable[[int], Iterable[Alarm]]


@dataclass(slots=True)
class Upkeep:
    """Of one serving process, used in its event loop only. `sources` are asked for their alarms with the UTC."""

    state_directory: Path
    clock: Clock
    pulse: Pulse
    sources: tuple[AlarmSource, ...]
    heard_of: Callable[[int], tuple[int, int]]
    """How many nodes are heard at a BOOTTIME, and how many there are."""
    is_on_duty: Callable[[], bool] = lambda: True
    """Whether it is this collector, of those that share a store, that tells of outages."""
    each_minute: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What else is done each minute, by its name."""
    disk: Disk | None = field(default=None, init=False)
    alarms: tuple[Alarm, ...] = field(default=(), init=False)
    syslog: Syslog | None = field(default=None, init=False)
    _sending: asyncio.Task[None] | None = field(default=None, init=False)
    _history: tuple[Sample, ...] = field(default=(), init=False)
    _untold: list[Event] = field(default_factory=list, init=False)
    _troubles: dict[str, str] = field(default_factory=dict, init=False)
    _beaten: tuple[int, int] = field(default=(0, 0), init=False)

    def told(self) -> tuple[str, ...]:
        """What somebody must see to, the urgent first."""
        return tuple(one.text for one in sorted(self.alarms, key=lambda one: not one.is_urgent))

    def send_to(self, destination: Destination | None) -> None:
        """From now on events go there; None: to the log alone. What waits for another server is let go."""
        if self.syslog is not None and self.syslog.to == destination:
            return
        if self._sending is not None:
            self._sending.cancel()
        self.syslog = self._sending = None
        if destination is not None:
            self.syslog = Syslog(destination)
            self._sending = asyncio.create_task(self.syslog.run(), name="syslog")

    def tell(self, event: Event) -> None:
        """To the log, and to the syslog server if there is one."""
        _log.log(event.level, "%s", event.text, extra=fields(**event.told))
        if self.syslog is not None:
            self.syslog.tell(event)

    def audit(self, name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:
        """Something that belongs into the audit trail."""
        self.tell(Event("audit", name, self.clock().utc, text, level, told))

    async def run(self, glance: Callable[[], Awaitable[Glance]]) -> None:
        """Looks after everything for ever. `glance` derives what the page shows now."""
        self._history = await asyncio.to_thread(load_history, self.state_directory)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(LOOK_S, "look", self.look))
            group.create_task(self._every(HEARTBEAT_S, "heartbeat", self.heartbeat))
            for name, work in self.each_minute.items():
                group.create_task(self._every(MINUTE_S, name, work))
            group.create_task(self._news(glance))

    async def close(self) -> None:
        """Sends what is left, within a moment."""
        if self.syslog is not None and self._sending is not None:
            await self.syslog.flushed(FLUSH_S)
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def look(self) -> None:
        """Looks at the disk and gathers the alarms; what has changed is told, and shown on the page."""
        self.disk = await asyncio.to_thread(measured, self.state_directory, self._history)
        await self._note(self.disk)
        now = self.clock().utc
        fresh = tuple(alarm for source in (*self.sources, self._own_alarms) for alarm in source(now))
        before, self.alarms = self.alarms, fresh
        told = list(changes(before, fresh, now))
        for event in told:
            self.tell(event)
        if told:
            self.pulse.beat()

    async def heartbeat(self) -> None:
        """A sign of life: its absence is what an alarm elsewhere is made of."""
        now = self.clock()
        heard, known = self.heard_of(now.boottime)
        beats, refused = sum(latency.buckets), sum(refusals.counts.values())
        before, self._beaten = self._beaten, (beats, refused)
        free = "unknown" if self.disk is None else in_words(self.disk.free_bytes)
        text = f"alive: {heard} of {known} nodes heard, {free} of disk free, {len(self.alarms)} alarms"
        told = {
            "nodes": known,
            "heard": heard,
            "beats": beats - before[0],
            "refused": refused - before[1],
            "alarms": len(self.alarms),
        }
        event = Event("heartbeat", "alive", now.utc, text, fields=told)
        _log.debug("%s", event.text, extra=fields(**event.told))
        if self.syslog is not None:
            self.syslog.tell(event)

    async def _news(self, glance: Callable[[], Awaitable[Glance]]) -> None:
        news = OutageNews()

        async def look() -> None:
            since = self.clock().utc - UNTOLD_MS
            self._untold = [one for one in (*self._untold, *news.of(await glance())) if one.utc >= since]
            if self.is_on_duty():
                untold, self._untold = self._untold, []
                for event in untold:
                    self.tell(event)

        is_first = True
        while True:
            version, begun = self.pulse.version, asyncio.get_running_loop().time()
            await self._safely("outages", look)
            took_s = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(rest_s(took_s, is_first=is_first))
            is_first = False
            await self.pulse.changed(version, NEWS_MOST_S - NEWS_LEAST_S)

    async def _every(self, length_s: float, job: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._safely(job, work)
            await asyncio.sleep(length_s)

    async def _safely(self, job: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does it; a failure is logged when it begins or becomes another one, and never raised."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - upkeep that fails must not end the collector
            trouble = f"{type(error).__name__}: {error}"
            if self._troubles.get(job) != trouble:
                self._troubles[job] = trouble
                _log.warning(
                    "%s failed and is tried again: %s", job, trouble, exc_info=_log.isEnabledFor(logging.DEBUG)
                )
        else:
            self._troubles.pop(job, None)
            jobs.done(job, self.clock().utc)

    async def _note(self, disk: Disk) -> None:
        """Keeps a sample of the disk each hour, for the forecast; a disk that is full costs the sample only."""
        now = self.clock().utc
        if self._history and 0 <= now - self._history[-1].utc < SAMPLE_EVERY_MS:
            return
        self._history = with_sample(self._history, Sample(now, disk.free_bytes, disk.store_bytes))
        try:
            await asyncio.to_thread(save_history, self.state_directory, self._history)
        except OSError as error:
            _log.debug("the disk's history is not kept: %s", error)

    def _own_alarms(self, _: int) -> Iterable[Alarm]:
        if self.disk is not None:
            yield from disk_alarms(self.disk)
        if self.syslog is not None:
            yield from syslog_alarm(self.syslog.trouble, self.syslog.lost)


def rest_s(took_s: float, *, is_first: bool) -> float:
    """How long no news is looked for after a look that took so long, both in seconds."""
    rest = max(NEWS_LEAST_S, NEWS_LEISURE * took_s)
    return min(rest, NEWS_MOST_S) if is_first else rest
