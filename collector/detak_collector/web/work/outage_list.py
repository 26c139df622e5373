"""/outages: the outages that have a number, a page at a time, and what is still to be said of them. It decides nothing.

The register tells which there are; layers, and what enters the figure, are asked of those who derive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from detak_collector.annotations.told import ToldOfAll
from detak_collector.downtime.numbering import Known
from detak_collector.downtime.outages import LAYERS
from detak_collector.downtime.periods import Period, PeriodError, local_year, parse_period
from detak_collector.store.outages import Place, Sought
from detak_collector.translation.language import mark
from detak_collector.web.api_v1.access import Access, Reader
from detak_collector.web.api_v1.answers import Trouble
from detak_collector.web.api_v1.cursors import CursorError, closed, opened
from detak_collector.web.api_v1.data_sheets import FIGURE, IN_FIGURE, NOT_IN_FIGURE, NumbersData
from detak_collector.web.session import Person
from detak_collector.web.sheet_pages import ODD
from detak_collector.web.telling import Telling
from detak_collector.web.work.annotations import reader, sign_in_first, telling, work_page
from detak_collector.web.work.annotations_desk import Desk
from detak_collector.web.work.annotations_view import Row
from detak_collector.web.work.annotations_words import shared_values

AT_ONCE = 100
LONGEST = 200
RUNNING, OVER, UNACKNOWLEDGED, UNANNOTATED = "running", "over", "unacknowledged", "unannotated"
NO_PERIOD = mark("There is no such period: write it as 2026, 2026-S1, 2026-Q3, 2026-10 or 2026-10-05.")
STATES = {
    RUNNING: mark("still going on"),
    OVER: mark("over"),
    UNACKNOWLEDGED: mark("not acknowledged yet"),
    UNANNOTATED: mark("not annotated yet"),
}
FIGURE_WORDS = {IN_FIGURE: mark("in the figure"), NOT_IN_FIGURE: mark("not in the figure")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query string asks for; what is empty leaves nothing out. `before` and `after` are cursors."""

    service: str = ""
    period: str = ""
    state: str = ""
    cause: str = ""
    figure: str = ""
    before: str = ""
    after: str = ""

    @property
    def is_derived(self) -> bool:
        """Whether the register alone cannot tell."""
        return bool(self.cause or self.figure)

    def query(self, **cursor: str) -> str:
        """The same as a query string, from another place on."""
        kept = {name: getattr(self, name) for name in ("service", "period", "state", "cause", "figure")}
        told = {name: value for name, value in {**kept, **cursor}.items() if value}
        return f"?{urlencode(told)}"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, the latest first; the cursors lead on, and are empty at either end."""

    known: Sequence[Known] = ()
    earlier: str = ""
    later: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is sought; or what is wrong with the period, or why nothing can be said of it."""

    sought: Sought | None = None
    fault: str = ""
    trouble: str = ""


def asked_of(values: Mapping[str, str]) -> Asked | None:
    """What a query string asks for; None where it asks for what there never is."""
    asked = Asked(**{name: values.get(name, "").strip()[:LONGEST] for name in Asked.__slots__})
    known = (asked.state, ("", *STATES)), (asked.cause, ("", *LAYERS)), (asked.figure, ("", *FIGURE))
    return asked if all(value in values for value, values in known) else None


def place_of(cursor: str) -> Place | None:
    """Where a cursor points to; None without one. Raises CursorError."""
    if not cursor:
        return None
    begin, _, number = opened(cursor).partition(".")
    if not (begin.isascii() and begin.isdigit() and number.isascii() and number.isdigit()):
        raise CursorError(f"no cursor of this list (got {cursor[:100]})")
    return int(begin), int(number)


def cursor_of(one: Known) -> str:
    """The cursor of an outage."""
    return closed(f"{one.begin}.{one.number}")


@dataclass(frozen=True, slots=True)
class OutageList:
    """The page. `access` has derived what the register does not know."""

    desk: Desk
    access: Access
    most: int = field(default=AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """The route to add to an application."""
        return [web.get("/outages", self.shown)]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """The outages that are asked for, the latest first."""
        may_see, person = await reader(self.desk, request)
        if not may_see:
            return sign_in_first(request)
        tell, asked = telling(self.desk, request), asked_of(request.query)
        if asked is None:
            raise web.HTTPNotFound(text=ODD)
        if asked.is_derived and not asked.period:
            asked = replace(asked, period=str(local_year(tell.now, tell.zone)))
        told = await self.desk.told()
        wanted = await self._wanted(asked, tell, told, person)
        try:
            page = await asyncio.to_thread(self._page, asked, wanted.sought)
        except CursorError:
            raise web.HTTPNotFound(text=ODD) from None
        name = self.desk.service_name
        rows = [Row(one, name(one.service, one.begin), told.of_outage(one.number)) for one in page.known]
        status = 404 if wanted.fault else 200
        return work_page(
            self.desk, request, person, "work/outages.html", tell, status,
            title=tell.language.say("Outages"), rows=rows, page=page, asked=asked, nothing_asked=Asked(),
            fault=wanted.fault, trouble=wanted.trouble or None, most=str(self.most),
            **self._choices(tell), **shared_values(tell),
        )  # fmt: skip

    async def _wanted(self, asked: Asked, tell: Telling, told: ToldOfAll, person: Person | None) -> _Wanted:
        period: Period | None = None
        if asked.period:
            try:
                period = parse_period(asked.period, tell.zone, tell.now)
            except PeriodError:
                return _Wanted(fault=tell.language.say(NO_PERIOD))
        only: frozenset[int] | None = None
        if asked.is_derived:
            drawn = await self.access.derived(
                Reader(person, whole=True), NumbersData(asked.period, asked.cause, asked.figure)
            )
            if drawn.status != 200:
                return _Wanted(trouble=msgspec.json.decode(drawn.page.plain, type=Trouble).detail)
            only = frozenset(msgspec.json.decode(drawn.page.plain, type=list[int]))
        return _Wanted(Sought(
            asked.service,
            None if period is None else (period.begin, period.end),
            {RUNNING: True, OVER: False}.get(asked.state),
            only,
            _said_already(asked.state, told),
        ))  # fmt: skip

    def _page(self, asked: Asked, sought: Sought | None) -> Page:
        if sought is None:
            return Page()
        outages, after = self.desk.people.store.outages, place_of(asked.after)
        if after is not None:
            found = outages.following(self.most + 1, sought, after)
            shown, more = found[-self.most :], len(found) > self.most
            return Page(shown, cursor_of(shown[-1]) if shown else "", cursor_of(shown[0]) if more else "")
        before = place_of(asked.before)
        found = outages.latest(self.most + 1, sought, before)
        shown, more = found[: self.most], len(found) > self.most
        later = cursor_of(shown[0]) if shown and before is not None else ""
        return Page(shown, cursor_of(shown[-1]) if more else "", later)

    def _choices(self, tell: Telling) -> dict[str, object]:
        say = tell.language.say
        return {
            "services": {one.id: one.name.value_at(tell.now - 1) for one in self.desk.rules().catalogue.services},
            "states": {state: say(words) for state, words in STATES.items()},
            "causes": {cause: tell.cause(cause) for cause in LAYERS},
            "figures": {figure: say(words) for figure, words in FIGURE_WORDS.items()},
        }


def _said_already(state: str, told: ToldOfAll) -> frozenset[int]:
    """The outages of which that was said which the state says is still to be said."""
    if state == UNACKNOWLEDGED:
        return frozenset(number for number, one in told.outages.items() if one.acknowledgements)
    if state == UNANNOTATED:
        return frozenset(number for number, one in told.outages.items() if one.latest is not None)
    return frozenset()


def add_outage_list(app: web.Application, desk: Desk, access: Access) -> None:
    """Adds the page."""
    app.add_routes(OutageList(desk, access).routes())
