"""What the JSON API says where it has no answer (RFC 9457), and how a refusal becomes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from detak_collector.web.api_v1.answers import Trouble

PROBLEM = "application/problem+json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def trouble(status: int, detail: str) -> bytes:
    """The body."""
    return msgspec.json.encode(Trouble(title=HTTPStatus(status).phrase, status=status, detail=detail.strip()))


def refused(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """The answer."""
    fresh = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(status=status, body=trouble(status, detail), content_type=PROBLEM, headers=fresh)


def guarded(handler: Handler) -> Handler:
    """The same, with every refusal as a problem."""

    async def guarded_handler(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            kept = {name: error.headers[name] for name in ("Retry-After", "WWW-Authenticate") if name in error.headers}
            return refused(error.status, error.text or error.reason, kept)

    return guarded_handler
