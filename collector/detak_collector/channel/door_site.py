"""Listens, and agrees on TLS with whoever comes; notes who refuses the certificate, and counts what else fails."""

from __future__ import annotations

import asyncio

from aiohttp import web

from detak_collector.channel.certificate_refusals import refusal_of
from detak_collector.channel.door import Door, Visitor, address_of
from detak_collector.operating.counters import refusals

HANDSHAKE_S = 10.0


class _Threshold(asyncio.Protocol):
    """A connection on which TLS is still to be agreed on."""

    def __init__(self, site: DoorSite) -> None:
        self._site = site

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._site.welcome(transport)


class _Early(asyncio.Protocol):
    """Keeps what comes between the handshake and the visitor's being there."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True


class DoorSite(web.BaseSite):
    """Listens on one address, with TLS where the door has a certificate."""

    __slots__ = ("_door", "_host", "_port", "_tasks")

    def __init__(self, runner: web.AppRunner, door: Door, host: str, port: int, backlog: int) -> None:
        super().__init__(runner, backlog=backlog)
        self._door = door
        self._host = host
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def welcome(self, transport: asyncio.Transport) -> None:
        """Begins to agree on TLS."""
        task = asyncio.get_running_loop().create_task(self._welcome(transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _welcome(self, transport: asyncio.Transport) -> None:
        context, address = self._door.tls(), address_of(transport)
        if context is None or not self._door.has_room(address):
            refusals.count("connections")
            transport.abort()
            return
        early = _Early()
        try:
            tls = await asyncio.get_running_loop().start_tls(
                transport, early, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        except (OSError, TimeoutError) as error:
            self._failed(address, error)
            return
        if tls is not None and not early.is_lost:
            visitor = self._visitor()
            tls.set_protocol(visitor)
            visitor.connection_made(tls)
            if early.data:
                visitor.data_received(bytes(early.data))

    def _failed(self, address: str, error: Exception) -> None:
        reason = refusal_of(error)
        refusals.count("tls" if reason is None else "certificate")
        if reason is not None:
            self._door.certificates.refused(address, reason, self._door.clock().utc)

    def _visitor(self) -> Visitor:
        server = self._runner.server
        assert server is not None
        return Visitor(self._door, server, asyncio.get_running_loop())
