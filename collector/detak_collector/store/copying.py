"""Copies a store from its file into a PostgreSQL database: in pieces, so that it can go on where it was interrupted.

The file must not change meanwhile: whoever copies owns it. Rows travel in the order of their keys, and a piece is a
transaction, so what is there already is told by the last key. At the end every table is read on both sides and has to
come to the same digest; until then no collector serves from the copy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from itertools import islice
from typing import Any

import msgspec

from detak_collector.copies.instance import Instance
from detak_collector.store.base import StoreError
from detak_collector.store.database import Connection
from detak_collector.store.instance import of_connection, write
from detak_collector.store.postgresql_database import PostgresqlDatabase

PIECE = 20_000
"""Rows in one transaction."""

LARGE = {"attachment": 10}
"""Of tables whose rows have megabytes, the rows in one transaction."""

INSTANCE = "instance"
"""The one table that is not the same on both sides: it says which copy serves."""

Row = Sequence[Any]
Told = Callable[[str, int], None]
"""Is told the name of a table, and that so many more of its rows are done."""

_pack = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file. `key` is what orders its rows; `whole`: it cannot be copied in pieces."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    whole: bool

    @property
    def piece(self) -> int:
        """Its rows in one transaction."""
        return LARGE.get(self.name, PIECE)

    @property
    def listed(self) -> str:
        """Its columns, quoted."""
        return _listed(self.columns)


def tables_of(source: Connection) -> list[Table]:
    """All tables, each after those that it refers to."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    names = [name for (name,) in source.execute(query) if not name.startswith("_")]
    references = {name: {row[2] for row in source.execute(f"PRAGMA foreign_key_list({name})")} for name in names}
    order = TopologicalSorter({name: referred - {name} for name, referred in references.items()})
    return [_table(source, name, refers_to_itself=name in references[name]) for name in order.static_order()]


def _table(source: Connection, name: str, *, refers_to_itself: bool) -> Table:
    columns = list(source.execute(f"PRAGMA table_info({name})"))
    key = [row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]]
    every = tuple(row[1] for row in columns)
    return Table(name, every, tuple(key) or every, whole=refers_to_itself or not key)


def count(source: Connection, table: Table) -> int:
    """How many rows it has."""
    (found,) = source.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608 - a table's name
    return int(found)


class Copy:
    """One copy of the file behind `source` into `target`, which has this version's schema."""

    def __init__(self, source: Connection, target: PostgresqlDatabase) -> None:
        self._source = source
        self._connection = target.connect()
        self._connection.patience_s = math.inf
        self._place = target.place
        self.tables = [table for table in tables_of(source) if table.name != INSTANCE]
        self.rows = {table.name: count(source, table) for table in self.tables}
        (self.identity,) = source.execute("SELECT identity FROM collector").fetchone()

    def close(self) -> None:
        """Gives the target back."""
        self._connection.close()

    def begin(self) -> bool:
        """Claims the target; whether it goes on with a copy that was interrupted. Raises StoreError where it may not.

        Where the file has changed since that was begun, all of it is copied anew.
        """
        mark = self._mark()
        with self._connection.transaction():
            begun = self._connection.execute("SELECT source, mark, finished_utc FROM copying").fetchone()
            if begun is None:
                self._refuse_foreign()
            elif begun[0] != self.identity or begun[2] is not None:
                raise StoreError(f"{self._place}: holds a store already, copied from collector {begun[0]}")
            elif begun[1] == mark:
                return True
            names = ", ".join(table.name for table in self.tables)
            self._connection.execute(f"TRUNCATE {names} RESTART IDENTITY")
            self._connection.execute("DELETE FROM copying")
            self._connection.execute("INSERT INTO copying VALUES (1, ?, ?, NULL)", (self.identity, mark))
        return False

    def _mark(self) -> str:
        """Is another one where a collector has served from the file since."""
        (watched,) = self._source.execute("SELECT coalesce(max(to_utc), 0) FROM watch").fetchone()
        return hashlib.sha256(repr((sorted(self.rows.items()), watched)).encode()).hexdigest()

    def _refuse_foreign(self) -> None:
        held = [
            name
            for name in ("collector", "node", "run")
            if self._connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - of constants
        ]
        if held:
            raise StoreError(f"{self._place}: is not empty: a collector uses it. Name an empty database")

    def copy(self, told: Told) -> None:
        """Copies what the target has not yet."""
        for table in self.tables:
            done = count(self._connection, table)
            if table.whole and done:
                done = self.rows[table.name]
            told(table.name, done)
            if table.whole:
                if not done:
                    self._write(table, list(self._after(table, None)), told)
                continue
            rows = self._after(table, self._last(table))
            while piece := list(islice(rows, table.piece)):
                self._write(table, piece, told)

    def _last(self, table: Table) -> Row | None:
        order = ", ".join(f"{_quoted(name)} DESC" for name in table.key)
        query = f"SELECT {_listed(table.key)} FROM {table.name} ORDER BY {order} LIMIT 1"  # noqa: S608 - names
        found: Row | None = self._connection.execute(query).fetchone()
        return found

    def _after(self, table: Table, last: Row | None) -> Iterator[Row]:
        key, places = _listed(table.key), ", ".join("?" * len(table.key))
        where = "" if last is None else f"WHERE ({key}) > ({places}) "
        query = f"SELECT {table.listed} FROM {table.name} {where}ORDER BY {key}"  # noqa: S608 - names
        return iter(self._source.execute(query, () if last is None else tuple(last)))

    def _write(self, table: Table, rows: Sequence[Row], told: Told) -> None:
        with self._connection.transaction():
            self._connection.copy_in(f"COPY {table.name} ({table.listed}) FROM STDIN", rows)
        told(table.name, len(rows))

    def differing(self, told: Told) -> list[str]:
        """The tables whose rows are not the same on both sides: none, unless something went wrong."""
        found = []
        for table in self.tables:
            query = f"SELECT {table.listed} FROM {table.name} ORDER BY {_listed(table.key)}"  # noqa: S608 - names
            here = _digest(self._source.execute(query), partial(told, table.name), table.piece)
            with self._connection.transaction(writing=False):
                there = _digest(self._connection.stream(query), lambda _: None, table.piece)
            if here != there:
                found.append(table.name)
        return found

    def finish(self, instance: Instance, now_utc: int) -> None:
        """From now on collectors may serve from it, as this instance: new rows get numbers of their own."""
        with self._connection.transaction():
            of_connection(self._connection)
            write(self._connection, instance)
            self._connection.execute("UPDATE instance SET secret = ?", (instance.secret,))
            for table in self.tables:
                if table.key == ("id",):
                    self._go_on_counting(table.name)
            self._connection.execute("UPDATE copying SET finished_utc = ?", (now_utc,))
        for table in self.tables:
            self._connection.execute(f"ANALYZE {table.name}")

    def _go_on_counting(self, table: str) -> None:
        """What comes next has a number beyond all that was copied; not every id is a number."""
        for (sequence,) in self._connection.execute("SELECT pg_get_serial_sequence(?, 'id')", (table,)):
            if sequence is not None:
                self._connection.execute(
                    f"SELECT setval(?, (SELECT greatest(1, max(id)) FROM {table}), "  # noqa: S608 - a table's name
                    f"(SELECT count(*) > 0 FROM {table}))",
                    (sequence,),
                )


def _digest(rows: Iterable[Row], told: Callable[[int], None], size: int) -> bytes:
    digest, waiting = hashlib.blake2b(), iter(rows)
    while piece := list(islice(waiting, size)):
        for row in piece:
            digest.update(_pack(row))
        told(len(piece))
    return digest.digest()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
