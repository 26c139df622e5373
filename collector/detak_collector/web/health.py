"""GET /healthz, /readyz and /metrics: for supervisors and Prometheus. They speak HTTP; others know and decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from detak_collector.board.node_standing import Census
from detak_collector.operating.exposition import CONTENT_TYPE, exposition
from detak_collector.operating.own_metrics import Told, families
from detak_collector.operating.readiness import Standing, faults, report
from detak_collector.store.base import StoreError

JSON = "application/json"
CENSUS_S = 10.0
"""However often and by however many /metrics is asked, nodes are counted no more often than that."""

FRESH = {"Cache-Control": "no-store"}


@dataclass(slots=True)
class Health:
    """The three endpoints. `census` counts nodes in a thread; `told` and `standing` look at what is in memory."""

    version: str
    collector: str
    standing: Callable[[], Standing]
    told: Callable[[Census | None, bool], Told]
    census: Callable[[], Census]
    _counted: Census | None = field(default=None, init=False)
    _counted_at: float = field(default=-CENSUS_S, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def healthz(self, _: web.Request) -> web.Response:
        """That this process answers."""
        return _json(200, {"status": "ok", "version": self.version, "collector": self.collector})

    async def readyz(self, _: web.Request) -> web.Response:
        """Whether evidence can be stored now."""
        standing = self.standing()
        return _json(503 if faults(standing) else 200, report(standing))

    async def metrics(self, _: web.Request) -> web.Response:
        """Every number, for Prometheus."""
        told = self.told(await self._census(), not faults(self.standing()))
        body = exposition(tuple(families(told)))
        return web.Response(body=body, headers={**FRESH, "Content-Type": CONTENT_TYPE})

    async def _census(self) -> Census | None:
        """How many nodes there are of each kind, as of a few seconds ago; None where the store cannot be read."""
        async with self._lock:
            if time.monotonic() - self._counted_at >= CENSUS_S:
                self._counted_at = time.monotonic()
                try:
                    self._counted = await asyncio.to_thread(self.census)
                except StoreError:
                    self._counted = None
            return self._counted


def _json(status: int, content: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type=JSON, headers=FRESH)
