"""Reads forms that may bring files (multipart/form-data), with limits on all of it, and only those made here."""

from __future__ import annotations

import asyncio
import base64
import binascii
import zlib
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web

from detak_collector.translation.saying import mark
from detak_collector.web import csrf
from detak_collector.web.forms import STALE
from detak_collector.web.session import COOKIE, FORM_COOKIE, Gate

MULTIPART = "multipart/form-data"
PIECE = 64 * 1024
NO_FORM = mark("This is no form that is served here.") + "\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one form, in bytes: `text` of all its fields together, `file` of all its files together.

    Of files that are longer `read` bytes are read, and `file` of them kept and one more, so that their sender can be
    told why they are not taken; beyond that the connection is given up. It must be whole within `seconds`.
    """

    text: int
    file: int
    read: int
    parts: int = 120
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class BroughtFile:
    """A file, the field that brought it, and what it is called."""

    field: str
    name: str
    content: bytes


@dataclass(slots=True)
class Upload:
    """What a form brought."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[BroughtFile] = field(default_factory=list)

    def get(self, name: str) -> str:
        """A field; empty where it was not there."""
        return self.fields.get(name, "")

    @property
    def file(self) -> BroughtFile | None:
        """The file, of a form that brings at most one."""
        return self.files[-1] if self.files else None


async def read_upload(request: web.Request, gate: Gate, limits: Limits) -> Upload:
    """The fields and files of a form of ours; raises an HTTPException with the reason for anything else."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text=STALE)
    if request.content_type != MULTIPART:
        raise web.HTTPUnsupportedMediaType(text=f"A form with files is sent as {MULTIPART}.\n")
    try:
        async with asyncio.timeout(limits.seconds):
            brought = await _parts(await request.multipart(), limits)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, web.RequestPayloadError):
        raise web.HTTPBadRequest(text=NO_FORM) from None
    token = brought.fields.pop(csrf.FIELD, "")
    if not csrf.is_good(token, gate.cookie(request, FORM_COOKIE), gate.cookie(request, COOKIE)):
        raise web.HTTPForbidden(text=STALE)
    return brought


async def _parts(reader: MultipartReader, limits: Limits) -> Upload:
    brought, text, read, kept, count = Upload(), 0, 0, 0, 0
    while (part := await reader.next()) is not None:
        count += 1
        if not isinstance(part, BodyPartReader) or part.name is None or count > limits.parts:
            raise ValueError
        if part.filename is None:
            value, length = await _content(part, limits.text - text, limits.text)
            text += length
            brought.fields[part.name] = value.decode()
            continue
        content, length = await _content(part, limits.read - read, limits.file + 1 - kept)
        read, kept = read + length, kept + len(content)
        # A browser sends an empty file where none was chosen.
        if part.filename or content:
            brought.files.append(BroughtFile(part.name, part.filename, content))
    return brought


async def _content(part: BodyPartReader, most: int, kept: int) -> tuple[bytes, int]:
    """No more of a part than is `kept`, and how long it is; raises HTTPRequestEntityTooLarge beyond `most`."""
    found, read = bytearray(), 0
    while piece := await part.read_chunk(PIECE):
        read += len(piece)
        if read > most:
            raise web.HTTPRequestEntityTooLarge(most, read)
        found += piece[: max(0, kept - len(found))]
    return bytes(found), read


def packed(content: bytes) -> str:
    """A file as a page carries it to the next one."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def unpacked(text: str, most: int) -> bytes:
    """The file, no more of it than one byte beyond `most`; empty where it is none."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(text, validate=True), most + 1)
    except (binascii.Error, zlib.error, ValueError):
        return b""
