"""Servers that are none: what a check meets on a port where another program listens, or nobody speaks."""

import asyncio


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
