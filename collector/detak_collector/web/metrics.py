"""GET /api/v1/nodes/{node}/metrics: what the charts of a node are drawn from. It speaks HTTP and decides nothing."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import msgspec
from aiohttp import web

from detak_collector.clocks import Clock
from detak_collector.metrics import columns
from detak_collector.operating.counters import refusals
from detak_collector.store.base import NodeMetrics, StoreError
from detak_wire import limits
from detak_wire.codec import encode
from detak_wire.messages import Problem

JSON = "application/json"
DAY_MS = 86_400_000
DEFAULT_POINTS = 500
MOST_POINTS = 2_000
LONGEST_MS = 400 * DAY_MS
"""No longer than anything is kept."""

_WHOLE = re.compile(r"[0-9]{1,15}")


class _RefusedError(Exception):
    def __init__(self, path: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem("invalid", detail, path)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants: no more than `points` moments of [begin, end) in UTC milliseconds."""

    begin: int
    end: int
    points: int


def asked(request: web.Request, now_utc: int) -> Asked:
    """The query with its defaults: the last day up to now. Raises _RefusedError."""
    unknown = sorted(set(request.query) - {"from", "to", "points"})
    if unknown:
        raise _RefusedError(unknown[0], "unknown; known are from, points, to")
    end = _number(request, "to", now_utc, limits.UTC_MS)
    begin = _number(request, "from", max(0, end - DAY_MS), limits.UTC_MS)
    points = _number(request, "points", DEFAULT_POINTS, MOST_POINTS)
    if not 0 < end - begin <= LONGEST_MS:
        raise _RefusedError("from", f"must lie before `to`, by no more than {LONGEST_MS} ms")
    if points < 1:
        raise _RefusedError("points", f"must lie between 1 and {MOST_POINTS}")
    return Asked(begin, end, points)


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or int(text) > most:
        raise _RefusedError(name, f"must be a whole number up to {most}; times are milliseconds since 1970 UTC")
    return int(text)


class MetricsApi:
    """The endpoint on the store's metrics."""

    def __init__(self, store: NodeMetrics, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [web.get("/api/v1/nodes/{node}/metrics", self.metrics)]

    async def metrics(self, request: web.Request) -> web.Response:
        """The moments of a node as columns."""
        node = request.match_info["node"]
        try:
            want = asked(request, self._clock().utc)
            body = await asyncio.to_thread(self._body, node, want)
        except _RefusedError as error:
            return _refused(400, error.problem)
        except StoreError:
            return _refused(503, Problem("unavailable", "the store cannot be read now"))
        if body is None:
            return _refused(404, Problem("unknown", f"no node {node!r} is known here"))
        return _answer(200, body)

    def _body(self, node: str, want: Asked) -> bytes | None:
        found = self._store.read(node, want.begin, want.end, want.points)
        if found is None:
            return None
        return msgspec.json.encode({"node": node, "from": want.begin, "to": want.end, **columns(found)})


def _refused(status: int, problem: Problem) -> web.Response:
    refusals.count(problem.error)
    return _answer(status, encode(problem))


def _answer(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type=JSON, headers={"Cache-Control": "no-store"})
