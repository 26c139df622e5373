"""Ties what looks after a serving collector to its parts: the page's alarms, the health endpoints, the events."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib.metadata import version

from detak_collector.board.glance import Glance
from detak_collector.board.node_standing import Census, census
from detak_collector.board.pulse import Pulse
from detak_collector.channel.entrance import Channel
from detak_collector.clocks import Clock
from detak_collector.config import Config
from detak_collector.deriving.process import Boards
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import Ingest
from detak_collector.operating.alarms import page_alarm, standby_alarm, store_alarm
from detak_collector.operating.catalogue_keeper import CatalogueKeeper
from detak_collector.operating.chaining import chain_due
from detak_collector.operating.own_metrics import Told
from detak_collector.operating.readiness import Standing
from detak_collector.operating.upkeep import Upkeep
from detak_collector.pair.alarms import pair_alarms
from detak_collector.pair.follow import Following
from detak_collector.rules import Rules
from detak_collector.store.migrations import NAMES
from detak_collector.store.parts import Store
from detak_collector.watch import Watch
from detak_collector.web.health import Health
from detak_collector.web.render import Snapshots

VERSION = version("detak-collector")
UNWATCHED_LEISURE = 400
"""Deriving everything anew costs processor time: for news alone, a quarter of a percent of the time is enough."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one serving process. `rules` and `config` are asked each time: a reload changes them."""

    clock: Clock
    store: Store
    ingest: Ingest
    watch: Watch
    deadlines: Deadlines
    pulse: Pulse
    channel: Channel
    boards: Boards
    rules: Callable[[], Rules]
    config: Callable[[], Config]
    following: Following
    keeper: CatalogueKeeper


@dataclass(slots=True)
class Operating:
    """What looks after it, and what is known of how it fares. It is where the page comes from."""

    parts: Parts
    upkeep: Upkeep = field(init=False)
    _glance: Glance | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        parts = self.parts
        self.upkeep = Upkeep(
            parts.config().state_directory,
            parts.clock,
            parts.pulse,
            (
                lambda _: store_alarm(self._trouble()),
                lambda _: standby_alarm(is_missing=parts.store.database.lacks_standby),
                parts.channel.alarms,
                lambda now: page_alarm(parts.boards.trouble, parts.boards.derived_utc, now),
                lambda _: pair_alarms(parts.following.standing()),
                parts.keeper.alarms,
            ),
            parts.deadlines.heard_of,
            lambda: parts.store.duty.is_mine and parts.following.role.leads,
            {"ledger": lambda: chain_due(parts.store.ledger, parts.clock, lambda: parts.store.duty.is_mine)},
        )

    async def snapshot(self, languages: Collection[str]) -> Snapshots:
        """The page as of now, the collector's own alarms with it; raises NotDerivedError."""
        apart = self.parts.config().sign_in is not None
        drawn = await self.parts.boards.derived(alarms=self.upkeep.told(), languages=languages, apart=apart)
        assert drawn.snapshots is not None, "alarms ask for the page"
        self._glance = drawn.glance
        return drawn.snapshots

    async def run(self) -> None:
        """Looks after everything for ever."""
        self.take(self.parts.config())
        await self.upkeep.run(self._unwatched)

    @property
    def glance(self) -> Glance | None:
        """The latest there is; None while there is none as of now."""
        return None if self.parts.boards.trouble else self._glance

    async def _unwatched(self) -> Glance:
        """What is there where nobody may be looking: what began and ended is in it, and the rest may be older."""
        self._glance = (await self.parts.boards.derived(UNWATCHED_LEISURE)).glance
        return self._glance

    def take(self, config: Config) -> None:
        """Works by this configuration from now on."""
        self.upkeep.send_to(config.syslog)

    def health(self) -> Health:
        """The endpoints."""
        return Health(VERSION, self.parts.store.collector, self._standing, self._told, self._census)

    def _trouble(self) -> str:
        """Why the store takes nothing; empty where it does."""
        return self.parts.ingest.trouble or self.parts.watch.trouble

    def _standing(self) -> Standing:
        parts = self.parts
        return Standing(
            ticked_ms=max(0, parts.clock().boottime - parts.watch.latest.boottime),
            store_trouble=self._trouble(),
            disk_is_full=self.upkeep.disk is not None and self.upkeep.disk.is_full,
            services=len(parts.rules().catalogue.services),
            schema=NAMES[-1],
            catalogue=parts.keeper.word(),
            peer=None if (pair := parts.following.standing()) is None else pair.word,
        )

    def _census(self) -> Census:
        parts = self.parts
        now = parts.clock()
        return census(parts.store.registry.listing(now), now.utc, parts.config().down_after_ms)

    def _told(self, counted: Census | None, is_ready: bool) -> Told:  # noqa: FBT001 - the seam of the endpoints
        ingest, syslog = self.parts.ingest, self.upkeep.syslog
        return Told(
            now_utc=self.parts.clock().utc,
            version=VERSION,
            schema=NAMES[-1],
            ready=is_ready,
            waiting_messages=ingest.waiting,
            waiting_bytes=ingest.waiting_octets,
            room=(ingest.capacity.messages, ingest.capacity.octets),
            census=counted,
            glance=self.glance,
            disk=self.upkeep.disk,
            alarms=self.upkeep.alarms,
            certificates=self.parts.channel.ends(),
            syslog=None if syslog is None else (syslog.sent, syslog.lost, syslog.waiting),
        )
