"""A table of holidays: date, name, kind and decree of each closed day, as CSV. Text in, rows out, and back again."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from io import StringIO

from detak_collector.catalogue.moments import day
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Table
from detak_collector.catalogue.values import one_of, text
from detak_collector.downtime.catalogue import HOLIDAY_KINDS, Holiday

COLUMNS = ("date", "name", "kind", "decree")
HEADER = ",".join(COLUMNS) + "\n"
UNCHECKED = "not checked"
"""How the decree of a row begins that nobody has compared with the decree yet."""

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Spreadsheets write it before the first column's name."""


def parse_holidays(content: str, file: Place) -> tuple[Holiday, ...]:
    """The rows of a table, in its order; what is wrong is noted at `file`, each with its line."""
    rows = csv.reader(content.removeprefix(BYTE_ORDER_MARK).splitlines())
    found: list[Holiday] = []
    try:
        if tuple(next(rows, ())) != COLUMNS:
            file.say(f"the first line must be {HEADER.rstrip()}")
            return ()
        for row in rows:
            if row:
                found.extend(_read(row, Place(f"{file.file}:{rows.line_num}", file.lines)))
    except csv.Error as error:
        file.say(f"not a table of comma-separated values: {error}")
    return tuple(found)


def _read(row: list[str], at: Place) -> Iterable[Holiday]:
    """The holiday in a row, or none where it was refused."""
    if len(row) != len(COLUMNS):
        at.say(f"needs {len(COLUMNS)} values, as its first line says, but has {len(row)}")
        return
    before = len(at.lines)
    entry = Table(dict(zip(COLUMNS, row, strict=True)), at)
    holiday = Holiday(
        day=entry.required("date", day, date.min),
        name=entry.required("name", text, ""),
        kind=entry.required("kind", one_of(HOLIDAY_KINDS), ""),
        decree=entry.required("decree", text, ""),
    )
    if len(at.lines) == before:
        yield holiday


def written_holidays(holidays: Iterable[Holiday]) -> str:
    """The table of these holidays, in order of their days."""
    file = StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in sorted(holidays, key=lambda one: (one.day, HOLIDAY_KINDS.index(one.kind))):
        rows.writerow((one.day.isoformat(), one.name, one.kind, one.decree))
    return file.getvalue()
