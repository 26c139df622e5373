"""The routes of the status page: GET / and /status/fragment, /live (server-sent events), /static. No decisions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from detak_collector.web.assets import Assets, Body
from detak_collector.web.live import BoardSource, Live, Pace, Pulse
from detak_collector.web.render import STATIC, TEMPLATES, Renderer, Snapshot

__all__ = ["BoardSource", "Pace", "Pulse", "add_pages"]

HTML = "text/html"
REVALIDATE = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
WRITE_TIMEOUT_S = 20.0
RETRY_MS = 2_000
UNDRAWN = "The status page cannot be drawn at this moment; the collector's log says why. Checks and evidence go on.\n"
CROWDED = "As many pages as allowed are being kept current; this one can only be reloaded.\n"
GUARDS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_pages(app: web.Application, boards: BoardSource, pulse: Pulse, pace: Pace | None = None) -> None:
    """Adds the pages, their background task, and the guarding headers to every answer of `app`."""
    assets = Assets(STATIC, TEMPLATES)
    live = Live(boards, pulse, Renderer(assets).draw, pace or Pace())
    pages = _Pages(live, assets)

    async def background(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(live.run(), name="status page")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def let_go(_: web.Application) -> None:
        live.close()

    app.add_routes(
        [
            web.get("/", pages.status),
            web.get("/status/fragment", pages.fragment),
            web.get("/live", pages.live, allow_head=False),
            web.get("/static/{name}", pages.static),
        ]
    )
    app.cleanup_ctx.append(background)
    app.on_shutdown.append(let_go)
    app.on_response_prepare.append(_guard)


class _Pages:
    def __init__(self, live: Live, assets: Assets) -> None:
        self._live = live
        self._assets = assets

    async def _snapshot(self) -> Snapshot:
        snapshot = await self._live.attempt()
        if snapshot is None:
            raise web.HTTPServiceUnavailable(text=UNDRAWN, headers={"Retry-After": "10"})
        return snapshot

    async def status(self, request: web.Request) -> web.StreamResponse:
        return _answer(request, (await self._snapshot()).page, HTML, REVALIDATE)

    async def fragment(self, request: web.Request) -> web.StreamResponse:
        return _answer(request, (await self._snapshot()).fragment, HTML, REVALIDATE)

    async def static(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.served(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return _answer(request, asset.body, asset.content_type, FOR_EVER)

    async def live(self, request: web.Request) -> web.StreamResponse:
        with self._live.watching() as admitted:
            if not admitted:
                raise web.HTTPServiceUnavailable(text=CROWDED, headers={"Retry-After": "60"})
            await self._live.attempt()
            stream = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
            stream.content_type = "text/event-stream"
            await stream.prepare(request)
            with suppress(ConnectionError, TimeoutError):
                await _pour(stream, self._live.messages())
            return stream


async def _pour(stream: web.StreamResponse, messages: AsyncIterator[bytes]) -> None:
    await stream.write(f"retry: {RETRY_MS}\n\n".encode())
    async for message in messages:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await stream.write(message)


def _answer(request: web.Request, body: Body, content_type: str, cache: str) -> web.Response:
    headers = {"ETag": f'W/"{body.tag}"', "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if any(tag.value == body.tag for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    packed = _takes_gzip(request.headers.get("Accept-Encoding", ""))
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        body=body.packed if packed else body.plain, content_type=content_type, charset="utf-8", headers=headers
    )


def _takes_gzip(accepted: str) -> bool:
    for entry in accepted.lower().split(","):
        coding, _, quality = entry.partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _guard(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in GUARDS.items():
        response.headers.setdefault(name, value)
