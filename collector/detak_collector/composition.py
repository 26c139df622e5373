"""The composition root: everything of a running collector, opened and tied together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web

from detak_collector.board.pulse import Pulse
from detak_collector.channel.door import sign
from detak_collector.channel.enrol import Keyring
from detak_collector.channel.entrance import Channel, Heard
from detak_collector.clocks import Clock, Reading
from detak_collector.config import Config, ConfigurationError
from detak_collector.copies.instance import hindrance
from detak_collector.copies.machine import this_machine
from detak_collector.copies.state_directory import owned
from detak_collector.decisions.log import CurrentRules
from detak_collector.deriving.process import Boards, Writer
from detak_collector.errors import FencedError
from detak_collector.figures import unfilled
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import Ingest
from detak_collector.ingest.metrics import MetricsIntake
from detak_collector.ingest.rivals import rivalry
from detak_collector.ingest.silence import Silence
from detak_collector.mail.posting import Posting
from detak_collector.notify.notifier import Around, Notifier
from detak_collector.operating.assembly import VERSION, Operating, Parts
from detak_collector.operating.catalogue_keeper import CatalogueKeeper
from detak_collector.operating.fellows import Fellows
from detak_collector.operating.filling import keep_filled
from detak_collector.operating.reloading import tell_refused
from detak_collector.operating.systemd import keep_alive, notify, reloading
from detak_collector.pair.endpoints import PairApi
from detak_collector.pair.follow import Following
from detak_collector.pair.numbers import SharedNumbers
from detak_collector.pair.ping import Ping
from detak_collector.rules import Rules
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.watch import Watch
from detak_collector.web import openapi
from detak_collector.web.api import Api
from detak_collector.web.forgotten import add_forgotten
from detak_collector.web.metrics import MetricsApi
from detak_collector.web.pages import add_pages
from detak_collector.web.people import People
from detak_collector.web.reading import add_reading
from detak_collector.web.sheet_pages import add_sheets
from detak_collector.web.succession import Succession
from detak_collector.web.work.admin import add_administration
from detak_collector.web.work.annotations_routes import add_annotations
from detak_collector.web.work.closing import add_closing
from detak_collector.web.work.exclusions import add_corrections
from detak_collector.web.work.outage_list import add_outage_list
from detak_wire import limits

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Collector:
    """Everything of a running collector that outlives a request."""

    config: Config
    clock: Clock
    store: Store
    thread: ThreadPoolExecutor
    keyring: Keyring
    deadlines: Deadlines
    pulse: Pulse
    watch: Watch
    ingest: Ingest
    keeper: CatalogueKeeper
    metrics: MetricsIntake
    channel: Channel
    succession: Succession
    fellows: Fellows = field(init=False)
    following: Following = field(init=False)
    operating: Operating = field(init=False)
    boards: Boards = field(init=False)
    notifier: Notifier = field(init=False)
    posting: Posting = field(init=False)

    def __post_init__(self) -> None:
        store, rules = self.store, lambda: self.keeper.rules
        self.following = Following(
            store, self.thread, self.clock, self.deadlines, self.pulse,
            lambda: self.config.follow, self.keeper.digest, self._audit,
        )  # fmt: skip
        writer = Writer(store.derived, SharedNumbers(store.outages, lambda: self.following.role.leads))
        self.boards = Boards(self.config.store, writer, CurrentRules(store, rules, self.clock), self.clock)
        parts = Parts(
            self.clock, store, self.ingest, self.watch, self.deadlines, self.pulse, self.channel, self.boards,
            rules, lambda: self.config, self.following, self.keeper,
        )  # fmt: skip
        self.operating = Operating(parts)
        around = Around(
            lambda: self.config, self.boards.rules, lambda: self.operating.glance, lambda: self.watch.since.utc,
            lambda: self.following.role.leads, lambda: store.duty.is_mine,
        )  # fmt: skip
        self.notifier = Notifier(store, self.clock, around)
        self.posting = Posting(store, self.clock, lambda: self.config, self._sends, rules)
        self.operating.upkeep.sources += (self.notifier.alarms, self.posting.alarms)
        self.fellows = Fellows(store, self.thread, self.keyring, self.deadlines, self.ingest, self.pulse)

    def application(self) -> web.Application:
        """The routes: agents' endpoints, then the pages."""
        people = People(
            self.store, self.thread, self.clock, lambda: self.config, lambda: self.keeper.rules.zone, self._audit
        )
        before = [people.refusals.attend, self.channel.door.attend, self.succession.attend, people.gate.attend]
        app = web.Application(client_max_size=limits.BODY_BYTES, middlewares=before)
        store = self.store
        api = Api(
            self.ingest,
            store.registry,
            self.keyring,
            self.thread,
            self.clock,
            store.collector,
            stored=self.metrics.take,
            door=self.channel.door,
            authorities=self.channel.announced,
            audit=self.operating.upkeep.audit,
        )
        metrics = MetricsApi(store.metrics, self.clock)
        health, described = self.operating.health(), openapi.routes(VERSION)
        pair = PairApi(self.following, self.clock, self.channel.door)
        app.add_routes([*api.routes(), *metrics.routes(), *pair.routes(), *health.routes(), *described])
        people.add_to(app)
        add_forgotten(app, people, self._leads)
        live = add_pages(app, self.operating, self.pulse, gate=people.gate)
        desk = add_annotations(app, people, lambda: self.keeper.rules, self.pulse.beat)
        sheets = add_sheets(app, self.boards.another(), people.gate, said=desk.told_of)
        add_outage_list(app, desk, add_reading(app, people, live, sheets))
        add_corrections(app, people, sheets)
        add_closing(app, people, sheets)
        add_administration(app, people, self.keyring, self.boards.place, self.boards.rules, self.pulse.beat)
        app.on_response_prepare.append(sign)
        return app

    def jobs(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs beside the requests from when the collector listens, each by its name; none of them ends."""
        upkeep = self.operating.upkeep
        ping = Ping(lambda: self.config.ping, lambda: tuple(one for one in upkeep.alarms if one.is_urgent))
        silence = Silence(self.deadlines, self.watch, self.clock, self.pulse, lambda: self.config.down_after_ms)
        yield "watchdog", keep_alive()
        yield "watch", self.watch.run(self.after_tick)
        yield "silence", silence.run()
        yield "operating", self.operating.run()
        yield "succession", self._step_down()
        yield "following", self.following.run()
        yield "ping", ping.run()
        yield "notify", self.notifier.run()
        yield "mail", self.posting.run()
        yield "catalogue", self.keeper.run(self.thread, upkeep.audit, self.rules_changed)
        yield "filling", keep_filled(self.boards, self.boards.another(), lambda: self.store.duty.is_mine)

    def _leads(self) -> bool:
        return self.following.role.leads

    def _sends(self) -> bool:
        """Mails go out from the collector that leads and is on duty."""
        return self.store.duty.is_mine and self._leads()

    def _audit(self, name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:
        self.operating.upkeep.audit(name, text, level, **told)

    async def after_tick(self, now: Reading) -> None:
        """What is looked after each second, once the tick is durable."""
        await self.fellows.look(now, self.config.down_after_ms)
        heard = Heard(*self.deadlines.heard_lately(now.boottime))
        self.watch.unheard = self.channel.is_unheard(heard, now.utc)
        await self.metrics.store(now.utc)
        with suppress(StoreUnavailableError):
            await self._tell_rivals(now)

    async def _tell_rivals(self, now: Reading) -> None:
        """Two agents with one identity are logged once, and noted for the page and `nodes` while they last."""
        look = self.ingest.rivals.look(now.boottime)
        if not look.found and not look.ended:
            return
        call = partial(asyncio.get_running_loop().run_in_executor, self.thread)
        registry = self.store.registry
        with suppress(StoreUnavailableError):
            await call(registry.note_rivals, {**dict.fromkeys(look.ended, ()), **look.found}, now)
        if look.begun:
            for row in await call(registry.listing, now, look.begun):
                self.operating.upkeep.audit(
                    "two-agents", f"node {row.name}: {rivalry(row.name, row.rivals)}", node=row.name
                )
        for node in sorted(look.ended):
            self.operating.upkeep.audit("one-agent", f"node {node}: one agent speaks as this node again", node=node)
        if look.begun or look.ended:
            self.pulse.beat()

    def rules_changed(self) -> None:
        """Others are in force from now on: the page is drawn anew."""
        _warn_of_hours(self.keeper.rules, self.clock())
        self.pulse.beat()

    async def reload(self, load: Callable[[], Config]) -> None:
        """Takes the configuration and the certificate as they are now; where one is not right, the old one stays."""
        reloading()
        try:
            fresh = await self.keeper.reloaded(load, self.thread)
        except ConfigurationError as error:
            tell_refused(error, self._audit)
        else:
            self.config = fresh
            self.keeper.tell(self._audit)
            self.deadlines.allow(fresh.down_after_ms)
            self.operating.take(fresh)
            self.operating.upkeep.audit("reloaded", f"{fresh.services}: reloaded")
            notify("STATUS=")
            self.rules_changed()
        self.channel.reload()
        notify("READY=1")

    async def _step_down(self) -> None:
        """Once agents speak to a later copy of this store, this one serves no more; raises FencedError."""
        fenced = await self.succession.later_copy()
        await asyncio.get_running_loop().run_in_executor(self.thread, self.store.instance.keep, fenced)
        raise FencedError(f"{self.store.database.place}: {hindrance(fenced, '')}")


def _warn_of_hours(rules: Rules, now: Reading) -> None:
    """Unknown joint leave costs the figure, never the evidence: the collector says so and goes on."""
    missing, ahead = unfilled(rules.catalogue, now.utc)
    for one in (*missing, *ahead):
        _log.warning("%s", one.line)


@asynccontextmanager
async def opened(config: Config, clock: Clock) -> AsyncIterator[Collector]:
    """A collector over its store; both are let go at the end. Raises CannotServeError or StoreError."""
    with owned(config.state_directory), ThreadPoolExecutor(1, "store") as thread:
        store = config.store.open(clock())
        try:
            yield _assembled(config, clock, store, thread)
        finally:
            thread.shutdown()
            store.close()


def _assembled(config: Config, clock: Clock, store: Store, thread: ThreadPoolExecutor) -> Collector:
    now, succession = clock(), _settled(store, clock)
    keeper = CatalogueKeeper(store, clock, config)
    keeper.begin()
    _warn_of_hours(keeper.rules, now)
    deadlines = Deadlines(config.down_after_ms, store.evidence.heard(now), now.boottime)
    pulse = Pulse()
    watch = Watch(store.watch, thread, clock)
    ingest = Ingest(store.evidence, thread, store.collector, clock, deadlines, pulse, watch.refused_liveness)
    keyring = Keyring(store.registry, shared=store.database.shared)
    metrics = MetricsIntake(store.metrics, thread)
    return Collector(
        config, clock, store, thread, keyring, deadlines, pulse, watch, ingest, keeper, metrics,
        Channel(config, clock), succession,
    )  # fmt: skip


def _settled(store: Store, clock: Clock) -> Succession:
    """Makes sure that this copy of the store may serve here, and binds it to this machine; raises FencedError."""
    # A database that collectors share serves them wherever they are.
    instance, home = store.instance.read(), "" if store.database.shared else this_machine()
    reason = hindrance(instance, home)
    if reason is not None:
        raise FencedError(f"{store.database.place}: {reason}")
    if instance.home != home:
        instance = instance.adopted(home, clock().utc)
        store.instance.keep(instance)
    return Succession(instance, store.collector, lambda: clock().utc)
