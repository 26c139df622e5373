"""What is asked for when outages of before are imported by a page or a program: the file, and how it is to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from typing import Literal

import msgspec
from msgspec import Struct

from detak_collector.catalogue.place import CatalogueError
from detak_collector.past.asking import Asked, AskedError, parted
from detak_collector.past.batch import OWN, Source
from detak_collector.past.mapping import MAPPINGS, Mapping, read_mapping

MOST_BYTES = 1024 * 1024
"""Of a file; the command takes longer ones."""
LONGEST = 200
MOST_PAIRS = 200
TOOLS = {"zabbix": "Zabbix", "uptime-kuma": "Uptime Kuma", "nagios": "Nagios"}
"""The names of the programs whose files are known, for people."""
FIELDS = ("tool", "own", "map", "only", "service", "ignore", "timezone", "encoding", "document")


class PastImport(Struct, frozen=True, forbid_unknown_fields=True):
    """A file, in base64, and how it is read. `own_mapping` is TOML, for the tool `own` alone.

    `map` says by object, or a pattern of it, which service that is; `only` by column which values rows must have. With
    `dry_run` nothing is entered.
    """

    file_name: str
    content: bytes
    tool: Literal["zabbix", "uptime-kuma", "nagios", "own"]
    document: str
    own_mapping: str = ""
    map: dict[str, str] = {}
    only: dict[str, list[str]] = {}
    service: str = ""
    ignore_others: bool = False
    timezone: str = ""
    encoding: str = ""
    dry_run: bool = False

    @property
    def source(self) -> Source:
        """The file that it is."""
        name = "".join(letter if letter.isprintable() else "?" for letter in self.file_name)
        return Source.of(self.content, self.tool, name)

    @property
    def asked(self) -> Asked:
        """What is asked beside the file and its tool."""
        only = tuple((column, value) for column, values in self.only.items() for value in values)
        return Asked(tuple(self.map.items()), only, self.service, self.ignore_others, self.timezone, self.encoding)

    def read_as(self) -> Mapping:
        """How the file is read; raises CatalogueError or AskedError."""
        if self.tool != OWN:
            return self.asked.applied(MAPPINGS[self.tool])
        if not self.own_mapping.strip():
            raise AskedError("own", "the mapping of one's own is required, as TOML")
        try:
            return self.asked.applied(read_mapping(self.own_mapping.encode(), "own_mapping"))
        except CatalogueError as error:
            raise AskedError("own", " ".join(error.lines)) from None


def wish_of(fields: Table[str, str], file_name: str, content: bytes) -> PastImport:
    """What a form asks for; raises AskedError with the field of the form."""
    said = {name: fields.get(name, "").strip() for name in FIELDS}
    tool = said["tool"]
    if not said["document"]:
        raise AskedError("document", "required: the document that orders it, such as ND-12/2026")
    only: dict[str, list[str]] = {}
    for column, value in _pairs("only", said["only"]):
        only.setdefault(column, []).append(value)
    told = {
        "file_name": file_name[:LONGEST], "content": content, "tool": tool, "document": said["document"][:LONGEST],
        "own_mapping": fields.get("own", "") if tool == OWN else "", "map": dict(_pairs("map", said["map"])),
        "only": only, "service": said["service"], "ignore_others": said["ignore"] == "yes",
        "timezone": said["timezone"], "encoding": said["encoding"],
    }  # fmt: skip
    try:
        return msgspec.convert(told, PastImport)
    except msgspec.ValidationError:
        raise AskedError("tool", f"one of {', '.join((*MAPPINGS, OWN))} (got {tool!r})") from None


def _pairs(field: str, text: str) -> list[tuple[str, str]]:
    """The lines of a field that are two texts with an equals sign between them."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if len(lines) > MOST_PAIRS:
        raise AskedError(field, f"at most {MOST_PAIRS} lines (got {len(lines)})")
    found = []
    for line in lines:
        pair = parted(line)
        if pair is None:
            raise AskedError(field, f"expected two texts with = between them (got {line.strip()!r})")
        found.append(pair)
    return found
