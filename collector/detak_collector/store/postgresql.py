"""The PostgreSQL store: one database, which several collectors may share."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from detak_collector.clocks import Reading
from detak_collector.store.base import StoreBrokenError, StoreError
from detak_collector.store.database import Connection
from detak_collector.store.migrations import NAMES, STEPS
from detak_collector.store.parts import Store
from detak_collector.store.postgresql_database import PostgresqlDatabase
from detak_collector.store.postgresql_sql import BESIDES, schema

_HISTORY = "CREATE TABLE IF NOT EXISTS detak_schema (name TEXT PRIMARY KEY, applied_utc BIGINT NOT NULL)"


def open_store(url: str, now: Reading, password: str | None = None) -> Store:
    """Opens the store at `url`, made or brought to this version's schema; raises StoreError."""
    database = PostgresqlDatabase(url, password)
    try:
        migrate(database, now.utc)
        return Store.over(database)
    except StoreError:
        database.close()
        raise


def migrate(database: PostgresqlDatabase, now_utc: int) -> None:
    """Brings the database to this version's schema, making it where it is missing; refuses a newer one.

    A copy that was begun and not finished is refused too: it holds a part of its store.
    """
    with closing(database.connect()) as connection, connection.transaction():
        # What is done to a large table once may take as long as it takes.
        connection.patience_s = math.inf
        bring_schema(connection, database.place, now_utc)
        if connection.execute("SELECT 1 FROM copying WHERE finished_utc IS NULL").fetchone():
            raise StoreError(
                f"{database.place}: a copy into it was not finished: `detak-collector store copy` goes on with it"
            )
        connection.execute(
            "INSERT INTO collector (id, identity, created_utc) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
            (secrets.token_hex(8), now_utc),
        )


def bring_schema(connection: Connection, place: str, now_utc: int) -> None:
    """The schema alone, within a transaction of the caller's; whose store it is is told by somebody else."""
    connection.execute(_HISTORY)
    applied = [name for (name,) in connection.execute("SELECT name FROM detak_schema ORDER BY name")]
    unknown = [name for name in applied if name not in NAMES]
    if unknown:
        raise StoreBrokenError(
            f"{place}: written by a newer Detak (schema {unknown[-1]}, this version knows up to "
            f"{NAMES[-1]}): install that version or restore an older backup"
        )
    missing = [name for name in NAMES if name not in applied]
    for name in missing:
        STEPS[name](_Schema(connection))
        connection.execute("INSERT INTO detak_schema VALUES (?, ?)", (name, now_utc))
    if missing:
        for definition in BESIDES:
            connection.execute(definition)


class _Schema:
    """What the migrations are given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, definition: str, values: Sequence[Any] = (), /) -> Iterable[Any]:
        """As `Schema` says."""
        return self._connection.execute(schema(definition), values)
