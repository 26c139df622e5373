"""The routes of the maintenance calendar: its pages, its file, and the same for programs."""

from __future__ import annotations

from aiohttp import web

from detak_collector.web.work.calendar_import import CalendarImport
from detak_collector.web.work.calendar_pages import CalendarPages
from detak_collector.web.work.exclusions_desk import Desk


def add_calendar(app: web.Application, desk: Desk) -> None:
    """Adds them."""
    pages, taking = CalendarPages(desk), CalendarImport(desk)
    app.add_routes(
        [
            web.get("/calendar", pages.calendar),
            web.get("/calendar.ics", pages.file),
            web.get("/calendar/import", taking.fresh),
            web.post("/calendar/import", taking.take),
            web.get("/api/v1/calendar", pages.windows),
            web.post("/api/v1/calendar", taking.sent),
        ]
    )
