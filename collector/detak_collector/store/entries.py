"""The log of entries: appended to and read, never changed. What they say is told by whoever reads them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from detak_collector.pair.entry import Body, Entry, canonical, in_order
from detak_collector.store.database import Connection, Database
from detak_collector.store.instance import Executes

_COLUMNS = "id, kind, recorded_utc, author, collector, seen, body"
_INSERT = f"INSERT INTO entry (number, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - of constants

MOST_CHARACTERS = 4_000_000


class SqlEntries:
    """The log in one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, kind: str, body: Body, author: str, now_utc: int) -> Entry:
        """Makes an entry of this collector's, durably."""
        with self._database.writing() as connection:
            return append(connection, kind, body, author, now_utc)

    def of(self, kind: str) -> list[Entry]:
        """All entries of a kind, in the order in which entries are read."""
        with self._database.reading() as connection:
            return entries_of(connection, kind)

    def all(self) -> list[Entry]:
        """All entries, in that order."""
        with self._database.reading() as connection:
            return in_order(map(entry_of, connection.execute(f"SELECT {_COLUMNS} FROM entry")))  # noqa: S608 - constants

    def count(self, kinds: Sequence[str]) -> int:
        """How many entries of these kinds there are."""
        places = ", ".join("?" * len(kinds))
        with self._database.reading() as connection:
            query = f"SELECT count(*) FROM entry WHERE kind IN ({places})"  # noqa: S608 - of question marks
            (count,) = connection.execute(query, tuple(kinds)).fetchone()
            return int(count)

    def mark(self) -> int:
        """How many entries there are: none is new as long as it stays the same."""
        with self._database.reading() as connection:
            (count,) = connection.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()
            return int(count)


def append(connection: Executes, kind: str, body: Body, author: str, now_utc: int) -> Entry:
    """As `SqlEntries.append` says, within a transaction of the caller's. No entry is older than the one before it."""
    (latest,) = connection.execute("SELECT coalesce(max(recorded_utc), 0) FROM entry").fetchone()
    (collector,) = connection.execute("SELECT identity FROM collector").fetchone()
    seen = dict(connection.execute("SELECT collector, count(*) FROM entry GROUP BY collector"))
    entry = Entry(secrets.token_hex(16), kind, max(now_utc, latest), author, collector, seen, canonical(body))
    _write(connection, [entry])
    return entry


def entries_of(connection: Connection, kind: str) -> list[Entry]:
    """As `SqlEntries.of` says, in a view of the caller's."""
    query = f"SELECT {_COLUMNS} FROM entry WHERE kind = ?"  # noqa: S608 - of constants
    return in_order(map(entry_of, connection.execute(query, (kind,))))


def entries_after(connection: Connection, number: int, most: int) -> tuple[list[Entry], int]:
    """The next entries in the order of this log, and the number of the last of them; at least one, if there is any.

    Not many more than MOST_CHARACTERS are told at once.
    """
    query = f"SELECT {_COLUMNS}, number FROM entry WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - constants
    found: list[Entry] = []
    characters = 0
    for row in connection.execute(query, (number, most)):
        found.append(entry_of(row[:-1]))
        number, characters = row[-1], characters + len(found[-1].body)
        if characters > MOST_CHARACTERS:
            break
    return found, number


def take_entries(connection: Connection, entries: Sequence[Entry]) -> int:
    """Adds those that are not there yet to the end of the log; how many those were."""
    new = [
        one
        for one in {one.id: one for one in entries}.values()
        if connection.execute("SELECT 1 FROM entry WHERE id = ?", (one.id,)).fetchone() is None
    ]
    _write(connection, new)
    return len(new)


def _write(connection: Executes, entries: Sequence[Entry]) -> None:
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()
    for number, one in enumerate(entries, last + 1):
        seen = json.dumps(dict(one.seen), sort_keys=True)
        values = (one.id, one.kind, one.recorded_utc, one.author, one.collector, seen, one.body)
        connection.execute(_INSERT, (number, *values))


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The entry of a row of its columns."""
    id_, kind, recorded_utc, author, collector, seen, body = row
    return Entry(id_, kind, recorded_utc, author, collector, json.loads(seen), body)
