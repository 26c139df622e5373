"""A collector as it is put together to be served, with something of everything in it: for looking at all its pages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from aiohttp import web

from browser.fabricated import HOSTILE, LONG
from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.annotations.bodies import FollowUp, Line
from detak_collector.annotations.drafts import Draft as Annotated
from detak_collector.annotations.drafts import NoteDraft, Speaker
from detak_collector.annotations.recording import acknowledge, annotate, say
from detak_collector.catalogue.register import Register
from detak_collector.catalogue.texts import read
from detak_collector.clocks import Reading
from detak_collector.closing.bodies import DisputeBody
from detak_collector.closing.recording import enter_dispute
from detak_collector.composition import Collector, opened
from detak_collector.config import load
from detak_collector.decisions.recording import Author, Draft, Ruling, enter
from detak_collector.downtime.history import Published
from detak_collector.downtime.numbering import Found
from detak_collector.metrics import Moment, kept
from detak_collector.pair.entry import GRANT
from detak_collector.past.batch import Source as PastFile
from detak_collector.store.parts import Store
from detak_collector.web.session import digest
from evidence_builders import NODE, START_UTC, reading
from outage_history import MINUTE_MS, SERVICES, fill
from people_stage import PASSWORD, QUICK_HASHER

MINUTES = 400
DOWN = (START_UTC + 2_000 + 300 * MINUTE_MS, START_UTC + 2_000 + 310 * MINUTE_MS)
ENDLESS = "sebuahnamatanpaspasi" * 10
"""Two hundred letters without a place to break."""

EVERYTHING = "semua"
TWICE = "dua"
"""Has a second factor."""

LINK, SECRET = "a-link", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CATALOGUE = SERVICES.replace('id = "portal"', f'id = "portal"\nname = "{ENDLESS}"', 1).replace(
    'id = "pusat"', 'id = "pusat"\npublic = true', 1
)
HELD = CATALOGUE[: CATALOGUE.index('[[service]]\nid = "pusat"')].replace("DJBC", LONG[:150].strip())
"""Another version, which touches what is past: a service is gone."""

RECORD = {
    "category": "planned", "scope": {"service": "portal"}, "from": "2023-11-15T03:00:00Z",
    "to": "2023-11-15T03:30:00Z", "document": ENDLESS, "reason": HOSTILE,
}  # fmt: skip
AHEAD = {**RECORD, "from": "2023-11-17T15:00:00Z", "to": "2023-11-17T19:00:00Z", "reason": LONG}


PAST = PastFile.of(b"", "zabbix", f"{ENDLESS[:100]}.csv")
"""The file that an import of past outages was made of."""


@dataclass
class WholeStage:
    """A served collector; `outage` is the number of one that has all that people write of outages."""

    url: str
    collector: Collector
    outage: int

    @property
    def store(self) -> Store:
        return self.collector.store


def _people(store: Store, now_utc: int) -> None:
    """One who may do everything, two of four eyes, and one with a second factor, under names that break nowhere."""
    named = {
        EVERYTHING: tuple(Role), "ani": (Role.OPERATOR,), "budi": (Role.APPROVER,), TWICE: (Role.VIEWER,),
    }  # fmt: skip
    for name, roles in named.items():
        display = ENDLESS[:100] if name == EVERYTHING else name.title()
        mail = f"{'x' * 60}@example.go.id"
        assert store.accounts.add(Account(name, display, mail, Origin.LOCAL, now_utc, QUICK_HASHER.hash(PASSWORD)))
        for role in roles:
            wish = Wish(name, role, "root", Source.MACHINE)
            store.entries.append(GRANT, body_of(wish, withdrawn=False), "root", now_utc)
    store.accounts.issue_reset("ani", digest(LINK), now_utc + MINUTE_MS)
    store.accounts.offer_secret(TWICE, SECRET)
    assert store.accounts.take_secret(TWICE, SECRET, 0)


def _decided(store: Store, now_utc: int) -> None:
    """An exclusion in force, one that waits, a drill ahead, and a declaration."""

    def entered(step: Draft | Ruling, by: str) -> None:
        enter(store.database, [step], Author(by, by), now_utc)

    entered(Draft("exclusion", "add", record=RECORD), ENDLESS[:100])
    entered(Ruling("exclusion", "x1", "approve", "so be it"), "Budi")
    entered(Draft("exclusion", "add", record={**AHEAD, "recurrence": "FREQ=DAILY;COUNT=40"}, drill=True), "Ani")
    entered(Ruling("exclusion", "x2", "approve", ENDLESS), "Budi")
    entered(Draft("exclusion", "add", record={**RECORD, "category": "third_party"}), "Ani")
    entered(Draft("declaration", "add", record={**RECORD, "category": "down"}), "Ani")
    entered(Ruling("declaration", "d4", "approve", "so be it"), "Budi")
    before = {**RECORD, "category": "down", "from": "2022-03-01T15:00:00Z", "to": "2022-03-01T19:00:00Z"}
    entered(Draft("declaration", "add", record={**before, "reason": LONG}, uid=PAST.uid(2)), "Ani")


def _written(store: Store, now_utc: int) -> int:
    """What people write of an outage, each of it in words without end."""
    (number,) = store.outages.number([Found("portal", *DOWN, running=False)], DOWN, reading(0))
    speaker = Speaker(ENDLESS[:100], "operator", "ani")
    lines = (Line(DOWN[0], HOSTILE), Line(DOWN[1], ENDLESS))
    draft = Annotated(ENDLESS, LONG, lines, (FollowUp(ENDLESS, ENDLESS, "2026-12-31"),))
    annotate(store.database, number, draft, speaker, now_utc)
    acknowledge(store.database, number, ENDLESS, speaker, now_utc)
    say(store.database, NoteDraft(public=True, id=ENDLESS, en=HOSTILE, outage=number), speaker, now_utc)
    enter_dispute(
        store.database, DisputeBody(number, "portal", *DOWN, "ani", ENDLESS, ENDLESS[:100], now_utc),
        Author("Ani", "ani"), now_utc,
    )  # fmt: skip
    return number


def _measured(store: Store, now_utc: int) -> None:
    moments = [
        Moment(now_utc - at * 10_000, 10_000, {0: {"": 100 + at}, 6: {f"/{ENDLESS[:60]}": 871}, 14: {"web": 30 + at}})
        for at in range(1, 200)
    ]
    store.metrics.keep([kept(NODE, one) for one in moments])


def _prepared(folder: Path) -> Path:
    file = folder / "collector.toml"
    file.write_text(
        'state_directory = "state"\nservices = "services.toml"\n[sign_in]\n[mail]\n'
        'server = "smtp.example.go.id"\nsender = "detak@example.go.id"\n'
    )
    (folder / "services.toml").write_text(CATALOGUE)
    (folder / "state").mkdir()
    fill(folder / "state", {"web": [(300, 310)], "api": [(300, 340), (398, MINUTES)]}, MINUTES)
    return file


@asynccontextmanager
async def whole_stage(folder: Path) -> AsyncIterator[WholeStage]:
    now = reading(MINUTES * MINUTE_MS + 5_000)
    config = load(_prepared(folder))

    def clock() -> Reading:
        return now

    async with opened(config, clock) as collector:
        store = collector.store
        _people(store, now.utc)
        _decided(store, now.utc)
        _measured(store, now.utc)
        for year, percent in ((2021, "0.0076"), (2022, "0.131")):
            store.history.add(Published(0, year, Fraction(percent), Fraction("0.1"), ENDLESS, HOSTILE, "ani", now.utc))
        number = _written(store, now.utc)
        (folder / "services.toml").write_text(HELD)
        Register(store.entries).record(read(folder / "services.toml"), HOSTILE, now.utc, has_past=True)
        runner = web.AppRunner(collector.application(), access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield WholeStage(f"http://127.0.0.1:{runner.addresses[0][1]}", collector, number)
        finally:
            await runner.cleanup()
            await collector.boards.close()
            await collector.operating.upkeep.close()


@contextmanager
def serving_whole(folder: Path) -> Iterator[WholeStage]:
    """The same in a thread of its own, beside a browser that waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        context = whole_stage(folder)
        stage = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(30)
        try:
            yield stage
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
