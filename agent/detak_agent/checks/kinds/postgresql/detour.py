"""Ways for libpq to what lies in the file system that cannot hold up the agent.

libpq opens paths itself, and keeps the interpreter while it does: on a disk or file server that dies at that moment all
checks and ticks would stop. So a thread of ours goes there first, and libpq is led to what it brought back.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

_BYTES_OF_A_NAME = 8
_PEER = struct.Struct("3i")
"""The other end's process, user and group (unix(7), SO_PEERCRED)."""


@contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """A path to a file of this content, for as long as the block lasts."""
    descriptor = os.memfd_create("detak", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@asynccontextmanager
async def led_to(server: socket.socket, port: int) -> AsyncIterator[str]:
    """The `host` by which libpq finds a server that is connected already; that connection ends with the block.

    It is an abstract socket (unix(7)): no file system has it. Only this process is let in, since the server knows
    the agent's user by it.
    """
    # Without the colon psycopg would look the name up as a host's.
    name = f":detak-{os.urandom(_BYTES_OF_A_NAME).hex()}"
    with server, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"\0{name}/.s.PGSQL.{port}")
        listener.listen()
        listener.settimeout(0)
        handing_on = asyncio.ensure_future(_hand_on(listener, server))
        try:
            yield f"@{name}"
        finally:
            handing_on.cancel()
            await asyncio.wait({handing_on})


async def _hand_on(listener: socket.socket, server: socket.socket) -> None:
    """Whatever either end says, to the other one, until this is cancelled."""
    loop = asyncio.get_running_loop()
    near, far = _End(), _End()
    near.other, far.other = far, near
    client = await _own(listener)
    try:
        await loop.create_connection(lambda: far, sock=server)
        await loop.connect_accepted_socket(lambda: near, client)
        await asyncio.Event().wait()
    finally:
        client.close()
        for end in (near, far):
            if end.transport is not None:
                end.transport.abort()


async def _own(listener: socket.socket) -> socket.socket:
    """The next connection that this process itself makes."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listener, arrived.set)
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                continue
            process, _, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            if process == os.getpid():
                return client
            client.close()
    finally:
        loop.remove_reader(listener)


class _End(asyncio.Protocol):
    """One end of the way: what it hears the other end says, and it listens no faster than that can speak."""

    other: _End

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other.transport is not None:
            self.other.transport.close()
