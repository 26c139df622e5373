"""A form with files in it: services.toml and its tables as they were chosen, pasted, or carried from page to page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from detak_collector.catalogue.texts import MOST_BYTES
from detak_collector.web import csrf
from detak_collector.web.forms import STALE
from detak_collector.web.session import COOKIE, FORM_COOKIE, Gate

MULTIPART = "multipart/form-data"
MOST_PARTS = 40
MOST_FORM_BYTES = MOST_BYTES + 64 * 1_024
BODY_S = 60.0
TABLE = "table:"
"""Before the name of a table that a page carries."""

ODD = "This is no form that is served here.\n"


@dataclass(slots=True)
class Uploaded:
    """`services` is None where neither a file was chosen nor anything pasted; `tables` by their names."""

    services: str | None = None
    tables: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


async def uploaded(request: web.Request, gate: Gate) -> Uploaded:
    """What a form of ours brings; raises an HTTPException with the reason for anything else."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text=STALE)
    if request.content_type != MULTIPART:
        raise web.HTTPUnsupportedMediaType(text=f"A form with files is sent as {MULTIPART}.\n")
    found = Uploaded()
    try:
        async with asyncio.timeout(BODY_S):
            async for name, file, content in _parts(request):
                _take(found, name, file, content)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, AssertionError):
        raise web.HTTPBadRequest(text=ODD) from None
    brought = found.fields.get(csrf.FIELD, "")
    if not csrf.is_good(brought, gate.cookie(request, FORM_COOKIE), gate.cookie(request, COOKIE)):
        raise web.HTTPForbidden(text=STALE)
    return found


async def _parts(request: web.Request) -> AsyncIterator[tuple[str, str | None, str]]:
    """Name, name of the file, and text of each part."""
    reader, left, count = await request.multipart(), MOST_FORM_BYTES, 0
    while (part := await reader.next()) is not None:
        count += 1
        if count > MOST_PARTS or not isinstance(part, BodyPartReader) or part.name is None:
            raise web.HTTPBadRequest(text=ODD)
        content = bytearray()
        while chunk := await part.read_chunk():
            content += chunk
            if len(content) > left:
                raise web.HTTPRequestEntityTooLarge(MOST_FORM_BYTES, MOST_FORM_BYTES + 1)
        left -= len(content)
        yield part.name, part.filename, content.decode()


def _take(found: Uploaded, name: str, file: str | None, content: str) -> None:
    # A browser sends what was typed or carried with the line ends of the network.
    text = content.replace("\r\n", "\n").removeprefix("\ufeff")
    if file is not None and not file:
        return
    if name == "services" and file is not None:
        found.services = text
    elif name == "pasted":
        found.services = found.services if found.services is not None or not text.strip() else text
    elif name == "tables" and file is not None:
        found.tables[file.replace("\\", "/").rpartition("/")[2]] = text
    elif name.startswith(TABLE):
        found.tables[name.removeprefix(TABLE)] = text
    else:
        found.fields[name] = text
