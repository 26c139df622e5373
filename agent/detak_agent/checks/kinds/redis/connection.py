"""Redis's protocol (RESP2), as much of it as a check needs: commands out, simple replies in.

The usual library takes 10 MiB in every agent, and hides what a server says before it closes the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 1_024 * 1_024


class NotRedisError(Exception):
    """What came is not Redis's protocol, or too long."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that is an error; its first word is its kind."""

    text: str


Reply = str | Refusal


def command(*words: str) -> bytes:
    """A command as it goes over the wire."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def replies(data: bytes) -> list[Reply]:
    """The whole replies at the begin of `data`; NotRedisError where it is something else."""
    return list(_replies(data))


def _replies(data: bytes) -> Iterator[Reply]:
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            _begins_as_reply(data[at:])
            return
        kind, line = _begins_as_reply(data[at:end]), data[at + 1 : end].decode(errors="replace")
        at = end + 2
        if kind == b"$":
            length = _length(line)
            if len(data) < at + length + 2:
                return
            yield data[at : at + length].decode(errors="replace")
            at += length + 2
        else:
            yield Refusal(line) if kind == b"-" else line


def _begins_as_reply(line: bytes) -> bytes:
    kind = line[:1]
    if kind not in {b"", b"+", b"-", b":", b"$"}:
        raise NotRedisError
    return kind


def _length(line: str) -> int:
    if not line.isdecimal() or int(line) > MOST_BYTES:
        raise NotRedisError
    return int(line)


class Conversation(asyncio.Protocol):
    """Keeps what it heard, also when the connection breaks after it: a full server speaks, closes and is reset."""

    def __init__(self) -> None:
        self._heard = b""
        self._ended: Exception | None = None
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = exc or ConnectionResetError()
        self._news.set()

    async def replies(self, count: int) -> list[Reply]:
        """So many replies, or those that came before the end; OSError where none did, NotRedisError."""
        while True:
            found = replies(self._heard)
            if len(found) >= count or (found and self._ended is not None):
                return found[:count]
            if self._ended is not None:
                raise self._ended if isinstance(self._ended, OSError) else ConnectionResetError()
            if len(self._heard) > MOST_BYTES:
                raise NotRedisError
            self._news.clear()
            await self._news.wait()


@contextlib.contextmanager
def hung_up(transport: asyncio.BaseTransport) -> Iterator[None]:
    """At the end the connection is gone at once, whatever was left to send."""
    try:
        yield
    finally:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.abort()
