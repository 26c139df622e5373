"""Opens the SQLite file: its safety switches, its schema, its errors. It knows nothing of what the tables mean."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.migrations import MIGRATIONS, NAMES

BUSY_TIMEOUT_MS = 5_000
PRIMARY_CODE = 0xFF
"""The low byte of SQLite's extended result codes."""

_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
_UNAVAILABLE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT}
_REQUIRED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_MS}


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """The same error as a decision: refuse this one thing, try again, or end."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE
    if code in _REFUSED:
        return StoreError(f"{path}: {error}")
    kind = StoreUnavailableError if code in _UNAVAILABLE else StoreBrokenError
    return kind(f"{path}: {error}")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use, with every safety switch set and seen to be set."""
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    try:
        _make_safe(connection)
    except sqlite3.Error as error:
        connection.close()
        raise translated(error, path) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _make_safe(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    for name, wanted in _REQUIRED.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != wanted:
            raise StoreBrokenError(f"SQLite refuses {name} = {wanted} and says {found}: use a local file system")


def migrate(path: Path, now_utc: int) -> None:
    """Brings the file at `path` to this version's schema, making it where it is missing; refuses a newer one."""
    connection = connect(path)
    try:
        connection.isolation_level = "DEFERRED"
        database = Database(connection)
        unknown = [applied.name for applied in MIGRATIONS.applied(database) if applied.name not in NAMES]
        if unknown:
            raise StoreBrokenError(
                f"{path}: written by a newer Detak (schema {unknown[-1]}, this version knows up to {NAMES[-1]}): "
                "install that version or restore an older backup"
            )
        MIGRATIONS.apply(database)
        with connection:
            connection.execute(
                "INSERT OR IGNORE INTO collector (id, identity, created_utc) VALUES (1, ?, ?)",
                (secrets.token_hex(8), now_utc),
            )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, *, writing: bool = True) -> Iterator[None]:
    """All or nothing; when it ends without an error, what was written is durable."""
    try:
        connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        raise translated(error, path) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
