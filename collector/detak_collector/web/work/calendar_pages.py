"""The maintenance calendar: a month, a list, as iCalendar, and for programs. It enters nothing."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, timedelta
from functools import partial

from aiohttp import web
from babel.dates import get_day_names

from detak_collector.accounts.roles import Right
from detak_collector.decisions.register import Register
from detak_collector.downtime.periods import midnight
from detak_collector.report.wording import scope_words
from detak_collector.translation.language import Language, mark
from detak_collector.web.telling import NONE
from detak_collector.web.work.calendar_windows import (
    AT_ONCE,
    DAYS_AHEAD,
    Planned,
    edges,
    first_of_month,
    month_of,
    planned_between,
    shown_in_calendars,
    window_json,
)
from detak_collector.web.work.exclusions_desk import Desk
from detak_collector.web.work.exclusions_form import instant_of
from detak_collector.web.work.exclusions_json import answered, asker, problem, refusing
from detak_collector.web.work.exclusions_setting import Setting
from detak_collector.web.work.exclusions_view import category_words, times_words

VIEWS = ("month", "list")
ODD = mark("There is no such month: write it as 2026-12.") + "\n"
ICALENDAR = "text/calendar"
LONGEST_MS = 400 * 86_400_000


class CalendarPages:
    """Of one collector."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def calendar(self, request: web.Request) -> web.StreamResponse:
        """A month as a grid, or what comes from its begin on as a list."""
        at = await Setting.seen(self._desk, request)
        zone, now = at.tell.zone, at.tell.now
        first, view = first_of_month(request.query.get("at", ""), zone, now), request.query.get("view", "month")
        number = request.query.get("page", "1")
        if first is None or view not in VIEWS or not (number.isascii() and number.isdigit()):
            raise web.HTTPNotFound(text=ODD)
        register = (await self._desk.known()).register
        begin, end = edges(first, zone)
        if view == "list":
            begin = midnight(first, zone)
            end = midnight(first + timedelta(days=DAYS_AHEAD), zone)
        found = await asyncio.to_thread(planned_between, register, begin, end)
        month = await asyncio.to_thread(month_of, first, found, zone, now)
        pages = max(1, -(-len(found) // AT_ONCE))
        page = min(max(1, int(number[:6])), pages)
        may_propose = at.person is not None and Right.PROPOSE in at.person.rights
        return at.page(
            "calendar.html", title=at.say("Maintenance calendar"), view=view, month=month,
            month_words=at.language.month(first), days=day_names(at.language), page=page, pages=pages,
            rows=found[(page - 1) * AT_ONCE : page * AT_ONCE], may_propose=may_propose,
            last_words=at.language.day(first + timedelta(days=DAYS_AHEAD - 1)),
            first_words=at.language.day(first), clock=partial(_clock, at), times_words=times_words,
            category_words=partial(category_words, language=at.language),
            scope_words=partial(_scope_words, at.language), day_words=at.language.day,
        )  # fmt: skip

    async def file(self, request: web.Request) -> web.StreamResponse:
        """All of it as iCalendar, which calendars of offices take in."""
        person = await self._desk.people.gate.person(request)
        if self._desk.people.terms() is not None and (person is None or Right.SEE not in person.rights):
            raise web.HTTPUnauthorized(
                text="Sign in, or bring a token as the password.\n", headers={"WWW-Authenticate": "Basic"}
            )
        register = (await self._desk.known()).register
        content = await asyncio.to_thread(_written, register)
        tag = hashlib.sha256(content).hexdigest()[:16]
        headers = {
            "ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization",
            "Content-Disposition": 'inline; filename="calendar.ics"',
        }  # fmt: skip
        if any(one.value == tag for one in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=content, content_type=ICALENDAR, charset="utf-8", headers=headers)

    @refusing
    async def windows(self, request: web.Request) -> web.Response:
        """The windows that share time with what is asked for; the next three months, unless it says otherwise."""
        await asker(self._desk, request, Right.SEE)
        begin = instant_of(request.query["from"]) if "from" in request.query else self._desk.now()
        if begin is None:
            return problem(400, "from: an instant such as 2026-12-01T00:00:00Z.")
        end = instant_of(request.query["to"]) if "to" in request.query else begin + DAYS_AHEAD * 86_400_000
        if end is None or not begin < end <= begin + LONGEST_MS:
            return problem(400, "to: an instant later than from, by at most 400 days.")
        register = (await self._desk.known()).register
        found = await asyncio.to_thread(planned_between, register, begin, end)
        return answered(request, {"items": [window_json(one) for one in found], "total": len(found), "next": None})


def day_names(language: Language) -> list[str]:
    """The days of a week from Monday on."""
    names = get_day_names("abbreviated", locale=language.locale)
    return [str(names[day]) for day in range(7)]


def _clock(at: Setting, planned: Planned, day: date) -> str:
    """When it begins, on the day on which it does; on a later one that it goes on."""
    begin = at.tell.stamp(planned.one.begin).rpartition(" ")[2][:5]
    is_first = midnight(day, at.tell.zone) <= planned.one.begin
    return begin if is_first else NONE


def _scope_words(language: Language, planned: Planned) -> str:
    return scope_words(planned.one.scope_kind, planned.one.scope, language)


def _written(register: Register) -> bytes:
    # Imported here, since its library takes a third of a second to load.
    from detak_collector.decisions.calendar_file import write_calendar  # noqa: PLC0415

    return write_calendar(register, shown_in_calendars(register))
