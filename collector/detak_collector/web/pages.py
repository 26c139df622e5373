"""The routes of the status page: GET / and /status/fragment, /live (server-sent events), /static. No decisions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.operating.counters import refusals
from detak_collector.translation.saying import mark
from detak_collector.web.assets import Assets, Body
from detak_collector.web.live import Live, Pace, Pulse, SnapshotSource
from detak_collector.web.render import OWN_PATHS, STATIC, TEMPLATES, WHO, Snapshot
from detak_collector.web.session import Gate, Person
from detak_collector.web.speaking import asked_for, own_paths, sign_in_line, who

__all__ = ["Pace", "Pulse", "SnapshotSource", "add_pages"]

HTML = "text/html"
REVALIDATE = "no-cache"
OWN = "private, no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
WRITE_TIMEOUT_S = 20.0
STILL_S = 5.0
"""How often it is asked whether who watches still may see what he saw at first."""
RETRY_MS = 2_000
UNDRAWN = (
    mark("The status page cannot be drawn at this moment; the collector's log says why. Checks and evidence go on.")
    + "\n"
)
CROWDED = (
    mark("As many pages as allowed are being kept current, here or from your address; this one can only be reloaded.")
    + "\n"
)
VARY = "Accept-Encoding, Accept-Language, Cookie"
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


def add_pages(
    app: web.Application, source: SnapshotSource, pulse: Pulse, pace: Pace | None = None, gate: Gate | None = None
) -> Live:
    """Adds the pages, their background task, and the guarding headers to every answer of `app`.

    What it returns tells other endpoints how all services stand. Without a `gate`, and while collector.toml has no
    [sign_in], everybody sees everything.
    """
    assets = Assets(STATIC, TEMPLATES)
    live = Live(source, pulse, pace or Pace())
    pages = _Pages(live, assets, gate)

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
    return live


class _Pages:
    def __init__(self, live: Live, assets: Assets, gate: Gate | None) -> None:
        self._live = live
        self._assets = assets
        self._gate = gate

    async def _snapshot(self, code: str, *, whole: bool) -> Snapshot:
        latest = await self._live.snapshot(code)
        snapshot = None if latest is None else latest if whole else latest.public
        if snapshot is None:
            raise web.HTTPServiceUnavailable(text=UNDRAWN, headers={"Retry-After": "10"})
        return snapshot

    async def _reader(self, request: web.Request) -> tuple[bool, Person | None]:
        """Whether he sees everything, and who he is, where people sign in."""
        if self._gate is None or self._gate.terms() is None:
            return True, None
        person = await self._gate.person(request)
        return person is not None and Right.SEE in person.rights, person

    async def status(self, request: web.Request) -> web.StreamResponse:
        whole, person = await self._reader(request)
        code = asked_for(request)
        page = (await self._snapshot(code, whole=whole)).page
        if person is None:
            return answer(request, page, HTML, REVALIDATE)
        told = who(person.account.display, "", code).encode()
        own = page.plain.replace(WHO if whole else sign_in_line(code).encode(), told, 1)
        own = own.replace(OWN_PATHS, own_paths(person.paths, "./", code).encode(), 1)
        return answer(request, await asyncio.to_thread(Body.of, own), HTML, OWN)

    async def fragment(self, request: web.Request) -> web.StreamResponse:
        whole, person = await self._reader(request)
        fragment = (await self._snapshot(asked_for(request), whole=whole)).fragment
        return answer(request, fragment, HTML, REVALIDATE if person is None else OWN)

    async def static(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.served(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return answer(request, asset.body, asset.content_type, FOR_EVER)

    async def live(self, request: web.Request) -> web.StreamResponse:
        whole, person = await self._reader(request)
        code = asked_for(request)
        with self._live.watching(code, self._address(request) if person is None else None) as admitted:
            if not admitted:
                refusals.count("watchers")
                return web.Response(status=503, text=CROWDED, headers={"Retry-After": "60"})
            await self._live.snapshot(code)
            stream = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
            stream.content_type = "text/event-stream"
            await stream.prepare(request)
            with suppress(ConnectionError, TimeoutError):
                messages = self._live.messages(code, _whole if whole else _public)
                await _pour(stream, messages, partial(self._sees, request, whole))
            return stream

    def _address(self, request: web.Request) -> str:
        return request.remote or "" if self._gate is None else self._gate.address(request)

    async def _sees(self, request: web.Request, whole: bool) -> bool:  # noqa: FBT001 - bound once, asked often
        """Whether he still sees as much as when he began to watch."""
        return (await self._reader(request))[0] is whole


def _whole(snapshot: Snapshot) -> Snapshot:
    return snapshot


def _public(snapshot: Snapshot) -> Snapshot | None:
    return snapshot.public


async def _pour(
    stream: web.StreamResponse, messages: AsyncIterator[bytes], is_for_him: Callable[[], Awaitable[bool]]
) -> None:
    await stream.write(f"retry: {RETRY_MS}\n\n".encode())
    loop = asyncio.get_running_loop()
    asked = loop.time()
    async for message in messages:
        # A message says only that there is something new: who may fetch that is asked again each time.
        if loop.time() - asked > STILL_S:
            if not await is_for_him():
                return
            asked = loop.time()
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await stream.write(message)


def answer(request: web.Request, body: Body, content_type: str, cache: str) -> web.Response:
    """The body, packed where the browser takes that, or word that it has it already."""
    headers = {"ETag": f'W/"{body.tag}"', "Cache-Control": cache, "Vary": VARY}
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
