"""Bare servers on loopback that say what their test wants, with TLS or without."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from detak_agent.connection import Connection

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://localhost:{listening.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.transport.abort()
        listening.close()


def saying(*answers: bytes) -> Serve:
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    return serve


async def post(connection: Connection) -> tuple[int, bytes]:
    await connection.open()
    reply = await connection.post("/x", b"{}", {})
    return reply.status, reply.body


def serving_context(certificate: Path) -> ssl.SSLContext:
    """The certificate's key lies beside it as `key.pem`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context
