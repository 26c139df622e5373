"""Where connections come in: strangers are limited, and what is slow or no HTTP is turned away and counted.

A visitor is one connection. It is a stranger until a valid key has come over it.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.http import HttpProcessingError, HttpVersion10

from detak_collector.channel.certificate_refusals import CertificateRefusals
from detak_collector.channel.limits import STRANGER_CONNECTIONS, STRANGER_REQUESTS, Allowances
from detak_collector.clocks import Clock
from detak_collector.operating.counters import refusals

HEAD_S = 20.0
"""A request's head must be whole so long after its first byte, and the first one so long after the connection."""

IDLE_S = 90.0
"""A stranger may keep a connection so long without a request."""

SWEEP_S = 2.0
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

NO_HTTP = "This is not a request of HTTP/1.1 that is served here.\n"
_REASONS = {400: "malformed", 404: "not_found", 405: "method"}

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Door:
    """What is known of all visitors. One for each process, used in its event loop only."""

    clock: Clock
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    certificates: CertificateRefusals = field(default_factory=CertificateRefusals)
    strangers: Allowances = field(default_factory=lambda: Allowances(STRANGER_REQUESTS))
    visitors: set[Visitor] = field(default_factory=set)
    connections: Counter[str] = field(default_factory=Counter)
    """Of each address, the open ones of strangers."""
    most_strangers: int = field(default_factory=lambda: open_files() // 2)
    """Of all addresses together: agents find room whatever strangers do."""
    _strangers: int = field(default=0, init=False)

    def has_room(self, address: str) -> bool:
        """Whether another stranger may come from there."""
        return self._strangers < self.most_strangers and self.connections[address] < STRANGER_CONNECTIONS

    def enters(self, address: str) -> None:
        """A stranger has come."""
        self._strangers += 1
        self.connections[address] += 1

    def is_no_stranger(self, address: str) -> None:
        """One has left, or has shown a key."""
        self._strangers -= 1
        self.connections[address] -= 1
        if not self.connections[address]:
            del self.connections[address]

    def sweep(self, now_s: float) -> None:
        """Sends away who is too slow."""
        for visitor in list(self.visitors):
            if visitor.is_slow(now_s):
                refusals.count("slow")
                visitor.turn_away(_TOO_SLOW)
            elif visitor.is_idle(now_s):
                visitor.turn_away(b"")

    async def run(self) -> None:
        """Sweeps for ever; but where this loop itself came late, what waited was ours to read, and nobody was slow."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + SWEEP_S
            await asyncio.sleep(SWEEP_S)
            if loop.time() - due < SWEEP_S:
                self.sweep(loop.time())

    @web.middleware
    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Knows of each visitor whether a request of his is being answered."""
        visitor = request.protocol
        if not isinstance(visitor, Visitor):
            return await handler(request)
        visitor.begins_answer()
        try:
            if is_ambiguous(request):
                raise web.HTTPBadRequest(text=NO_HTTP)
            return await handler(request)
        except web.HTTPException as error:
            if error.status >= 400:
                refusals.count(_REASONS.get(error.status, "page"))
            raise
        finally:
            visitor.ends_answer()


class Visitor(web.RequestHandler):
    """One connection, once TLS is agreed on."""

    __slots__ = ("_answering", "_door", "_idle_since", "_partial_since", "address", "is_stranger")

    def __init__(self, door: Door, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
        self._door = door
        self._answering = False
        self._idle_since = loop.time()
        self._partial_since: float | None = self._idle_since
        self.address = ""
        self.is_stranger = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio says."""
        self.address = address_of(transport)
        if not self._door.has_room(self.address):
            refusals.count("connections")
            transport.abort()  # type: ignore[attr-defined]
            return
        self._door.enters(self.address)
        self._door.visitors.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """As asyncio says."""
        if self in self._door.visitors:
            self._door.visitors.discard(self)
            if self.is_stranger:
                self._door.is_no_stranger(self.address)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As asyncio says."""
        if self._partial_since is None:
            self._partial_since = self._loop.time()
        super().data_received(data)

    def begins_answer(self) -> None:
        """A request's head is whole."""
        self._answering, self._partial_since = True, None

    def ends_answer(self) -> None:
        """It is answered."""
        self._answering, self._partial_since = False, None
        self._idle_since = self._loop.time()

    def shows_key(self) -> None:
        """A valid key came: this is a node's agent, whatever address it has."""
        if self.is_stranger:
            self.is_stranger = False
            self._door.is_no_stranger(self.address)
        self._door.certificates.heard(self.address)

    def is_slow(self, now_s: float) -> bool:
        """Whether a request is begun and not whole for too long."""
        return not self._answering and self._partial_since is not None and now_s - self._partial_since > HEAD_S

    def is_idle(self, now_s: float) -> bool:
        """Whether a stranger keeps the connection for nothing."""
        return self.is_stranger and not self._answering and now_s - self._idle_since > IDLE_S

    def turn_away(self, farewell: bytes) -> None:
        """Ends the connection."""
        if self.transport is not None and farewell:
            self.transport.write(farewell)
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is answered shortly and counted: it is nobody's fault here, and needs no traceback."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        refusals.count("malformed")
        _log.debug("malformed request from %s: %s", self.address, exc.message)
        response = web.Response(status=status, text=NO_HTTP)
        response.force_close()
        return response


def open_files() -> int:
    """How many files and connections this process may have open, once it has asked for all that it is granted."""
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))
    return granted


def is_ambiguous(request: web.BaseRequest) -> bool:
    """Where another server on the way may see another end of the request than this one (RFC 9112, section 6.1)."""
    return request.version < HttpVersion10 or (
        request.version == HttpVersion10 and "Transfer-Encoding" in request.headers
    )


def address_of(transport: asyncio.BaseTransport) -> str:
    """Where the other end is, without its port."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""
