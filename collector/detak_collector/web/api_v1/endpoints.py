"""The JSON API's endpoints that read. They speak HTTP: who asks and what he sees is said by `access`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from detak_collector.board.board import Condition
from detak_collector.board.node_standing import CHECK_STATES, STATES
from detak_collector.board.one_check import KINDS
from detak_collector.report.numbers import iso_utc
from detak_collector.store.base import NodeRow
from detak_collector.web.api_v1 import answers, telling
from detak_collector.web.api_v1.access import UNDERIVED, Access, Reader
from detak_collector.web.api_v1.cursors import AT_ONCE, MOST_AT_ONCE, CursorError, Cut, cut, cut_ordered
from detak_collector.web.api_v1.data_sheets import (
    FIGURE,
    CheckData,
    DataSheet,
    FigureData,
    NodeData,
    OutageData,
    OutagesData,
    ServiceData,
)
from detak_collector.web.api_v1.making import tagged
from detak_collector.web.api_v1.problems import PROBLEM, guarded
from detak_collector.web.assets import Body
from detak_collector.web.live import Live
from detak_collector.web.outage_rows import filtered
from detak_collector.web.pages import answer
from detak_collector.web.people import People

JSON = "application/json"
VARY = "Accept-Encoding, Authorization, Cookie"
OWN = "private, no-cache"
LONGEST_PART = 200
YES = {"": False, "false": False, "true": True}
CONDITIONS = frozenset(Condition)

T = TypeVar("T")


class _Page(msgspec.Struct):
    """Of an answer with a list what its headers need."""

    next: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingApi:
    """Services, outages, figures, nodes and checks."""

    people: People
    access: Access
    live: Live

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/api/v1/services", guarded(self.services)),
            web.get("/api/v1/services/{service}", guarded(self.service)),
            web.get("/api/v1/services/{service}/outages/{outage}", guarded(self.outage)),
            web.get("/api/v1/outages", guarded(self.outages)),
            web.get("/api/v1/figures/{period}", guarded(self.figure)),
            web.get("/api/v1/nodes", guarded(self.nodes)),
            web.get("/api/v1/nodes/{node}", guarded(self.node)),
            web.get("/api/v1/nodes/{node}/checks/{check}", guarded(self.check)),
            web.get("/api/v1/checks", guarded(self.checks)),
        ]

    async def services(self, request: web.Request) -> web.StreamResponse:
        """Every service as it is now."""
        reader = await self.access.reader(request)
        cursor, limit = _cursor(request), _limit(request)
        wanted = _one_of(request, "condition", CONDITIONS)
        overview = await self.live.overview()
        if overview is None:
            raise web.HTTPServiceUnavailable(text=UNDERIVED, headers={"Retry-After": "10"})
        seen = overview if reader.whole else overview.public()
        found = [one for one in seen.services if wanted in {"", one.condition}]
        page = _cut(lambda: cut(found, lambda one: one.id, cursor, limit))
        items = [telling.service_of(one, overview.period) for one in page.items]
        return await told(
            request,
            answers.Services(as_of=iso_utc(overview.now), items=items, total=page.total, next=page.next),
        )

    async def service(self, request: web.Request) -> web.StreamResponse:
        """One service with its days and groups."""
        reader = await self.access.reader(request)
        return await self._derived(request, reader, ServiceData(reader.whole, _part(request, "service")))

    async def outages(self, request: web.Request) -> web.StreamResponse:
        """The outages of a period; of the running year unless another is named."""
        reader = await self.access.reader(request)
        query = request.query
        wanted, running = filtered({**query, "page": "1"}), YES.get(query.get("running", ""))
        if wanted is None or running is None:
            raise web.HTTPBadRequest(text="cause, excluded or running: no such value; the description lists them")
        figure = _one_of(request, "figure", frozenset(FIGURE))
        period = query.get("period", "")[:LONGEST_PART]
        self.access.refuse_their(reader, period)
        sheet = OutagesData(
            reader.whole, period, wanted.service, wanted.cause, wanted.excluded, running, _cursor(request),
            _limit(request), figure,
        )  # fmt: skip
        return await self._derived(request, reader, sheet)

    async def outage(self, request: web.Request) -> web.StreamResponse:
        """Why each second of an outage counts or does not."""
        reader = await self.access.seer(request)
        return await self._derived(request, reader, OutageData(_part(request, "service"), _part(request, "outage")))

    async def figure(self, request: web.Request) -> web.StreamResponse:
        """The figure of a period."""
        reader = await self.access.seer(request)
        return await self._derived(request, reader, FigureData(_part(request, "period")))

    async def nodes(self, request: web.Request) -> web.StreamResponse:
        """Every node."""
        await self.access.seer(request)
        cursor, limit, wanted = _cursor(request), _limit(request), _one_of(request, "state", frozenset(STATES))
        now, down_after_ms, rows = await self._rows()
        known = sorted((telling.node_of(row, now, down_after_ms) for row in rows), key=lambda one: one.name)
        found = [one for one in known if wanted in {"", one.state}]
        page = _cut(lambda: cut_ordered(found, lambda one: one.name, cursor, limit))
        return await told(
            request, answers.Nodes(as_of=iso_utc(now), items=list(page.items), total=page.total, next=page.next)
        )

    async def checks(self, request: web.Request) -> web.StreamResponse:
        """Every check."""
        await self.access.seer(request)
        cursor, limit, wanted = _cursor(request), _limit(request), _one_of(request, "state", frozenset(CHECK_STATES))
        node = request.query.get("node", "")
        now, down_after_ms, rows = await self._rows()
        rows = [row for row in rows if node in {"", row.name}]
        found = [one for one in telling.checks_of(rows, now, down_after_ms) if wanted in {"", one.state}]
        page = _cut(lambda: cut_ordered(found, lambda one: one.check, cursor, limit))
        return await told(
            request, answers.Checks(as_of=iso_utc(now), items=list(page.items), total=page.total, next=page.next)
        )

    async def node(self, request: web.Request) -> web.StreamResponse:
        """One node with its checks."""
        reader = await self.access.seer(request)
        return await self._derived(request, reader, NodeData(_part(request, "node")))

    async def check(self, request: web.Request) -> web.StreamResponse:
        """One check, with its stretches of a period."""
        reader = await self.access.seer(request)
        period, kind = request.query.get("period", "")[:LONGEST_PART], _one_of(request, "kind", frozenset(KINDS))
        sheet = CheckData(
            _part(request, "node"), _part(request, "check"), period, kind, _cursor(request), _limit(request)
        )
        return await self._derived(request, reader, sheet)

    async def _rows(self) -> tuple[int, int, list[NodeRow]]:
        now = self.people.clock()
        rows = await asyncio.to_thread(self.people.store.registry.listing, now)
        return now.utc, self.people.config().down_after_ms, rows

    async def _derived(self, request: web.Request, reader: Reader, sheet: DataSheet) -> web.StreamResponse:
        drawn = await self.access.derived(reader, sheet)
        if drawn.status != 200:
            return web.Response(
                status=drawn.status, body=drawn.page.plain, content_type=PROBLEM, headers={"Cache-Control": "no-store"}
            )
        return _sent(request, drawn.page)


async def told(request: web.Request, answered: answers.Answer) -> web.StreamResponse:
    """The answer as it is sent."""
    return _sent(request, await asyncio.to_thread(tagged, answered))


def _sent(request: web.Request, body: Body) -> web.Response:
    """The answer, or word that it is as it was; with the way to the next page of a list."""
    response = answer(request, body, JSON, OWN)
    response.headers["Vary"] = VARY
    following = msgspec.json.decode(body.plain, type=_Page).next
    if following is not None:
        query: Mapping[str, str] = {**request.query, "cursor": following}
        response.headers["Link"] = f'<?{urlencode(query)}>; rel="next"'
    return response


def _cut(work: Callable[[], Cut[T]]) -> Cut[T]:
    try:
        return work()
    except CursorError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


def _part(request: web.Request, name: str) -> str:
    part = request.match_info[name]
    if len(part) > LONGEST_PART:
        raise web.HTTPNotFound(text="There is no such thing: its name is too long.")
    return part


def _cursor(request: web.Request) -> str:
    cursor = request.query.get("cursor", "")
    if len(cursor) > 2 * LONGEST_PART:
        raise web.HTTPBadRequest(text="cursor: too long for one of ours")
    return cursor


def _limit(request: web.Request) -> int:
    told = request.query.get("limit", str(AT_ONCE))
    if not (told.isascii() and told.isdigit()) or not 1 <= int(told[:6]) <= MOST_AT_ONCE:
        raise web.HTTPBadRequest(text=f"limit: a number from 1 to {MOST_AT_ONCE} (got {told[:20]})")
    return int(told)


def _one_of(request: web.Request, name: str, known: frozenset[str]) -> str:
    told = request.query.get(name, "")
    if told and told not in known:
        raise web.HTTPBadRequest(text=f"{name}: one of {', '.join(sorted(known))} (got {told[:40]})")
    return told
