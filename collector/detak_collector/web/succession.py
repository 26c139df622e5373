"""Tells agents which copy of the store they speak to, and hears from them of a later one. It stores nothing itself.

The later copy is heard of before this one has acknowledged anything, so that no evidence is left behind in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from detak_collector.copies.instance import Instance
from detak_wire import INSTANCE_HEADER as HEADER

FOR_AGENTS = "/api/"
RETRY_AFTER_S = 30
LATER = "its agents speak to a later copy of its store by now"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Succession:
    """Of one serving process, used in its event loop only."""

    def __init__(self, instance: Instance, collector: str, now_utc: Callable[[], int]) -> None:
        self._now_utc = now_utc
        self._instance = instance
        self._collector = collector
        self._token = instance.token(collector)
        self._superseded = asyncio.Event()

    async def later_copy(self) -> Instance:
        """This copy, fenced, as soon as an agent has told of a later one."""
        await self._superseded.wait()
        return self._instance.fenced(self._now_utc(), LATER)

    @web.middleware
    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What stands before every handler."""
        if not request.path.startswith(FOR_AGENTS):
            return await handler(request)
        told = request.headers.get(HEADER)
        if told is not None and told != self._token and self._instance.is_superseded_by(told, self._collector):
            self._superseded.set()
        if self._superseded.is_set():
            return web.Response(status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
        response = await handler(request)
        response.headers[HEADER] = self._token
        return response
