"""One GET over HTTP on a connected socket: a bounded answer, no redirects. It knows nothing of HAProxy."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from detak_agent.checks.http_exchange import exchange


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
    connected: socket.socket,
    context: ssl.SSLContext | None,
    host: str,
    request: h11.Request,
    most_bytes: int,
    begins: bytes = b"",
) -> Page:
    """The answer to `request`; OSError, ssl.SSLError, BrokenAnswerError, TooLongError. It closes the socket.

    Of a body that does not begin with `begins` no more is read than tells so.
    """
    body = bytearray()
    async with exchange(connected, context, host) as exchanged:
        head = await exchanged.ask(request)
        while part := await exchanged.part():
            body += part
            if not body.startswith(begins[: len(body)]):
                break
            if len(body) > most_bytes:
                raise TooLongError
    return Page(head.status_code, bytes(body))


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
