"""Reads forms that may bring a file (multipart/form-data), with limits on all of it, and only those made here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web

from detak_collector.annotations.drafts import Typed, TypedTask
from detak_collector.annotations.kinds import MOST_BYTES
from detak_collector.annotations.recording import File
from detak_collector.web import csrf
from detak_collector.web.forms import STALE
from detak_collector.web.session import COOKIE, FORM_COOKIE, Gate

MULTIPART = "multipart/form-data"
BODY_S = 120.0
"""A scan of some megabytes over a slow line of an office."""
MOST_FIELDS = 120
MOST_TEXT = 128 * 1024
MOST_READ = 4 * MOST_BYTES
"""So much of a file that is too large is read before the connection is given up: below that its sender is told why."""
PIECE = 64 * 1024
NO_FORM = "This is no form that is served here.\n"


@dataclass(slots=True)
class Brought:
    """What a form brought."""

    fields: dict[str, str] = field(default_factory=dict)
    file: File | None = None

    def get(self, name: str) -> str:
        """A field; empty where it was not there."""
        return self.fields.get(name, "")


async def read_form(request: web.Request, gate: Gate) -> Brought:
    """The fields and the file of a form of ours; raises an HTTPException with the reason for anything else."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text=STALE)
    if request.content_type != MULTIPART:
        raise web.HTTPUnsupportedMediaType(text=f"A form is sent as {MULTIPART}.\n")
    try:
        async with asyncio.timeout(BODY_S):
            brought = await _parts(await request.multipart())
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, web.RequestPayloadError):
        raise web.HTTPBadRequest(text=NO_FORM) from None
    token = brought.fields.pop(csrf.FIELD, "")
    if not csrf.is_good(token, gate.cookie(request, FORM_COOKIE), gate.cookie(request, COOKIE)):
        raise web.HTTPForbidden(text=STALE)
    return brought


async def _parts(reader: MultipartReader) -> Brought:
    brought, text, count = Brought(), 0, 0
    while (part := await reader.next()) is not None:
        count += 1
        if not isinstance(part, BodyPartReader) or part.name is None or count > MOST_FIELDS:
            raise ValueError
        if part.filename is not None:
            content = await _content(part, MOST_READ, MOST_BYTES + 1)
            # A browser sends an empty file where none was chosen.
            brought.file = File(part.filename, content) if part.filename or content else brought.file
            continue
        value = await _content(part, MOST_TEXT - text, MOST_TEXT)
        text += len(value)
        brought.fields[part.name] = value.decode()
    return brought


async def _content(part: BodyPartReader, most: int, kept: int) -> bytes:
    """The content of a part, no more of it than is `kept`; raises HTTPRequestEntityTooLarge beyond `most`."""
    found, read = bytearray(), 0
    while piece := await part.read_chunk(PIECE):
        read += len(piece)
        if read > most:
            raise web.HTTPRequestEntityTooLarge(most, read)
        found += piece[: max(0, kept - len(found))]
    return bytes(found)


def typed_of(fields: Mapping[str, str]) -> Typed:
    """An annotation as a form brought it. Raises HTTPBadRequest where its version is no number."""
    version = fields.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise web.HTTPBadRequest(text=NO_FORM)
    rows = [name.removeprefix("what-") for name in fields if name.startswith("what-")]
    tasks = (
        TypedTask(fields.get(f"what-{row}", ""), fields.get(f"who-{row}", ""), fields.get(f"until-{row}", ""))
        for row in rows
    )
    return Typed(
        fields.get("cause", ""),
        fields.get("effect", ""),
        fields.get("chronology", ""),
        tuple(one for one in tasks if not one.is_blank),
        int(version),
    )
