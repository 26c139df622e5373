"""HTTP/1.1 for stand-ins, with nothing but what the agent needs itself: its tests run where only the agent is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import h11

_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A whole one. Names of headers are lower case; `abort` breaks the connection off."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    abort: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    body: bytes = b""
    status: int = 200


Answering = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def listening(
    answers: Mapping[str, Answering], port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server on loopback that knows these paths, and its port. At the end it breaks off every connection."""
    writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers[task] = writer
        with suppress(OSError, h11.RemoteProtocolError):
            await _converse(answers, reader, writer)
        writer.close()
        del writers[task]

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers.values():
            writer.transport.abort()
        await asyncio.gather(*writers)


async def _converse(
    answers: Mapping[str, Answering], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One request after another, until the connection ends."""
    protocol = h11.Connection(h11.SERVER)
    while (request := await _asked(protocol, reader, writer)) is not None:
        answer = answers.get(request.path)
        response = Response(status=404) if answer is None else await answer(request)
        head = h11.Response(status_code=response.status, headers=[("Content-Length", str(len(response.body)))])
        for part in (head, h11.Data(data=response.body), h11.EndOfMessage()):
            writer.write(protocol.send(part) or b"")
        await writer.drain()
        if protocol.our_state is h11.MUST_CLOSE:
            return
        protocol.start_next_cycle()


async def _asked(
    protocol: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next request; None where there comes no other."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.target.decode("ascii"), headers, bytes(body), writer.transport.abort)
        else:
            return None
