"""One GET over HTTP on a connected socket: a bounded answer, no redirects. It knows nothing of HAProxy."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import h11

_READ_BYTES = 65_536


class TooLongError(Exception):
    """The answer is longer than may be."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    body: bytes


def basic(user: str, password: str) -> dict[str, str]:
    """The header that signs in; none without a user."""
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def fetch(
    connected: socket.socket, context: ssl.SSLContext | None, host: str, request: h11.Request, most_bytes: int
) -> Page:
    """The answer to `request`; OSError, ssl.SSLError, h11.RemoteProtocolError, TooLongError. It closes the socket."""
    try:
        reader, writer = await asyncio.open_connection(
            sock=connected, ssl=context, server_hostname=host if context is not None else None
        )
    except BaseException:
        connected.close()
        raise
    try:
        protocol = h11.Connection(h11.CLIENT)
        writer.write((protocol.send(request) or b"") + (protocol.send(h11.EndOfMessage()) or b""))
        return await _page(protocol, reader, most_bytes)
    finally:
        writer.transport.abort()


def request_for(target: str, authority: str, headers: Mapping[str, str]) -> h11.Request:
    """A GET that wants the connection closed after it."""
    return h11.Request(
        method="GET",
        target=target,
        headers=[
            ("Host", authority),
            ("User-Agent", "detak-agent"),
            ("Accept", "*/*"),
            ("Connection", "close"),
            *headers.items(),
        ],
    )


async def _page(protocol: h11.Connection, reader: asyncio.StreamReader, most_bytes: int) -> Page:
    status, body = 0, bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > most_bytes:
                raise TooLongError
        elif isinstance(event, h11.EndOfMessage):
            return Page(status, bytes(body))
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError
