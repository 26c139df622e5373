"""The journal's file: its tables, and a connection that is durable or refused. It knows nothing of what is kept."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detak_agent.failures import CouldNotError, DiskFullError, JournalError

_log = logging.getLogger("detak_agent")

FILE_NAME = "journal.db"
SCHEMA_VERSION = 1
_FULL = 2
FULL_DISK = "database or disk is full"
"""How SQLite words SQLITE_FULL, which it says of a write and never of a failed fsync; Python 3.10 tells no code."""

_SCHEMA = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, boot TEXT NOT NULL, tick_ms INTEGER NOT NULL,
    last_tick INTEGER, last_number INTEGER, ended INTEGER NOT NULL DEFAULT 0, stopped TEXT, stopped_agent INTEGER
);
CREATE TABLE tick (run INTEGER PRIMARY KEY REFERENCES run, body BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE opened (
    run INTEGER NOT NULL REFERENCES run, number INTEGER NOT NULL, body BLOB NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE record (
    sequence INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run, number INTEGER NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, checksum INTEGER NOT NULL, recorded_utc INTEGER NOT NULL, UNIQUE (run, number)
);
CREATE TABLE collector (id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE);
CREATE TABLE stored (
    collector INTEGER NOT NULL REFERENCES collector ON DELETE CASCADE,
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    opened INTEGER NOT NULL, mark INTEGER NOT NULL, ranges BLOB NOT NULL, PRIMARY KEY (collector, run)
) WITHOUT ROWID;
CREATE TABLE owed (
    collector INTEGER NOT NULL REFERENCES collector ON DELETE CASCADE,
    sequence INTEGER NOT NULL REFERENCES record ON DELETE CASCADE, PRIMARY KEY (collector, sequence)
) WITHOUT ROWID;
CREATE INDEX owed_sequence ON owed (sequence);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL
);
"""


def checksum(body: bytes) -> int:
    """What a row is checked by when it is read again."""
    return zlib.crc32(body)


def is_intact(body: object, check: int) -> bool:
    """Whether a row is as it was written."""
    return isinstance(body, bytes) and checksum(body) == check


def connect(directory: Path) -> sqlite3.Connection:
    """The journal in `directory`, made if there is none; a file that is beyond reading is set aside for a new one."""
    path = directory / FILE_NAME
    try:
        return _prepared(path)
    except sqlite3.OperationalError as error:
        raise CouldNotError(f"{path}: cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        aside = _set_aside(path)
        _log.error("%s is damaged (%s); set aside as %s, and a new one is begun", path, error, aside.name)
        return _prepared(path)


def connect_read_only(directory: Path) -> sqlite3.Connection:
    """The journal for reading beside a running agent."""
    path = directory / FILE_NAME
    if not path.exists():
        raise CouldNotError(f"{path}: there is no journal; has an agent run with this configuration?")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute("SELECT 1 FROM run LIMIT 1")
    except sqlite3.Error as error:
        raise CouldNotError(f"{path}: cannot be read: {error}") from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, on disk when it ends. A failure is final, nobody may try again; but for DiskFullError."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if FULL_DISK in str(error) and _undone(connection):
            raise DiskFullError(f"journal: the disk is full, so the agent ends: {error}") from error
        raise JournalError(f"journal: a commit failed, so the agent ends: {error}") from error
    except sqlite3.Error as error:
        raise JournalError(f"journal: a commit failed, so the agent ends: {error}") from error


def _undone(connection: sqlite3.Connection) -> bool:
    """Whether nothing is left of the transaction, so that another one may be begun."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        return False
    return True


def used_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file holds something."""
    pages, free, size = (int(_pragma(connection, name)) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _prepared(path: Path) -> sqlite3.Connection:
    # The connection is opened before the loop starts and used by the journal's thread alone from then on.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        _make_durable(connection, path)
        _make_tables(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    mode = _pragma(connection, "journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA wal_autocheckpoint=100")
    connection.execute("PRAGMA journal_size_limit=1048576")
    connection.execute("PRAGMA cache_size=-512")
    if mode != "wal" or _pragma(connection, "synchronous") != _FULL:
        raise CouldNotError(f"{path}: this file system does not let the journal be durable (journal mode {mode})")
    verdict = _pragma(connection, "quick_check(1)")
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    version = _pragma(connection, "user_version")
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
    elif version != SCHEMA_VERSION:
        raise CouldNotError(f"{path}: made by a newer agent (schema {version}, this one knows {SCHEMA_VERSION})")


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def _pragma(connection: sqlite3.Connection, text: str) -> int | str:
    row = connection.execute(f"PRAGMA {text}").fetchone()
    value: int | str = row[0]
    return value
