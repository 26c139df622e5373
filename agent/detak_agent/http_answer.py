"""Reading one HTTP/1.1 answer, whatever a server sends: within limits, and never long without giving way to others.

h11's patterns take time with the square of a run of blanks before a character that HTTP forbids: 64 KiB of them hold
the loop for eight seconds. So a head is searched for these first, and of the rest h11 is given little at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import h11

MOST_HEAD_BYTES = 65_536
"""Of all heads before a body: that of the answer, and those of statuses below 200 before it."""

_READ_BYTES = 16_384
_PIECE_BYTES = 2_048
_MOST_LINE_BYTES = 4_096
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_FORBIDDEN = re.compile(rb"[\x00\x0b\x0c]|\r(?!\n)")
_HEADER_NAME = re.compile(r"bytearray\(b['\"]([^:'\"\\]{1,40})")
_START = b"HTTP/"
_SWITCHED = 101

_WORDS = {
    "illegal status line": "begins its answer with a line that HTTP does not allow",
    "continuation line": "begins its headers with a blank",
    "conflicting Content-Length": "gives two different lengths for one answer",
    "bad Content-Length": "gives a length of its answer that is no number",
    "multiple Transfer-Encoding": "sends its answer in several transfer codings",
    "Only Transfer-Encoding": "sends its answer in a transfer coding that is not chunked",
    "illegal chunk header": "sends a broken chunk in its answer",
    "malformed chunk footer": "sends a broken chunk in its answer",
    "Receive buffer too long": f"sends more than {_MOST_LINE_BYTES // 1_024} KiB in between the chunks of its answer",
}


class BrokenAnswerError(Exception):
    """What the server did that it should not have done, as words that follow its name."""


def client() -> h11.Connection:
    """The protocol's state for requests of ours, within these limits."""
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_LINE_BYTES)


class AnswerReader:
    """Reads answers on one connection: `head`, then `part` until that is empty. Both raise BrokenAnswerError."""

    def __init__(self, protocol: h11.Connection, read: Callable[[int], Awaitable[bytes]]) -> None:
        """`read` gives at most so many bytes, none at the end; what it raises is passed on."""
        self._protocol = protocol
        self._read = read
        self._heard = bytearray()
        self._has_ended = False

    @property
    def left_over(self) -> bool:
        """Whether more was heard than belongs to the answer so far."""
        return bool(self._heard) or bool(self._protocol.trailing_data[0])

    async def head(self) -> h11.Response | h11.InformationalResponse:
        """The final one: others before it are passed over, except 101 where the request proposed a switch."""
        left = MOST_HEAD_BYTES
        while True:
            length = await self._head_length(left)
            left -= length
            event = self._parsed_head(length)
            if isinstance(event, h11.Response) or event.status_code == _SWITCHED:
                return event

    async def part(self) -> bytes:
        """The next bytes of the body, none at its end."""
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Data):
                return bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return b""
            else:
                raise BrokenAnswerError("broke off its answer")

    async def _head_length(self, most: int) -> int:
        """How long the next head is, once all of it was heard."""
        searched = 0
        while True:
            if not _START.startswith(bytes(self._heard[: len(_START)])):
                raise BrokenAnswerError("answered something that is not HTTP")
            end = _END_OF_HEAD.search(self._heard, max(0, searched - 2))
            searched = len(self._heard)
            if (end.end() if end is not None else searched) > most:
                raise BrokenAnswerError(f"sends more than {MOST_HEAD_BYTES // 1_024} KiB of headers")
            if end is not None:
                return end.end()
            await self._hear()
            if self._has_ended:
                where = "in the middle of its answer" if self._heard else "without an answer"
                raise BrokenAnswerError(f"closed the connection {where}")

    def _parsed_head(self, length: int) -> h11.Response | h11.InformationalResponse:
        head = bytes(self._heard[:length])
        del self._heard[:length]
        if _FORBIDDEN.search(head):
            raise BrokenAnswerError("sends a control character among its headers, which HTTP does not allow")
        self._protocol.receive_data(head)
        event = self._next_event()
        assert isinstance(event, h11.Response | h11.InformationalResponse)
        return event

    async def _feed(self) -> None:
        if not self._heard and not self._has_ended:
            await self._hear()
        self._protocol.receive_data(bytes(self._heard[:_PIECE_BYTES]))
        del self._heard[:_PIECE_BYTES]

    async def _hear(self) -> None:
        data = await self._read(_READ_BYTES)
        self._heard += data
        self._has_ended = not data
        # Reading what has arrived already would not wait, and a flood of small chunks would hold the loop.
        await asyncio.sleep(0)

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        try:
            return self._protocol.next_event()
        except h11.RemoteProtocolError as error:
            raise BrokenAnswerError(self._words(str(error))) from error

    def _words(self, said: str) -> str:
        if said.startswith("illegal header line"):
            name = _HEADER_NAME.search(said)
            return f"sends a header line that HTTP does not allow{f': {name[1]!r}' if name else ''}"
        known = next((words for begin, words in _WORDS.items() if said.startswith(begin)), None)
        if known is None and self._has_ended:
            return "closed the connection in the middle of its answer"
        return known or f"breaks the rules of HTTP: {said}"
