"""Servers that are none: what a check meets on a port where another program listens, or nobody speaks."""

import asyncio

from agent.checks.check_stage import LOADING_MS, probe_of, serve
from detak_agent.checks.base import Outcome
from detak_agent.checks.loading import LoadedProbe


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes the connection and says nothing."""
    await reader.read()


async def closing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Closes at once."""


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Another protocol altogether."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await writer.drain()
    await reader.read(1_000)


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a byte now and then, for ever."""
    while True:
        writer.write(b"+")
        await writer.drain()
        await asyncio.sleep(0.01)


async def cancelled_before_an_answer(kind: str) -> "asyncio.Task[Outcome]":
    """A sample of a server that says nothing, told to stop once the server had its connection."""
    taken = asyncio.Event()

    async def taking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set()
        await silent(reader, writer)

    async with serve(taking) as port:
        probe = probe_of(kind, host="127.0.0.1", port=port)
        assert isinstance(probe, LoadedProbe)
        await probe.load(LOADING_MS)
        asked = asyncio.ensure_future(probe.sample(60_000))
        await asyncio.wait_for(taken.wait(), 30)
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.wait({asked})
        # What the driver's thread ends with comes a moment later.
        await asyncio.sleep(0.05)
    return asked
