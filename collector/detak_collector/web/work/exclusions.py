"""The routes of work on exclusions and declarations: pages, and the same for programs."""

from __future__ import annotations

from aiohttp import web

from detak_collector.web.people import People
from detak_collector.web.sheet_pages import Kept
from detak_collector.web.work.audit import add_audit
from detak_collector.web.work.calendar import add_calendar
from detak_collector.web.work.declarations import add_declarations
from detak_collector.web.work.exclusions_api import CorrectionsApi
from detak_collector.web.work.exclusions_desk import Desk
from detak_collector.web.work.exclusions_pages import CorrectionPages
from detak_collector.web.work.exclusions_words import EXCLUSIONS
from detak_collector.web.work.past import add_past


def add_corrections(app: web.Application, people: People, sheets: Kept) -> None:
    """Adds all work on them and on past outages; `sheets` is where what a proposal changes is derived."""
    desk = Desk(people, sheets)
    add_exclusions(app, desk)
    add_declarations(app, desk)
    add_calendar(app, desk)
    add_audit(app, desk)
    add_past(app, people, sheets)


def add_exclusions(app: web.Application, desk: Desk) -> None:
    """Adds those of exclusions."""
    pages = CorrectionPages(desk, EXCLUSIONS)
    app.add_routes(
        [
            web.get("/exclusions", pages.listing),
            web.get("/exclusions/new", pages.fresh),
            web.post("/exclusions/new", pages.propose),
            web.get("/exclusions/{name}", pages.one),
            web.post("/exclusions/{name}", pages.decide),
            web.get("/exclusions/{name}/amend", pages.amending),
            web.post("/exclusions/{name}/amend", pages.amend),
            web.get("/exclusions/{name}/withdraw", pages.withdrawing),
            web.post("/exclusions/{name}/withdraw", pages.withdraw),
        ]
    )
    api = CorrectionsApi(desk, EXCLUSIONS)
    app.add_routes(
        [
            web.get("/api/v1/exclusions", api.listing),
            web.post("/api/v1/exclusions", api.propose),
            web.post("/api/v1/exclusions/effect", api.imagined),
            web.get("/api/v1/exclusions/{name}", api.one),
            web.get("/api/v1/exclusions/{name}/effect", api.effect),
            web.post("/api/v1/exclusions/{name}/amendments", api.amend),
            web.post("/api/v1/exclusions/{name}/withdrawal", api.withdraw),
            web.post("/api/v1/exclusions/{name}/decision", api.decide),
            web.post("/api/v1/exclusions/{name}/claims", api.claim),
        ]
    )
