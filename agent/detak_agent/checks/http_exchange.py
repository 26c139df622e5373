"""One request and its answer over HTTP/1.1 on a connected socket, in TLS where wanted. It knows no kind of check.

Limits of time and of the body's length are the caller's. What the system meets is raised as it comes: OSError, and
ssl.SSLError where the two cannot agree on TLS; BrokenAnswerError has words for what the server did.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import h11

from detak_agent.http_answer import AnswerReader, client


class Exchange:
    """An open connection for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._protocol = client()
        self._answer = AnswerReader(self._protocol, reader.read)

    @property
    def certificate(self) -> bytes | None:
        """The server's, as DER; None without TLS."""
        session: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return session.getpeercert(binary_form=True) if session is not None else None

    async def ask(self, request: h11.Request, body: bytes = b"") -> h11.Response | h11.InformationalResponse:
        """The head of the answer. Nobody waits until the request is sent: a server may refuse it half-way."""
        parts = (request, h11.Data(data=body), h11.EndOfMessage()) if body else (request, h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(part) or b"" for part in parts))
        return await self._answer.head()

    async def part(self) -> bytes:
        """The next bytes of the answer's body, none at its end."""
        return await self._answer.part()


@contextlib.asynccontextmanager
async def exchange(
    connected: socket.socket, context: ssl.SSLContext | None, server_name: str
) -> AsyncIterator[Exchange]:
    """Takes over the socket, and drops the connection at the end without waiting for a farewell."""
    try:
        reader, writer = await asyncio.open_connection(
            sock=connected, ssl=context, server_hostname=server_name if context is not None else None
        )
    except BaseException:
        connected.close()
        raise
    try:
        yield Exchange(reader, writer)
    finally:
        writer.transport.abort()
