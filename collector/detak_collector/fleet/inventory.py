"""An inventory of nodes as a table of a spreadsheet: read whole, or refused whole with every wrong line. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detak_wire import limits

COLUMNS = ("name", "site")
MOST_NODES = 100_000
MOST_CHARACTERS = 64
MOST_FAULTS = 50
_NAME_RULE = f"lower-case letters, digits and . _ - between them, at most {limits.NAME_CHARACTERS}"


class InventoryError(Exception):
    """What is wrong with a table; `lines` has one for each fault, with its place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Listed:
    """One node of the table; `site` is empty where it names none."""

    name: str
    site: str = ""


def read_inventory(text: str, called: str) -> list[Listed]:
    """The nodes of the table in their order. Raises InventoryError with the faults, each with its line, up to 50.

    The first line names the columns: `name`, and `site` if there is one. Commas, semicolons or tabs part them, as
    spreadsheets write any of these. Empty lines are left out.
    """
    table = _Table(called)
    nodes = list(table.nodes(text.removeprefix("\ufeff")))
    if len(table.faults) > MOST_FAULTS:
        more = f"{called}: and {len(table.faults) - MOST_FAULTS} more faults"
        raise InventoryError([*table.faults[:MOST_FAULTS], more])
    if table.faults:
        raise InventoryError(table.faults)
    return nodes


class _Table:
    """Reads, and keeps what is wrong."""

    def __init__(self, called: str) -> None:
        self._called = called
        self._lines: dict[str, int] = {}
        self.faults: list[str] = []

    def nodes(self, text: str) -> Iterator[Listed]:
        """Those of the lines that are right."""
        head = text.partition("\n")[0]
        delimiter = next((one for one in (";", "\t") if one in head), ",")
        rows = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        try:
            columns = [one.strip().lower() for one in next(rows, [])]
            if not self._has_columns(columns):
                return
            for row in rows:
                if any(one.strip() for one in row):
                    yield from self._node(row, columns, rows.line_num)
            if not self._lines and not self.faults:
                self._refuse(1, "no line below names a node")
        except csv.Error as error:
            self._refuse(rows.line_num, f"not a table of comma-separated values: {error}")

    def _has_columns(self, columns: list[str]) -> bool:
        unknown = [one for one in columns if one not in COLUMNS]
        known = f"known are {', '.join(COLUMNS)}"
        for one in unknown:
            self._refuse(1, f"no such column, {known} (got {one!r})")
        if not unknown and len(set(columns)) < len(columns):
            self._refuse(1, "each column once")
        if "name" not in columns:
            self._refuse(1, f"the first line must name the column name; {known}")
        return not self.faults

    def _node(self, row: list[str], columns: list[str], line: int) -> Iterator[Listed]:
        before = len(self.faults)
        if len(row) != len(columns):
            self._refuse(line, f"{len(columns)} values expected, as in the first line (got {len(row)})")
            return
        cells: Mapping[str, str] = dict(zip(columns, (one.strip() for one in row), strict=True))
        name, site = cells["name"], cells.get("site", "")
        if re.fullmatch(limits.NAME_PATTERN, name) is None:
            self._refuse(line, f"name: {_NAME_RULE} (got {name[:MOST_CHARACTERS]!r})")
        elif name in self._lines:
            self._refuse(line, f"name: line {self._lines[name]} has {name} already")
        elif len(self._lines) == MOST_NODES:
            self._refuse(line, f"at most {MOST_NODES} nodes in one table")
        if not site.isprintable() or len(site) > MOST_CHARACTERS:
            self._refuse(line, f"site: at most {MOST_CHARACTERS} printable characters (got {site[:MOST_CHARACTERS]!r})")
        self._lines.setdefault(name, line)
        if len(self.faults) == before:
            yield Listed(name, site)

    def _refuse(self, line: int, reason: str) -> None:
        self.faults.append(f"{self._called}:{line}: {reason}")
