"""Web servers for tests, good and bad: each is a handler for `serve`."""

import asyncio
import re

from agent.checks.check_stage import Handler


def answering(
    body: bytes = b"all is well", status: str = "200 OK", headers: str = "", *, wait_s: float = 0.0,
    requests: list[str] | None = None,
) -> Handler:  # fmt: skip
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", request)
        request += (await reader.readexactly(int(length[1]))).decode() if length else ""
        if requests is not None:
            requests.append(request)
        await asyncio.sleep(wait_s)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + (b"" if request.startswith("HEAD") else body))
        await writer.drain()
        await reader.read()

    return handle


def raw(*parts: bytes, pause_s: float = 0.0) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return handle


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()
