"""Sends events to the syslog server without ever holding anybody up: a bounded queue, and a task that empties it.

Over TCP and TLS what the server did not take is sent again. Syslog has no acknowledgement: what lay in a connection
that broke is lost, and so is a packet of UDP that did not arrive. The journal and the store have it all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from detak_collector.operating.events import Event
from detak_collector.operating.syslog_format import Destination, framed, written

MOST_WAITING = 10_000
CONNECT_S = 10.0
WRITE_S = 10.0
CLOSE_S = 1.0
RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class Syslog:
    """The way to one server. It may be used from the event loop only."""

    def __init__(self, to: Destination, retry_s: Sequence[float] = RETRY_S) -> None:
        self.to = to
        self.sent = 0
        self.lost = 0
        self.trouble = ""
        """Why the server cannot be reached now; empty where it can, or nothing was sent yet."""
        self._retry_s = retry_s
        self._host, self._process = socket.gethostname(), os.getpid()
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many events are still to be sent."""
        return len(self._waiting)

    def tell(self, event: Event) -> None:
        """Takes an event; where too many wait the oldest is let go, and counted."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(written(event, self._host, self._process, self.to))
        self._emptied.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Sends for ever."""
        attempt = 0
        while True:
            await self._arrived.wait()
            try:
                async with _channel(self.to) as channel:
                    attempt = 0
                    await self._pour(channel)
            except (OSError, TimeoutError, ssl.SSLError) as error:
                self.trouble = _why(error)
                await asyncio.sleep(self._retry_s[min(attempt, len(self._retry_s) - 1)])
                attempt += 1

    async def flushed(self, within_s: float) -> bool:
        """Whether everything was sent within that time."""
        if not self._waiting:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        return not self._waiting

    async def _pour(self, channel: _Channel) -> None:
        """Sends what waits until the connection breaks. A message leaves the queue once it was handed over."""
        while True:
            while self._waiting:
                message = self._waiting[0]
                await channel.send(message)
                # Where the queue ran over meanwhile, this one was already counted as lost.
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
                self.sent += 1
                self.trouble = ""
            self._arrived.clear()
            self._emptied.set()
            await channel.idle(self._arrived)


class _Datagrams:
    """By UDP: each message a packet; nobody says whether it arrived."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    async def send(self, message: bytes) -> None:
        self._transport.sendto(message)

    async def idle(self, arrived: asyncio.Event) -> None:
        await arrived.wait()


class _Stream:
    """By TCP or TLS; a server that has gone is noticed before the next message, not by losing it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: bytes) -> None:
        if self._reader.at_eof() or self._writer.is_closing():
            raise ConnectionResetError("the server closed the connection")
        async with asyncio.timeout(WRITE_S):
            self._writer.write(framed(message))
            await self._writer.drain()

    async def idle(self, arrived: asyncio.Event) -> None:
        """Until something is to be sent; raises ConnectionResetError as soon as the server closes."""
        closed = asyncio.ensure_future(self._reader.read(1_024))
        waiting = asyncio.ensure_future(arrived.wait())
        try:
            await asyncio.wait({closed, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (closed, waiting):
                one.cancel()
            await asyncio.gather(closed, waiting, return_exceptions=True)
        if self._reader.at_eof():
            raise ConnectionResetError("the server closed the connection")


_Channel = _Datagrams | _Stream


@asynccontextmanager
async def _channel(to: Destination) -> AsyncIterator[_Channel]:
    if to.transport == "udp":
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(to.host, to.port))
        try:
            yield _Datagrams(transport)
        finally:
            transport.close()
        return
    async with asyncio.timeout(CONNECT_S):
        context = _context(to) if to.transport == "tls" else None
        reader, writer = await asyncio.open_connection(to.host, to.port, ssl=context)
    try:
        yield _Stream(reader, writer)
    finally:
        writer.close()
        # What was written and is still here goes out first.
        with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(CLOSE_S):
                await writer.wait_closed()


def _context(to: Destination) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=to.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if to.certificate is not None:
        context.load_cert_chain(to.certificate, to.key)
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, OSError) and error.errno:
        # A name that does not resolve has a number of its own kind, below zero.
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or "it does not answer"


async def send_now(to: Destination, events: Sequence[Event], within_s: float) -> str:
    """Sends a few events from a short-lived process; why it could not, or an empty text."""
    syslog = Syslog(to, retry_s=(within_s,))
    for event in events:
        syslog.tell(event)
    sending = asyncio.create_task(syslog.run())
    try:
        done = await syslog.flushed(within_s)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return "" if done else syslog.trouble or "it does not answer"
