"""A form with files in it: services.toml and its tables as they were chosen, pasted, or carried from page to page."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from detak_collector.catalogue.texts import MOST_BYTES
from detak_collector.web.session import Gate
from detak_collector.web.uploads import NO_FORM, BroughtFile, Limits, read_upload

LIMITS = Limits(text=MOST_BYTES + 64 * 1_024, file=MOST_BYTES, read=MOST_BYTES, parts=40, seconds=60.0)
TABLE = "table:"
"""Before the name of a table that a page carries."""


@dataclass(slots=True)
class Uploaded:
    """`services` is None where neither a file was chosen nor anything pasted; `tables` by their names."""

    services: str | None = None
    tables: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


async def uploaded(request: web.Request, gate: Gate) -> Uploaded:
    """What a form of ours brings; raises an HTTPException with the reason for anything else."""
    brought, found = await read_upload(request, gate, LIMITS), Uploaded()
    for name, value in brought.fields.items():
        _take_field(found, name, value)
    for file in brought.files:
        _take_file(found, file)
    return found


def _take_field(found: Uploaded, name: str, value: str) -> None:
    if name == "pasted":
        found.services = _text(value) if value.strip() else None
    elif name.startswith(TABLE):
        found.tables[name.removeprefix(TABLE)] = _text(value)
    else:
        found.fields[name] = value


def _take_file(found: Uploaded, file: BroughtFile) -> None:
    """A file that was chosen goes before what was pasted, or carried."""
    try:
        text = _text(file.content.decode())
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text=NO_FORM) from None
    if file.field == "services":
        found.services = text
    elif file.field == "tables":
        found.tables[file.name.replace("\\", "/").rpartition("/")[2]] = text


def _text(content: str) -> str:
    """A browser sends what was typed or carried with the line ends of the network."""
    return content.replace("\r\n", "\n").removeprefix("\ufeff")
