"""One TCP connection of a check, first in plain text and then, where wanted, in TLS. It never verifies by itself.

It drives TLS over a plain socket because streams cannot be upgraded on Python 3.10, and hide what a server says last.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

MOST_LINE_BYTES = 4_096
_PART_BYTES = 16_384

T = TypeVar("T")


class PeerError(Exception):
    """What the server did that it should not have done, as words that follow its name."""


class Connection:
    """A connected socket, to be closed. `awaited` says, after its name, what the server owes."""

    def __init__(self, connected: socket.socket) -> None:
        self.awaited = "took the connection, but did not answer"
        self._socket = connected
        self._heard = b""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def close(self) -> None:
        """Ends it, whatever state it is in."""
        self._socket.close()

    @property
    def own_host(self) -> str:
        """The address on this side."""
        return str(self._socket.getsockname()[0]).partition("%")[0]

    async def send(self, data: bytes) -> None:
        """All of `data`, in plain text."""
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def line(self) -> str:
        """One line in plain text, without its end."""
        while b"\n" not in self._heard:
            if len(self._heard) > MOST_LINE_BYTES:
                raise PeerError("sent a line that does not end")
            self._heard += await self._receive()
        line, _, self._heard = self._heard.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")

    async def exactly(self, length: int) -> bytes:
        """`length` bytes in plain text."""
        while len(self._heard) < length:
            self._heard += await self._receive()
        taken, self._heard = self._heard[:length], self._heard[length:]
        return taken

    async def handshake(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLObject:
        """From here on it is TLS. ssl.SSLError where the two cannot agree or the certificate is not trusted."""
        if self._heard:
            raise PeerError("went on in plain text after it had agreed to TLS")
        self.awaited = "did not complete the TLS handshake"
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        await self._drive(tls.do_handshake)
        return tls

    async def farewell(self, tls: ssl.SSLObject) -> None:
        """Ends TLS and hears the server out; ssl.SSLError if its last word is an alert."""
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.unwrap()
        # Reading tells an alert from a farewell, which unwrapping does not.
        with contextlib.suppress(PeerError, ConnectionError, ssl.SSLZeroReturnError):
            await self._drive(lambda: tls.read(1))

    async def _drive(self, step: Callable[[], T]) -> T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:  # noqa: PERF203 - the loop is the protocol
                await self._flush()
                self._incoming.write(await self._receive())
            except ssl.SSLError:
                # The server learns why from the alert that is left to send.
                with contextlib.suppress(OSError):
                    await self._flush()
                raise
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self.send(self._outgoing.read())

    async def _receive(self) -> bytes:
        part = await asyncio.get_running_loop().sock_recv(self._socket, _PART_BYTES)
        if not part:
            raise PeerError(f"{self.awaited}: it closed the connection")
        return part
