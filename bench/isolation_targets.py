"""Servers that behave as nobody should, and some that behave: what the checks of bench/isolation.py are pointed at.

    python bench/isolation_targets.py CERTIFICATE_AND_KEY [ADDRESS_OF_THE_SYSTEM'S_NAME_SERVER]

Prints one line of JSON, the port of each by its name, and then serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

HOST = "127.0.0.1"
DNS_PORT = 53

_HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
_ADDRESS_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes the connection and whatever is sent, and says nothing."""
    while await reader.read(65_536):
        pass


async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer whose first header never ends, a byte at a time."""
    await _bytewise(writer, _HEADERS + b"X-Slow: ")


async def trickle_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Whole headers at once, and a body a byte at a time."""
    writer.write(_HEADERS + b"Content-Length: 100000\r\n\r\n")
    await _bytewise(writer, b"")


async def firehose(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As much as is taken, without a line's end, for ever."""
    writer.write(_HEADERS + b"\r\n")
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes of no protocol, and then nothing."""
    writer.write(random.Random(1).randbytes(4_096))
    await silent(reader, writer)


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and resets it."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers as a server should."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_HEADERS + b"Content-Length: 6\r\nConnection: close\r\n\r\nhealth")
    await writer.drain()


BEHAVIOURS: tuple[Behaviour, ...] = (silent, trickle, trickle_body, firehose, garbage, reset, http)


async def _bytewise(writer: asyncio.StreamWriter, first: bytes) -> None:
    for byte in first:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.05)
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.5)


def _handler(behaviour: Behaviour) -> Behaviour:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await behaviour(reader, writer)
        writer.close()

    return handle


class NameServer(asyncio.DatagramProtocol):
    """Answers every question with 127.0.0.1, or none at all."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It speaks through this."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One question (RFC 1035, 4.1), repeated without its additional section."""
        if self._answers:
            end = data.index(b"\0", 12) + 5
            header = data[:2] + b"\x81\x80" + struct.pack("!4H", 1, 1, 0, 0)
            self._transport.sendto(header + data[12:end] + _ADDRESS_RECORD, addr)


async def _open(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> int:
    server = await asyncio.start_server(_handler(behaviour), HOST, 0, ssl=context)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _name_server(host: str, port: int, *, answers: bool) -> int:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(answers=answers), (host, port))
    return int(transport.get_extra_info("sockname")[1])


def _refusing() -> socket.socket:
    """A port that is taken, so that nobody else gets it, and refuses every connection."""
    taken = socket.socket()
    taken.bind((HOST, 0))
    return taken


def _full() -> list[socket.socket]:
    """A port whose queue is full: a connection to it is neither taken nor refused."""
    server = socket.create_server((HOST, 0), backlog=0)
    waiting = [server]
    for _ in range(4):
        one = socket.socket()
        one.settimeout(0)
        one.connect_ex(server.getsockname())
        waiting.append(one)
    return waiting


async def main(certificate: str, resolver: str | None) -> None:
    """Open all, tell the ports, serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    kept = [_refusing(), *_full()]
    ports = {behaviour.__name__: await _open(behaviour) for behaviour in BEHAVIOURS}
    ports |= {"refused": kept[0].getsockname()[1], "full": kept[1].getsockname()[1]}
    ports |= {"https": await _open(http, context), "trickle_tls": await _open(trickle, context)}
    ports["dns"] = await _name_server(HOST, 0, answers=True)
    ports["black_hole"] = await _name_server(HOST, 0, answers=False)
    if resolver is not None:
        await _name_server(resolver, DNS_PORT, answers=False)
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
