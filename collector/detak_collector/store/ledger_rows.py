"""The canonical line of each closed fact and each entry, read from their tables with names in place of numbers.

Only what never changes once it was recorded is in a line: the columns of these tables are written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from detak_collector.ledger.chain import Reach
from detak_collector.ledger.lines import line_of, value_of
from detak_collector.ledger.plain import RECORD
from detak_collector.store.instance import Executes

LEAST = -(2**63)
MOST = 2**63 - 1
"""Of what a number can be in either database."""

_RUN = "LEFT JOIN run ON run.sequence = {table}.run LEFT JOIN node ON node.id = run.node"
"""A reference that leads nowhere was altered: its record is told without the name, and so is another line."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One table: its columns by their name in a line, and which of them are JSON."""

    table: str
    columns: dict[str, str]
    joins: str
    json: tuple[str, ...] = ()
    place: str = "sequence"

    @property
    def query(self) -> str:
        """Rows of a range of places, in order."""
        listed = ", ".join(self.columns.values())
        at = f"{self.table}.{self.place}"
        return (
            f"SELECT {listed} FROM {self.table} {self.joins} "  # noqa: S608 - of constants
            f"WHERE {at} BETWEEN ? AND ? ORDER BY {at} LIMIT ?"
        )

    def line(self, row: Sequence[Any]) -> bytes:
        """The line of a row."""
        told: dict[str, object] = dict(zip(self.columns, row, strict=True))
        for name in self.json:
            if told[name] is not None:
                told[name] = value_of(str(told[name]))
        told[RECORD] = self.table
        return line_of(told)


def _own(table: str, *names: str) -> dict[str, str]:
    return {name: f'{table}."{name}"' for name in names}


def _of_a_run(table: str, *names: str) -> dict[str, str]:
    own = _own(table, "sequence", "number", *names, "recorded_utc")
    return {**own, "node": "node.name", "run": "run.run"}


def _named(column: str, table: str, nothing: str) -> str:
    """A text of a span's, which may have none: that is not the same as one that is not there any more."""
    return f"CASE WHEN span.{column} IS NULL THEN '{nothing}' ELSE {table}.text END"


FACTS = (
    _Kind(
        "run",
        {**_own("run", "sequence", "run", "opening", "sent_agent", "recorded_utc", "boot", "previous"),
         "node": "node.name"},
        "LEFT JOIN node ON node.id = run.node",
        json=("opening",),
    ),
    _Kind(
        "span",
        {
            **_of_a_run("span", "state", "first_begin", "first_end", "last_begin", "last_end", "samples",
                        "largest_gap", "heard_utc"),
            "check": "checks.text",
            "message": _named("message", "messages", ""),
            "marks": _named("marks", "marks", "{}"),
        },
        _RUN.format(table="span")
        + ' LEFT JOIN text AS checks ON checks.id = span."check"'
        + " LEFT JOIN text AS messages ON messages.id = span.message LEFT JOIN text AS marks ON marks.id = span.marks",
        json=("marks",),
    ),
    _Kind(
        "exchange",
        {
            **_of_a_run("exchange", "sent_agent", "arrived_utc", "answered_utc", "received_agent"),
            "collector": "text.text",
        },
        _RUN.format(table="exchange") + " LEFT JOIN text ON text.id = exchange.collector",
    ),
    _Kind("gap", _of_a_run("gap", "first_number", "last_number", "reason"), _RUN.format(table="gap")),
    _Kind("conflict", _of_a_run("conflict", "version"), _RUN.format(table="conflict"), json=("version",)),
)  # fmt: skip
ENTRIES = _Kind(
    "entry",
    _own("entry", "number", "id", "kind", "recorded_utc", "author", "collector", "seen", "body"),
    "",
    json=("seen", "body"),
    place="number",
)
_QUERIES = [(kind, kind.query) for kind in FACTS]


def facts_between(connection: Executes, first: int, last: int, most: int) -> list[tuple[int, bytes]]:
    """The lines of the facts with a sequence in [first, last], in order, the first `most` of each table at least."""
    found = list(chain.from_iterable(_facts(connection, kind, query, (first, last, most)) for kind, query in _QUERIES))
    found.sort()
    return found


def _facts(connection: Executes, kind: _Kind, query: str, asked: tuple[int, int, int]) -> Iterator[tuple[int, bytes]]:
    return ((row[0], kind.line(row)) for row in connection.execute(query, asked))


def entries_between(connection: Executes, first: int, last: int, most: int) -> list[tuple[int, bytes]]:
    """The same of the entries, by their numbers."""
    rows = connection.execute(ENTRIES.query, (first, last, most))
    return [(row[0], ENTRIES.line(row)) for row in rows]


def next_lines(connection: Executes, after: Reach, most: int) -> tuple[list[bytes], Reach, int]:
    """Up to `most` lines of what is not covered yet, up to where they reach, and how many of them are entries."""
    facts = facts_between(connection, after.facts + 1, MOST, most)[:most]
    entries = entries_between(connection, after.entries + 1, MOST, most - len(facts))
    reach = Reach(facts[-1][0] if facts else after.facts, entries[-1][0] if entries else after.entries)
    return [*map(itemgetter(1), facts), *map(itemgetter(1), entries)], reach, len(entries)


def covered_lines(connection: Executes, after: Reach | None, until: Reach, most: int) -> list[bytes]:
    """The lines of all that lies between: one more than `most` of a table where there are more. None: from the first.

    Facts come first, in the order of their recording, then the entries.
    """
    first = Reach(LEAST, LEAST) if after is None else Reach(after.facts + 1, after.entries + 1)
    facts = facts_between(connection, first.facts, until.facts, most + 1)
    entries = entries_between(connection, first.entries, until.entries, most + 1)
    return [*map(itemgetter(1), facts), *map(itemgetter(1), entries)]


def recorded_by(connection: Executes, moment: int, after: Reach, until: Reach) -> bool:
    """Whether any record that lies between was recorded by then."""
    facts = ((kind.table, kind.place, after.facts, until.facts) for kind in FACTS)
    entries = (ENTRIES.table, ENTRIES.place, after.entries, until.entries)
    return any(
        connection.execute(
            f"SELECT 1 FROM {table} WHERE {place} > ? AND {place} <= ? AND recorded_utc <= ? LIMIT 1",  # noqa: S608 - of constants
            (first, last, moment),
        ).fetchone()
        for table, place, first, last in (*facts, entries)
    )
