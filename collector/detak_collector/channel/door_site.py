"""Listens, and agrees on TLS with whoever comes; notes who refuses the certificate, and counts what else fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import web

from detak_collector.channel.certificate_refusals import refusal_of
from detak_collector.channel.door import Door, Visitor, address_of
from detak_collector.channel.lean_tls import LeanTls
from detak_collector.operating.counters import refusals

HANDSHAKE_S = 10


class _Threshold(asyncio.Protocol):
    """A connection on which TLS is still to be agreed on. Who stands there counts as a stranger already."""

    def __init__(self, site: DoorSite) -> None:
        self._site = site

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._site.welcome(transport)


class _Agreed(asyncio.Protocol):
    """Gives place to a visitor as soon as TLS is agreed on."""

    def __init__(self, enter: Callable[[asyncio.Transport], None]) -> None:
        self._enter = enter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._enter(transport)


class DoorSite(web.BaseSite):
    """Listens on one address, with TLS where the door has a certificate."""

    __slots__ = ("_door", "_host", "_port", "_waiting")

    def __init__(self, runner: web.AppRunner, door: Door, host: str, port: int, backlog: int) -> None:
        super().__init__(runner, backlog=backlog)
        self._door = door
        self._host = host
        self._port = port
        self._waiting: dict[asyncio.Transport, str] = {}

    @property
    def name(self) -> str:
        """As aiohttp says."""
        return f"{'http' if self._door.tls() is None else 'https'}://{self._host}:{self._port}"

    async def start(self) -> None:
        """As aiohttp says."""
        await super().start()
        loop = asyncio.get_running_loop()
        plain = self._door.tls() is None
        self._server = await loop.create_server(
            self._visitor if plain else lambda: _Threshold(self), self._host, self._port, backlog=self._backlog
        )

    async def stop(self) -> None:
        """As aiohttp says."""
        await super().stop()
        for transport in list(self._waiting):
            transport.abort()

    def welcome(self, transport: asyncio.Transport) -> None:
        """Begins to agree on TLS."""
        context, address = self._door.tls(), address_of(transport)
        if context is None or not self._door.has_room(address):
            refusals.count("connections")
            transport.abort()
            return
        self._waiting[transport] = address
        self._door.enters(address)
        agreed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        agreed.add_done_callback(partial(self._ended, transport))
        tls = LeanTls(_Agreed(partial(self._enter, transport)), context, agreed, HANDSHAKE_S)
        transport.set_protocol(tls)
        tls.connection_made(transport)

    def _enter(self, transport: asyncio.Transport, tls: asyncio.Transport) -> None:
        # A visitor enters by himself.
        self._door.is_no_stranger(self._waiting.pop(transport))
        visitor = self._visitor()
        tls.set_protocol(visitor)
        visitor.arrive(tls, transport)

    def _ended(self, transport: asyncio.Transport, agreed: asyncio.Future[None]) -> None:
        """Agreed or not: who still stands at the threshold has left it."""
        error = agreed.exception()
        address = self._waiting.pop(transport, None)
        if address is None:
            return
        self._door.is_no_stranger(address)
        reason = None if error is None else refusal_of(error)
        refusals.count("tls" if reason is None else "certificate")
        if reason is not None:
            self._door.certificates.refused(address, reason, self._door.clock().utc)

    def _visitor(self) -> Visitor:
        server = self._runner.server
        assert server is not None
        return Visitor(self._door, server, asyncio.get_running_loop())
