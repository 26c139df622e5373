"""A made-up organisation behind the pages that are derived on demand: stated evidence, one real node, a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import structs

from browser.fabricated import HOSTILE, LONG, NOW, healthy
from browser.page_server import QUICK, FabricatedSource
from detak_collector.accounts.roles import Role
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.config import Config, load
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Group, Member, Service
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.history import Published
from detak_collector.downtime.periods import parse_period
from detak_collector.figures import Figures
from detak_collector.metrics import Moment, kept
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.evidence import SqlEvidence
from detak_collector.store.metrics import read as read_metrics
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_collector.web.api_v1.access import Access
from detak_collector.web.assets import Assets
from detak_collector.web.pages import add_pages
from detak_collector.web.people import People
from detak_collector.web.reading import add_reading
from detak_collector.web.render import STATIC, TEMPLATES
from detak_collector.web.sheet import DrawnSheet, Wanted
from detak_collector.web.sheet_maker import SheetMaker, Sources
from detak_collector.web.sheet_pages import Keeping, add_sheets
from detak_collector.web.work.annotations_routes import add_annotations
from detak_collector.web.work.closing import add_closing
from detak_collector.web.work.exclusions import add_corrections
from detak_collector.web.work.outage_list import add_outage_list
from detak_wire.messages import ClockClaim, Exchange, Part
from downtime_cases import DAY, HOUR, MINUTE, facts, stated
from evidence_builders import RUN, arrival, beat, opening, span
from people_stage import TERMS, Stage, Told, quick

JAKARTA = ZoneInfo("Asia/Jakarta")
BEGIN = parse_period("2026", JAKARTA, 0).begin
UP_MS = 5_000_000
"""For how long the node has been up: agent time at NOW."""

MANY = 1_000
IMPOR_DOWN = ((BEGIN + 10 * DAY, BEGIN + 10 * DAY + 30 * MINUTE), (BEGIN + 90 * DAY, BEGIN + 90 * DAY + 2 * HOUR))
RECENT = (NOW - 9 * HOUR, NOW - 8 * HOUR - 40 * MINUTE)
UNSEEN = ((NOW - 3 * DAY, NOW - 3 * DAY + 2 * HOUR),)
REAL_NODE = "dc-app-01"
WHOLE_DAY = Exclusion(
    "x1", "planned", "service", "impor", BEGIN + 90 * DAY, BEGIN + 90 * DAY + HOUR, "ND-12/2026", HOSTILE, "ani",
    BEGIN + 80 * DAY, "budi", BEGIN + 81 * DAY,
)  # fmt: skip


def _group(service: str, name: str, category: str, rule: str, *checks: str) -> Group:
    members = tuple(Member((check,)) for check in checks)
    return Group(f"{service}/{name}", name, Dated.always(category), members, Dated.always(rule))


def _service(name: str, title: str, *groups: Group, level: str = "sangat kritis", probe: str = "") -> Service:
    probes = (Member((probe,)),) if probe else ()
    return Service(name, Dated.always(title), Dated.always(level), groups, probes)


SERVICES = (
    _service(
        "impor", "CEISA Impor",
        _group("impor", "basis data", "database", "lowest_member", "dc-db-01/pg", "drc-db-01/pg"),
        _group("impor", "jaringan", "network", "all_down", "dc-net-01/gw"),
        probe="edge-01/impor-web",
    ),
    _service("ekspor", HOSTILE, _group("ekspor", "aplikasi", "application", "all_down", "dc-app-02/http")),
    _service("manifes", LONG, _group("manifes", LONG[:60], "server", "all_down", "dc-srv-01/os")),
    _service("portal", "Portal", level="kritis"),
)  # fmt: skip


def _flapping() -> tuple[tuple[int, int], ...]:
    """A thousand short outages over the year so far."""
    step = (NOW - BEGIN) // (MANY + 1)
    return tuple((BEGIN + at * step, BEGIN + at * step + 20_000) for at in range(1, MANY + 1))


def evidence() -> Facts:
    down = (*IMPOR_DOWN, RECENT)
    return facts({
        "dc-db-01/pg": stated("dc-db-01/pg", BEGIN, NOW, down, message=HOSTILE),
        "drc-db-01/pg": stated("drc-db-01/pg", BEGIN, NOW, (*down[:2], RECENT), UNSEEN, message="connection refused"),
        "dc-net-01/gw": stated("dc-net-01/gw", BEGIN, NOW),
        "edge-01/impor-web": stated("edge-01/impor-web", BEGIN, NOW, down, message="HTTP 503"),
        "dc-app-02/http": stated("dc-app-02/http", BEGIN, NOW, _flapping(), message="timed out"),
        "dc-srv-01/os": stated("dc-srv-01/os", BEGIN, NOW),
    })  # fmt: skip


@dataclass
class StatedAndStored:
    """The evidence that was stated, with what nodes have delivered."""

    stored: SqlEvidence
    stated: Facts

    def facts(
        self,
        begin_utc: int,
        end_utc: int,
        now: Reading,
        checks: Collection[str] | None = None,
        *,
        known_at: int | None = None,
    ) -> Facts:
        found = self.stored.facts(begin_utc, end_utc, now, checks, known_at=known_at)
        wanted = None if checks is None else {check.partition("/")[0] for check in checks}
        own = {name: node for name, node in self.stated.nodes.items() if wanted is None or name in wanted}
        return replace(found, nodes={**found.nodes, **own})


@dataclass
class InProcess:
    """Pages from a thread of this process, which a test may hold up or let fail."""

    maker: SheetMaker
    current: Rules
    made: list[Wanted] = field(default_factory=list)
    failure: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    closed: int = 0

    def __post_init__(self) -> None:
        self.go.set()

    def rules(self) -> Rules:
        return self.current

    async def sheet(self, sheet: Wanted) -> DrawnSheet:
        self.made.append(sheet)
        await self.go.wait()
        if self.failure is not None:
            raise NotDerivedError(str(self.failure))
        return await asyncio.to_thread(self.maker.draw, sheet)

    async def close(self) -> None:
        self.closed += 1


@dataclass
class SheetStage(Stage):
    """The pages, whoever comes to them, and what they are derived from."""

    pages: InProcess = field(init=False)
    access: Access = field(init=False)


def rules(*services: Service) -> Rules:
    return Rules(Catalogue(Dated.always("Direktorat Contoh"), "Asia/Jakarta", services), exclusions=(WHOLE_DAY,))


def now() -> Reading:
    return Reading(NOW, UP_MS, "c011ec70")


def _delivered(store: Store) -> None:
    """A node whose check failed lately, with an hour of metrics."""
    watch = store.watch.begin(Reading(NOW - HOUR, UP_MS - HOUR, "c011ec70"))
    store.watch.extend(watch, now())
    store.registry.issue(REAL_NODE, b"t", NOW + DAY, now())
    store.registry.redeem(b"t", REAL_NODE, b"k" * 32, now())
    begun, theta = UP_MS - HOUR, NOW - UP_MS
    run = structs.replace(opening(("web", "queue"), opened=begun), clock=ClockClaim(begun, theta + begun + 37, 5))
    exchanges = [
        Exchange(6, "c0ffee00", sent, theta + sent + 10, theta + sent + 12, sent + 20) for sent in (begun + 1_500,)
    ]
    parts = Part(
        RUN,
        run,
        [
            span(1, "alive", begun + 1_000, 3_590),
            span(2, "web", begun + 1_000, 300, every=5_000, closed=True),
            span(3, "queue", begun + 2_000, 718, every=5_000, message=HOSTILE),
            span(4, "web", begun + 1_501_000, 60, every=5_000, state="down", closed=True, message=LONG),
            span(5, "web", begun + 1_801_000, 359, every=5_000),
        ],
        exchanges=exchanges,
    )
    message = beat(parts, sent=UP_MS - 1_000, node=REAL_NODE)
    (receipt,) = store.evidence.commit([arrival(message, now())])
    assert not isinstance(receipt, Exception), receipt
    moments = [
        Moment(
            NOW - at * 10_000, 10_000, {0: {"": 100 + at}, 4: {"": 400}, 6: {"/": 500, "/data": 871}, 16: {"": 9_000}}
        )
        for at in range(1, 300)
    ]
    store.metrics.keep([kept(REAL_NODE, one) for one in moments])


def figures_of(store: Store, current: Rules) -> Figures:
    records = Records(store.outages, store.history)
    source = StatedAndStored(store.evidence, evidence())
    return Figures(source, store.derived, store.registry, lambda: current, now, records)


def maker(store: Store, current: Rules) -> SheetMaker:
    metrics = partial(read_metrics, store.database)
    sources = Sources(figures_of(store, current), store.outages, metrics, lambda: current, lambda: NOW)
    return SheetMaker(sources, Assets(STATIC, TEMPLATES))


def figures(stage: SheetStage) -> Figures:
    """What the pages are derived with, for a test that derives the same."""
    return figures_of(stage.store, stage.pages.current)


def filled(store: Store) -> None:
    for year, percent in ((2023, "0.0076"), (2024, "0.028"), (2025, "0.131")):
        verdict = Fraction("0.1")
        store.history.add(Published(0, year, Fraction(percent), verdict, f"LAKIN {year}", "", "ani", NOW - DAY))
    _delivered(store)


@asynccontextmanager
async def sheets_stage(
    folder: Path, services: tuple[Service, ...] = SERVICES, *, sign_in: bool = False, keeping: Keeping | None = None
) -> AsyncIterator[SheetStage]:
    (folder / "collector.toml").write_text('state_directory = "state"\n')
    told, source = Told(), FabricatedSource(healthy())
    stage: SheetStage
    with closing(open_store(folder, now())) as store, ThreadPoolExecutor(1) as thread:
        filled(store)
        people = People(store, thread, lambda: stage.now, lambda: stage.config, lambda: JAKARTA, told)
        config: Config = replace(load(folder / "collector.toml"), sign_in=TERMS if sign_in else None)
        stage = SheetStage("", store, people, source, told, now(), config)
        people.proving.hasher = quick()
        people.proving.refusal_s = 0.0
        current = rules(*services)
        stage.pages = InProcess(maker(store, current), current)
        app = web.Application(middlewares=[people.gate.attend])
        people.add_to(app)
        live = add_pages(app, source, Pulse(), QUICK, people.gate)
        desk = add_annotations(app, people, lambda: current, lambda: None)
        kept = add_sheets(app, stage.pages, people.gate, keeping, desk.told_of)
        stage.access = add_reading(app, people, live, kept)
        add_outage_list(app, desk, stage.access)
        add_corrections(app, people, kept)
        add_closing(app, people, kept)
        if sign_in:
            stage.add("siti", Role.VIEWER, display=f"Siti {HOSTILE}")
            stage.add("tamu", display="Tamu")
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield stage
        finally:
            await runner.cleanup()


@contextmanager
def serving_sheets(
    folder: Path, services: tuple[Service, ...] = SERVICES, *, sign_in: bool = False
) -> Iterator[SheetStage]:
    """The same in a thread of its own, beside a browser that waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        context = sheets_stage(folder, services, sign_in=sign_in)
        stage = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
        try:
            yield stage
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
