"""The routes of pages that are derived on demand: /figure, /service, /node. Who may see them, and how long one is kept.

Deriving is done by a process of its own, one page at a time, so that neither evidence nor the status page waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.annotations.told import NOTHING, Told
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.incidents import Ruling
from detak_collector.operating.counters import refusals
from detak_collector.rules import Rules
from detak_collector.store.base import StoreError
from detak_collector.translation.saying import mark
from detak_collector.web.assets import Body
from detak_collector.web.check_page import asked
from detak_collector.web.outage_rows import filtered
from detak_collector.web.pages import answer
from detak_collector.web.render import OWN_PATHS
from detak_collector.web.session import Gate, Person
from detak_collector.web.sheet import (
    CheckSheet,
    DrawnSheet,
    FigureSheet,
    NodeSheet,
    OutageSheet,
    OutagesSheet,
    ServiceSheet,
    Sheet,
    Wanted,
)
from detak_collector.web.sheet_maker import CHARTED, WHO
from detak_collector.web.speaking import choose, own_paths, spoken_by, who
from detak_collector.web.windows import ZOOMS

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PLOTTING = f"{POLICY}; script-src 'self'"
"""Where there are charts of metrics our own files may run; nowhere else may anything."""
VARY = "Accept-Encoding, Accept-Language, Cookie"
OWN = "private, no-cache"
LONGEST_PART = 200
MOST_DIGITS = 15
CROWDED = mark("Too many pages are being derived at this moment. Try again in a few seconds.") + "\n"
UNDRAWN = (
    mark("This page cannot be derived at this moment; the collector's log says why. Checks and evidence go on.") + "\n"
)
ODD = mark("There is no such page: the address asks for what does not exist.") + "\n"

Said = Callable[[int], Awaitable[tuple[Told, tuple[Ruling, ...]]]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a page serves without being derived anew: `leisure` times what it cost, at least `least_s`.

    One whose figure time cannot change serves for `settled_s`. Whatever was decided since ends that at once. `waiting`
    different pages may wait for their turn. The process ends when nobody asked for `idle_s`.
    """

    least_s: float = 2.0
    leisure: float = 10.0
    settled_s: float = 300.0
    most: int = 64
    waiting: int = 16
    idle_s: float = 600.0


class SheetSource(Protocol):
    """Where pages come from: `Boards`, in a process of its own."""

    @property
    def rules(self) -> Callable[[], Rules]:
        """By what they are derived; another object when that has changed. Asked in a thread."""
        ...

    async def sheet(self, sheet: Wanted) -> DrawnSheet:
        """A page as of now; raises NotDerivedError."""
        ...

    async def close(self) -> None:
        """Lets the process go; it is started again by the next page."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    drawn: DrawnSheet
    rules: Rules
    begun: float
    cost_s: float


@dataclass(slots=True)
class Kept:
    """The pages that were derived lately: each is derived once, however many ask."""

    source: SheetSource
    keeping: Keeping = field(default_factory=Keeping)
    asked_at: float = field(default=0.0, init=False)
    _pages: OrderedDict[Wanted, _Kept] = field(default_factory=OrderedDict, init=False)
    _coming: dict[tuple[Wanted, int], asyncio.Task[DrawnSheet]] = field(default_factory=dict, init=False)

    async def get(self, sheet: Wanted) -> DrawnSheet | None:
        """The page, as of now or of a moment ago; None where too many wait already. Raises NotDerivedError."""
        self.asked_at = asyncio.get_running_loop().time()
        rules = await asyncio.to_thread(self.source.rules)
        one = self._pages.get(sheet)
        if one is not None and one.rules is rules and self.asked_at - one.begun < self._lasts_s(one):
            self._pages.move_to_end(sheet)
            return one.drawn
        coming = self._coming.get((sheet, id(rules)))
        if coming is None:
            if len(self._coming) >= self.keeping.waiting:
                return None
            coming = asyncio.create_task(self._derive(sheet, rules), name="page on demand")
            # Those who asked may all have gone away by the time it fails.
            coming.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._coming[sheet, id(rules)] = coming
        # Whoever goes away meanwhile takes it from nobody else.
        return await asyncio.shield(coming)

    def _lasts_s(self, one: _Kept) -> float:
        if one.drawn.settled:
            return self.keeping.settled_s
        return max(self.keeping.least_s, self.keeping.leisure * one.cost_s)

    async def _derive(self, sheet: Wanted, rules: Rules) -> DrawnSheet:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            drawn = await self.source.sheet(sheet)
        finally:
            del self._coming[sheet, id(rules)]
        self._pages[sheet] = _Kept(drawn, rules, loop.time(), loop.time() - begun)
        self._pages.move_to_end(sheet)
        while len(self._pages) > self.keeping.most:
            self._pages.popitem(last=False)
        return drawn

    async def let_idle_go(self) -> None:
        """Ends the process whenever nobody has asked for long, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.keeping.idle_s)
            if not self._coming and loop.time() - self.asked_at >= self.keeping.idle_s:
                await self.source.close()

    async def close(self) -> None:
        """Lets everything go."""
        for task in (waiting := list(self._coming.values())):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self.source.close()


def add_sheets(
    app: web.Application, source: SheetSource, gate: Gate, keeping: Keeping | None = None, said: Said | None = None
) -> Kept:
    """Adds the pages, and what ends their process with the server; other pages may ask what it returns.

    `said` is asked what people said of an outage.
    """
    kept = Kept(source, keeping or Keeping())
    pages = _SheetPages(kept, gate, said)

    async def background(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(kept.let_idle_go(), name="idle pages")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await kept.close()

    app.add_routes(
        [
            web.get("/figure", pages.running_year),
            web.get("/figure/{period}", pages.figure),
            web.get("/figure/{period}/outages", pages.outages),
            web.get("/service/{service}", pages.service),
            web.get("/service/{service}/outage/{outage}", pages.outage),
            web.get("/node/{node}", pages.node),
            web.get("/node/{node}/check/{check}", pages.check),
            web.get("/language/{code}", choose),
        ]
    )
    app.cleanup_ctx.append(background)
    return kept


class _SheetPages:
    def __init__(self, kept: Kept, gate: Gate, said: Said | None) -> None:
        self._kept = kept
        self._gate = gate
        self._said = said

    async def running_year(self, request: web.Request) -> web.StreamResponse:
        return await self._answered(request, FigureSheet(spoken_by(request)), 0)

    async def figure(self, request: web.Request) -> web.StreamResponse:
        return await self._answered(request, FigureSheet(spoken_by(request), _part(request, "period")), 1)

    async def outages(self, request: web.Request) -> web.StreamResponse:
        wanted = filtered(request.query)
        if wanted is None:
            raise web.HTTPNotFound(text=ODD)
        return await self._answered(request, OutagesSheet(spoken_by(request), _part(request, "period"), wanted), 2)

    async def service(self, request: web.Request) -> web.StreamResponse:
        wanted, query = filtered(request.query), request.query
        zoom = query.get("zoom", "week")
        if wanted is None or zoom not in ZOOMS:
            raise web.HTTPNotFound(text=ODD)
        at, period = query.get("at", "")[:LONGEST_PART], query.get("period", "")[:LONGEST_PART]
        sheet = ServiceSheet(spoken_by(request), _part(request, "service"), zoom, at, period, wanted)
        return await self._answered(request, sheet, 1)

    async def outage(self, request: web.Request) -> web.StreamResponse:
        service, name = _part(request, "service"), _part(request, "outage")
        is_numbered = name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS
        told, rulings = await self._said(int(name)) if self._said is not None and is_numbered else (NOTHING, ())
        may_write = await self._gate.may(request, Right.ANNOTATE)
        sheet = OutageSheet(spoken_by(request), service, name, told, rulings, may_write)
        return await self._answered(request, sheet, 3)

    async def node(self, request: web.Request) -> web.StreamResponse:
        zoom = request.query.get("zoom", "day")
        if zoom not in CHARTED:
            raise web.HTTPNotFound(text=ODD)
        return await self._answered(request, NodeSheet(spoken_by(request), _part(request, "node"), zoom), 1)

    async def check(self, request: web.Request) -> web.StreamResponse:
        node, check = _part(request, "node"), _part(request, "check")
        sheet = asked(node, check, spoken_by(request), request.query, LONGEST_PART)
        if sheet is None or sheet.zoom not in ZOOMS:
            raise web.HTTPNotFound(text=ODD)
        return await self._answered(request, sheet, 3)

    async def _answered(self, request: web.Request, sheet: Sheet, depth: int) -> web.StreamResponse:
        person = await self._gate.person(request)
        if self._gate.terms() is not None and (person is None or Right.SEE not in person.rights):
            return _sign_in_first(request, depth)
        try:
            drawn = await self._kept.get(sheet)
        except (NotDerivedError, StoreError) as error:
            # The notes of a fault of our own say where in the program it was.
            _log.warning("a page could not be derived: %s", error, exc_info=hasattr(error, "__notes__"))
            raise web.HTTPServiceUnavailable(text=UNDRAWN, headers={"Retry-After": "10"}) from None
        if drawn is None:
            refusals.count("pages")
            raise web.HTTPServiceUnavailable(text=CROWDED, headers={"Retry-After": "5"})
        page = drawn.page if depth else await asyncio.to_thread(_at_the_root, drawn.page)
        if person is not None:
            page = await asyncio.to_thread(_with_person, page, person, sheet.language, depth)
        response = answer(request, page, "text/html", OWN)
        plots = isinstance(sheet, NodeSheet | CheckSheet)
        response.headers["Content-Security-Policy"] = PLOTTING if plots else POLICY
        response.headers["Vary"] = VARY
        if response.status == 200:
            response.set_status(drawn.status)
        return response


def _part(request: web.Request, name: str) -> str:
    """A part of the path, of a length that something can have."""
    part = request.match_info[name]
    if len(part) > LONGEST_PART:
        raise web.HTTPNotFound(text=ODD)
    return part


def _sign_in_first(request: web.Request, depth: int) -> web.Response:
    place = f"{'../' * depth or './'}sign-in?next={quote(request.path_qs, safe='')}"
    return web.Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})


def _at_the_root(page: Body) -> Body:
    """A page whose paths lead from one folder deep, as it is answered where that folder is named without its end."""
    return Body.of(page.plain.replace(b'="../', b'="./'))


def _with_person(page: Body, person: Person, spoken: str, depth: int) -> Body:
    """The page with who has signed in, and the ways to what is for him."""
    root = "../" * depth or "./"
    told, paths = who(person.account.display, root, spoken), own_paths(person.paths, root, spoken)
    return Body.of(page.plain.replace(WHO, told.encode(), 1).replace(OWN_PATHS, paths.encode(), 1))
