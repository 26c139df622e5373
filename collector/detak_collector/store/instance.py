"""The one row about this copy of the store. Whoever changes it knows that no other collector serves from it."""

from __future__ import annotations

import secrets
from typing import Any, Protocol

from detak_collector.copies.instance import SECRET_BYTES, Instance
from detak_collector.store.database import Database, Rows


class Executes(Protocol):
    """A connection to a store, or to a copy of one."""

    def execute(self, query: str, values: tuple[Any, ...] = ..., /) -> Rows:
        """Runs one statement."""
        ...


class SqlInstance:
    """The row in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Instance:
        """The copy as it is; one that has none yet gets it."""
        with self._database.writing() as connection:
            return of_connection(connection)

    def seen(self) -> Instance | None:
        """The copy as it is, and nothing is written; None where it has no row yet."""
        with self._database.reading() as connection:
            return _found(connection)

    def keep(self, instance: Instance) -> None:
        """From now on it is this one, durably."""
        with self._database.writing() as connection:
            write(connection, instance)


def of_connection(connection: Executes) -> Instance:
    """As `SqlInstance.read` says, within a transaction of the caller's."""
    fresh = (secrets.token_bytes(SECRET_BYTES),)
    connection.execute(
        "INSERT INTO instance (id, epoch, secret, home) VALUES (1, 0, ?, '') ON CONFLICT (id) DO NOTHING", fresh
    )
    found = _found(connection)
    assert found is not None, "the row is there by now"
    return found


def _found(connection: Executes) -> Instance | None:
    row = connection.execute("SELECT epoch, secret, home, fenced_utc, fenced_why FROM instance").fetchone()
    if row is None:
        return None
    epoch, secret, home, fenced_utc, why = row
    return Instance(epoch, bytes(secret), home, fenced_utc, why or "")


def write(connection: Executes, instance: Instance) -> None:
    """As `SqlInstance.keep` says, within a transaction of the caller's."""
    connection.execute(
        "UPDATE instance SET epoch = ?, home = ?, fenced_utc = ?, fenced_why = ?",
        (instance.epoch, instance.home, instance.fenced_utc, instance.fenced_why or None),
    )


def epoch_of(connection: Executes) -> int:
    """The epoch of this copy, 0 where it has none yet."""
    found = connection.execute("SELECT epoch FROM instance").fetchone()
    return 0 if found is None else int(found[0])
