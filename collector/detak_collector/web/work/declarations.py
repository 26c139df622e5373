"""The routes of declarations: their pages, and the same for programs."""

from __future__ import annotations

from aiohttp import web

from detak_collector.web.work.exclusions_api import CorrectionsApi
from detak_collector.web.work.exclusions_desk import Desk
from detak_collector.web.work.exclusions_pages import CorrectionPages
from detak_collector.web.work.exclusions_words import DECLARATIONS


def add_declarations(app: web.Application, desk: Desk) -> None:
    """Adds those of declarations."""
    pages = CorrectionPages(desk, DECLARATIONS)
    app.add_routes(
        [
            web.get("/declarations", pages.listing),
            web.get("/declarations/new", pages.fresh),
            web.post("/declarations/new", pages.propose),
            web.get("/declarations/{name}", pages.one),
            web.post("/declarations/{name}", pages.decide),
            web.get("/declarations/{name}/amend", pages.amending),
            web.post("/declarations/{name}/amend", pages.amend),
            web.get("/declarations/{name}/withdraw", pages.withdrawing),
            web.post("/declarations/{name}/withdraw", pages.withdraw),
        ]
    )
    api = CorrectionsApi(desk, DECLARATIONS)
    app.add_routes(
        [
            web.get("/api/v1/declarations", api.listing),
            web.post("/api/v1/declarations", api.propose),
            web.post("/api/v1/declarations/effect", api.imagined),
            web.get("/api/v1/declarations/{name}", api.one),
            web.get("/api/v1/declarations/{name}/effect", api.effect),
            web.post("/api/v1/declarations/{name}/amendments", api.amend),
            web.post("/api/v1/declarations/{name}/withdrawal", api.withdraw),
            web.post("/api/v1/declarations/{name}/decision", api.decide),
        ]
    )
