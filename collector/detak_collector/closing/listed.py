"""Reads the files that a figure is held against: a decree's services, a service desk's tickets, both CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from detak_collector.closing.reconciling import Decreed, Ticket

COLUMNS: Mapping[str, Sequence[str]] = {
    "service": ("service", "layanan", "nama layanan"),
    "ticket": ("ticket", "tiket", "nomor tiket", "number", "id"),
    "from": ("from", "mulai", "opened", "start"),
    "to": ("to", "selesai", "closed", "end"),
}
"""What each column may be called."""

MOST_ROWS = 100_000
MOST_BYTES = 50_000_000


class ListError(ValueError):
    """A file that cannot be taken: where, what is wrong, what is expected."""


Moment = Callable[[str, str], int]
"""A moment out of its words, and where they stand; raises ValueError with what is wrong."""


def read_decree(path: Path) -> list[Decreed]:
    """The services that a decree names."""
    return [Decreed(line, row["service"]) for line, row in _rows(path, ("service",)) if row["service"]]


def read_tickets(path: Path, moment: Moment) -> list[Ticket]:
    """The tickets of a service desk."""
    return [_ticket(path, line, row, moment) for line, row in _rows(path, ("service", "ticket", "from", "to"))]


def _ticket(path: Path, line: int, row: Mapping[str, str], moment: Moment) -> Ticket:
    place = f"{path}:{line}"
    if not row["service"] or not row["from"]:
        raise ListError(f"{place}: service and from are required")
    begin = moment(row["from"], f"{place}: from")
    end = moment(row["to"], f"{place}: to") if row["to"] else None
    if end is not None and end < begin:
        raise ListError(f"{place}: to: lies before from (got {row['to']!r})")
    return Ticket(line, row["ticket"] or f"line {line}", row["service"], begin, end)


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    if path.stat().st_size > MOST_BYTES:
        raise ListError(f"{path}: is larger than {MOST_BYTES:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ListError(f"{path}: is not UTF-8 text") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    places = _places(path, next(reader, []), wanted)
    for count, cells in enumerate(reader, 1):
        if count > MOST_ROWS:
            raise ListError(f"{path}: has more than {MOST_ROWS:,} rows")
        if any(one.strip() for one in cells):
            yield (
                reader.line_num,
                {name: cells[at].strip() if at is not None and at < len(cells) else "" for name, at in places.items()},
            )


def _places(path: Path, header: Sequence[str], wanted: Sequence[str]) -> dict[str, int | None]:
    named = [one.strip().casefold() for one in header]
    places: dict[str, int | None] = {}
    for name in wanted:
        found = next((named.index(one) for one in COLUMNS[name] if one in named), None)
        if found is None and name != "ticket":
            raise ListError(f"{path}:1: no column {name} (or {', '.join(COLUMNS[name][1:])}); the first line has "
                            f"{', '.join(header) or 'nothing'}")  # fmt: skip
        places[name] = found
    return places
