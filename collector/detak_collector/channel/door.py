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
from detak_collector.channel.limits import (
    MOST_STRANGERS,
    STRANGER_CONNECTIONS,
    STRANGER_REQUESTS,
    STRANGERS_RESTING,
    OfAddresses,
    place_of,
)
from detak_collector.clocks import Clock
from detak_collector.operating.counters import refusals

HEAD_S = 20.0
"""A request's head must be whole so long after its first byte, and the first one so long after the connection."""

IDLE_S = 90.0
"""A stranger may keep a connection so long without a request."""

TAKE_S = 30.0
"""A stranger must take something of his answer within so long: what he leaves waits in memory."""

SWEEP_S = 2.0
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

NO_HTTP = "This is not a request of HTTP/1.1 that is served here.\n"
SERVER = "Detak"
"""What an answer says of the program: no version, and none of what it is made with."""

_REASONS = {400: "malformed", 404: "not_found", 405: "method"}

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Door:
    """What is known of all visitors. One for each process, used in its event loop only."""

    clock: Clock
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    certificates: CertificateRefusals = field(default_factory=CertificateRefusals)
    strangers: OfAddresses = field(default_factory=lambda: OfAddresses(STRANGER_REQUESTS))
    visitors: set[Visitor] = field(default_factory=set)
    connections: Counter[str] = field(default_factory=Counter)
    """Of each place, the open ones of strangers."""
    most_strangers: int = field(default_factory=lambda: min(MOST_STRANGERS, open_files() // 2))
    """Of all addresses together: agents find room whatever strangers do."""
    _strangers: int = field(default=0, init=False)
    _resting: dict[str, dict[Visitor, None]] = field(default_factory=dict, init=False)
    """Of each place, its strangers who were answered, the one that rests longest first."""

    def has_room(self, address: str) -> bool:
        """Whether another stranger may come from there."""
        return self._strangers < self.most_strangers and self.connections[place_of(address)] < STRANGER_CONNECTIONS

    def enters(self, address: str) -> None:
        """A stranger has come."""
        self._strangers += 1
        self.connections[place_of(address)] += 1

    def is_no_stranger(self, address: str) -> None:
        """One has left, or has shown a key."""
        place = place_of(address)
        self._strangers -= 1
        self.connections[place] -= 1
        if not self.connections[place]:
            del self.connections[place]

    def rests(self, visitor: Visitor) -> None:
        """A stranger was answered; where too many from there keep their connections for nothing, the first one goes."""
        resting = self._resting.setdefault(place_of(visitor.address), {})
        resting[visitor] = None
        if len(resting) > STRANGERS_RESTING:
            first = next(iter(resting))
            del resting[first]
            refusals.count("resting")
            first.turn_away(b"")

    def rests_no_more(self, visitor: Visitor) -> None:
        """He asks again, or has left."""
        place = place_of(visitor.address)
        resting = self._resting.get(place)
        if resting is not None:
            resting.pop(visitor, None)
            if not resting:
                del self._resting[place]

    def sweep(self, now_s: float) -> None:
        """Sends away who is too slow."""
        for visitor in list(self.visitors):
            if visitor.is_slow(now_s):
                refusals.count("slow")
                visitor.turn_away(_TOO_SLOW)
            elif visitor.is_stuck(now_s):
                refusals.count("untaken")
                visitor.line.abort()
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
        except ConnectionError:
            if request.transport is not None:
                raise
            # He left in the middle of what he was saying: nobody is there to be answered, and nothing is wrong here.
            return web.Response(status=400)
        finally:
            visitor.ends_answer()


class Visitor(web.RequestHandler):
    """One connection, once TLS is agreed on."""

    __slots__ = (
        "_answering", "_door", "_idle_since", "_partial_since", "_untaken", "_untaken_since",
        "address", "is_stranger", "line",
    )  # fmt: skip

    def __init__(self, door: Door, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
        self._door = door
        self._answering = False
        self._idle_since = loop.time()
        self._partial_since: float | None = self._idle_since
        self._untaken = 0
        self._untaken_since = self._idle_since
        self.address = ""
        self.is_stranger = True
        self.line: asyncio.Transport
        """What carries it, below TLS."""

    def arrive(self, transport: asyncio.Transport, line: asyncio.Transport) -> None:
        """He has come over this transport, and `line` carries it, below TLS."""
        self.line = line
        self.address = address_of(transport)
        if not self._door.has_room(self.address):
            refusals.count("connections")
            transport.abort()
            return
        self._door.enters(self.address)
        self._door.visitors.add(self)
        super().connection_made(transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio says, where there is no TLS."""
        assert isinstance(transport, asyncio.Transport)
        self.arrive(transport, transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """As asyncio says."""
        if self in self._door.visitors:
            self._door.visitors.discard(self)
            self._door.rests_no_more(self)
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
        if self.is_stranger:
            self._door.rests_no_more(self)

    def ends_answer(self) -> None:
        """It is answered."""
        self._answering, self._partial_since = False, None
        self._idle_since = self._loop.time()
        if self.is_stranger and self in self._door.visitors:
            self._door.rests(self)

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

    def is_stuck(self, now_s: float) -> bool:
        """Whether a stranger has taken nothing of what waits for him for too long."""
        if not self.is_stranger:
            return False
        before, self._untaken = self._untaken, self.line.get_write_buffer_size()
        if not before or self._untaken < before:
            self._untaken_since = now_s
        return now_s - self._untaken_since > TAKE_S

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
            failed = super().handle_error(request, status, exc, message)
            failed.headers["Server"] = SERVER
            return failed
        refusals.count("malformed")
        _log.debug("malformed request from %s: %s", self.address, exc.message)
        response = web.Response(status=status, text=NO_HTTP, headers={"Server": SERVER})
        response.force_close()
        return response


async def sign(_: web.Request, response: web.StreamResponse) -> None:
    """Says of each answer what it comes from."""
    response.headers["Server"] = SERVER


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
