"""Commands to a MongoDB server, one at a time over one connection, as OP_MSG messages. It knows no command by itself.

The driver's own client would keep three connections, and tasks that watch the server, for what is one question here;
of it only the encoding is used.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Mapping
from typing import Any

import bson
from bson.errors import BSONError

MOST_REPLY_BYTES = 8 * 1_024 * 1_024
_OP_MSG = 2_013
_HEADER = struct.Struct("<iiii")
_BODY = struct.Struct("<IB")
_LEAST_BYTES = _HEADER.size + _BODY.size
_CHECKSUM_PRESENT = 1


class NotMongoError(Exception):
    """What came is no answer of a MongoDB server; in words that follow its name."""


class CommandError(Exception):
    """The server refused a command: `code` is its number, the text its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Conversation:
    """One connection in use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)

    async def command(self, database: str, command: Mapping[str, Any]) -> dict[str, Any]:
        """The reply. Raises CommandError, NotMongoError or OSError; EOF is a ConnectionResetError."""
        number = next(self._numbers)
        self._writer.write(packed(number, {**command, "$db": database}))
        await self._writer.drain()
        try:
            reply = await self._reply(number)
        except asyncio.IncompleteReadError as error:
            raise (NotMongoError("sent a part of an answer and closed the connection") if error.partial else
                   ConnectionResetError()) from None  # fmt: skip
        if reply.get("ok") != 1:
            raise CommandError(int(reply.get("code", 0)), str(reply.get("errmsg", "no reason given")))
        return reply

    async def _reply(self, number: int) -> dict[str, Any]:
        length, _, answers, opcode = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))
        if opcode != _OP_MSG or answers != number or not _LEAST_BYTES <= length <= MOST_REPLY_BYTES:
            raise NotMongoError("does not speak MongoDB's protocol")
        return unpacked(await self._reader.readexactly(length - _HEADER.size))


def packed(number: int, document: Mapping[str, Any]) -> bytes:
    """One command as it is sent."""
    body = _BODY.pack(0, 0) + bson.encode(document)
    return _HEADER.pack(_HEADER.size + len(body), number, 0, _OP_MSG) + body


def unpacked(body: bytes) -> dict[str, Any]:
    """The document of a reply, whose header has been read."""
    flags, kind = _BODY.unpack_from(body)
    end = len(body) - (4 if flags & _CHECKSUM_PRESENT else 0)
    try:
        if kind != 0:
            raise NotMongoError("answered with a message of an unknown kind")
        return dict(bson.decode(body[_BODY.size : end]))
    except BSONError as error:
        raise NotMongoError(f"answered with a document that cannot be read: {error}") from None
