"""Puts together what programs read: the JSON API, the feed, the badges, and the tokens by which they sign in."""

from __future__ import annotations

from aiohttp import web

from detak_collector.web.api_v1.access import Access
from detak_collector.web.api_v1.endpoints import ReadingApi
from detak_collector.web.api_v1.tokens_api import TokensApi
from detak_collector.web.badge import Badges
from detak_collector.web.feed import Feed
from detak_collector.web.live import Live
from detak_collector.web.people import People
from detak_collector.web.sheet_pages import Kept
from detak_collector.web.work.token_pages import add_token_pages


def add_reading(app: web.Application, people: People, live: Live, kept: Kept) -> Access:
    """Adds the endpoints; `live` tells how all services stand, `kept` has everything else derived."""
    access = Access(people.gate, kept, people.clock)
    reading = (ReadingApi(people, access, live), TokensApi(people, access), Feed(people, access, live))
    for one in (*reading, Badges(access, live)):
        app.add_routes(one.routes())
    add_token_pages(app, people)
    return access
