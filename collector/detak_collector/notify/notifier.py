"""What a serving collector does to tell people: it looks, decides, keeps what is to be told, and sends it.

Nothing here may end the collector or hold up evidence. Of a pair only the collector that leads tells anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from detak_collector.annotations.known import KnownAnnotations
from detak_collector.board.glance import Glance
from detak_collector.clocks import Clock
from detak_collector.config import Config
from detak_collector.downtime.intervals import Intervals
from detak_collector.notify.alertmanager import Alerts, Batch
from detak_collector.notify.deciding import Memory, decide
from detak_collector.notify.items import Fate, Item, Seen, number_of, outage_matter
from detak_collector.notify.queue import next_try
from detak_collector.notify.seeing import Known, seen_of
from detak_collector.notify.sending import JSON, NotTakenError, post, send
from detak_collector.notify.targets import Target, TargetError, Way
from detak_collector.notify.wording import Reader
from detak_collector.operating.alarms import Alarm
from detak_collector.rules import Rules
from detak_collector.store.base import NodeRow
from detak_collector.store.parts import Store
from detak_collector.translation.language import language
from detak_collector.translation.saying import saying

LOOK_S = 1.0
LOOK_EVERY_MS = 10_000
NODES_EVERY_MS = 30_000
SETTLE_EVERY_MS = 60_000
LATELY_MS = 7 * 86_400_000
"""A collector that was away for longer has more to do than to say so."""
TROUBLED_MS = 300_000
"""So long a target takes nothing before there is an alarm."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Around:
    """What the notifier asks of the collector. `since`: the UTC from which on it has listened.

    `leads`: whether this collector leads its pair; `is_on_duty`: whether it is the one that tells, of those that share
    a store. `glance` is None until a board was derived, or while none is.
    """

    config: Callable[[], Config]
    rules: Callable[[], Rules]
    glance: Callable[[], Glance | None]
    since: Callable[[], int]
    leads: Callable[[], bool]
    is_on_duty: Callable[[], bool]


@dataclass(slots=True)
class Notifier:
    """Of one serving process, used in its event loop only."""

    store: Store
    clock: Clock
    around: Around
    look_s: float = LOOK_S
    _annotations: KnownAnnotations = field(init=False)
    _memories: dict[str, Memory] = field(default_factory=dict, init=False)
    _rules: Rules | None = field(default=None, init=False)
    _looked: tuple[int, int] | None = field(default=None, init=False)
    _observation: tuple[int, tuple[NodeRow, ...], Intervals] | None = field(default=None, init=False)
    _settled: int | None = field(default=None, init=False)
    _sending: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _failing: dict[str, tuple[int, str]] = field(default_factory=dict, init=False)
    _alerts: dict[str, Alerts] = field(default_factory=dict, init=False)
    _trouble: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._annotations = KnownAnnotations(self.store.database)

    async def run(self) -> None:
        """Looks and sends for ever; what fails is logged when it begins, and tried again."""
        async with aiohttp.ClientSession(trust_env=True) as session:
            try:
                while True:
                    await self._safely(session)
                    await asyncio.sleep(self.look_s)
            finally:
                for one in self._sending.values():
                    one.cancel()
                await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def alarms(self, now: int) -> Iterator[Alarm]:
        """Of targets that take nothing. The page may be public: the log tells why."""
        names = sorted(name for name, (since, _) in self._failing.items() if now - since >= TROUBLED_MS)
        if names:
            told = ", ".join(names)
            text = saying(
                "notifications are not taken by {names}: they are kept and tried again; `notify list` says why",
                names=told,
            )
            yield Alarm("notify", is_urgent=False, text=text)

    async def _safely(self, session: aiohttp.ClientSession) -> None:
        try:
            await self._round(session)
        except Exception as error:  # noqa: BLE001 - telling that fails must not end the collector
            trouble = f"{type(error).__name__}: {error}"
            if trouble != self._trouble:
                _log.warning("notifications wait and are tried again: %s", trouble)
            self._trouble = trouble
        else:
            self._trouble = ""

    async def _round(self, session: aiohttp.ClientSession) -> None:
        now = self.clock().utc
        targets = self.around.config().notify
        self._failing = {name: one for name, one in self._failing.items() if name in {each.name for each in targets}}
        if targets and (self._settled is None or now - self._settled >= SETTLE_EVERY_MS):
            await self._settle({one.name for one in targets}, now)
        if not targets or not self._may_tell():
            self._memories.clear()
            return
        self._rules = await asyncio.to_thread(self.around.rules)
        glance = self.around.glance()
        if glance is not None and self._is_worth_a_look(glance, now):
            await self._look(session, targets, glance)
            self._looked = glance.now, now
        for target in targets:
            if target.way is not Way.ALERTMANAGER:
                self._start(target.name, partial(self._deliver, session, target))

    def _may_tell(self) -> bool:
        return self.around.leads() and self.around.is_on_duty()

    def _is_worth_a_look(self, glance: Glance, now: int) -> bool:
        """A board that is new; or something is due soon, if only by time."""
        is_due = any(one.due for one in self._memories.values())
        return self._looked is None or self._looked[0] != glance.now or is_due or now - self._looked[1] >= LOOK_EVERY_MS

    async def _settle(self, names: set[str], now: int) -> None:
        leads = self.around.leads()
        if self.around.is_on_duty():
            await asyncio.to_thread(self.store.notices.settle, names, now, leads=leads)
        self._settled = now

    async def _look(self, session: aiohttp.ClientSession, targets: tuple[Target, ...], glance: Glance) -> None:
        now = self.clock().utc
        seen, told = await asyncio.to_thread(self._seen, glance, now)
        for target in targets:
            if target.way is Way.ALERTMANAGER:
                self._post_alerts(session, target, seen, now)
                continue
            memory = self._memories.get(target.name, Memory())
            decision = decide(target.choice, told.get(target.name, {}), seen, memory)
            if decision.messages:
                await asyncio.to_thread(self.store.notices.add, decision.messages)
            self._memories[target.name] = decision.memory

    def _seen(self, glance: Glance, now: int) -> tuple[Seen, Mapping[str, Mapping[str, Item]]]:
        told = self.store.notices.told(now)
        open_ = {matter for items in told.values() for matter, one in items.items() if not one.over}
        assert self._rules is not None, "each round begins with them"
        nodes, watched = self._observed(now)
        known = Known(
            self._rules,
            nodes,
            self.around.since(),
            self._acknowledged(),
            lambda: self._fates(open_),
            self.around.config().seal.coverage,
            watched,
        )
        return seen_of(glance, known, now), told

    def _observed(self, now: int) -> tuple[tuple[NodeRow, ...], Intervals]:
        """The nodes, and when this collector was there lately; looked up each half minute: there may be thousands."""
        if self._observation is None or now - self._observation[0] >= NODES_EVERY_MS:
            nodes = tuple(self.store.registry.listing(self.clock()))
            self._observation = now, nodes, self.store.watch.watched(now - LATELY_MS, now)
        return self._observation[1:]

    def _acknowledged(self) -> frozenset[int]:
        outages = self._annotations.told().outages
        return frozenset(number for number, one in outages.items() if one.acknowledgements)

    def _fates(self, matters: set[str]) -> dict[str, Fate]:
        numbers = [number for matter in matters if (number := number_of(matter)) is not None]
        known = [one for number in numbers if (one := self.store.outages.known(number)) is not None]
        return {outage_matter(one.number): Fate(one.end, one.merged_into) for one in known}

    def _start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begins a piece of work of a target, unless it is at one: a slow one holds up no other."""
        task = self._sending.get(name)
        if task is None or task.done():
            self._sending[name] = asyncio.create_task(self._guarded(name, work()), name=f"notify {name}")

    async def _guarded(self, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a target that fails must not stop the others
            self._note(name, f"{type(error).__name__}: {error}")

    def _post_alerts(self, session: aiohttp.ClientSession, target: Target, seen: Seen, now: int) -> None:
        alerts = self._alerts.setdefault(target.name, Alerts())
        batch = alerts.due(target.choice, seen, self._reader(target), now)
        if batch is not None:
            self._start(target.name, partial(self._post, session, target, alerts, batch))

    async def _post(self, session: aiohttp.ClientSession, target: Target, alerts: Alerts, batch: Batch) -> None:
        try:
            await post(session, target, batch.body, JSON)
        except (NotTakenError, TargetError) as error:
            self._note(target.name, str(error))
        else:
            alerts.taken(batch)
            self._note(target.name, "")

    async def _deliver(self, session: aiohttp.ClientSession, target: Target) -> None:
        """Sends what is due to the target, one after the other, until something is not taken."""
        notices = self.store.notices
        while self._may_tell():
            now = self.clock().utc
            notice = await asyncio.to_thread(notices.next, target.name, now)
            if notice is None:
                return
            try:
                said = await send(session, target, notice.message, self._reader(target), now)
            except (NotTakenError, TargetError) as error:
                due = next_try(notice.tries + 1, notice.message.made_utc, now)
                await asyncio.to_thread(notices.put_off, notice, due, str(error), now)
                self._note(target.name, str(error))
                return
            await asyncio.to_thread(notices.take, notice, said, self.clock().utc)
            self._note(target.name, "")

    def _reader(self, target: Target) -> Reader:
        assert self._rules is not None, "each round begins with them"
        return reader_of(target, self.around.config(), self._rules, self.clock().utc)

    def _note(self, name: str, trouble: str) -> None:
        """A target that begins or ends to take nothing is logged once."""
        before = self._failing.get(name)
        if trouble and (before is None or before[1] != trouble):
            _log.warning("notification target %s takes nothing: %s", name, trouble)
        elif before is not None and not trouble:
            _log.info("notification target %s takes messages again", name)
        if trouble:
            self._failing[name] = (self.clock().utc if before is None else before[0], trouble)
        else:
            self._failing.pop(name, None)


def reader_of(target: Target, config: Config, rules: Rules, now: int) -> Reader:
    """Who reads what is sent to this target."""
    return Reader(
        language(target.language),
        rules.zone,
        rules.catalogue.organisation.value_at(now),
        config.url,
        target.choice.only_unacknowledged,
    )
