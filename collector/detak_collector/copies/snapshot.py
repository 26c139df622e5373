"""A copy of the SQLite store as of one moment, taken while it is written to. It blocks nobody and misses nothing.

The copy is made within a read transaction: everything that was committed before it began is in it, all that comes later
is not, and writers go on meanwhile.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from detak_collector.store.base import StoreBrokenError, StoreError
from detak_collector.store.migrations import NAMES
from detak_collector.store.sqlite_reading import connect_to_read

PAGES_AT_ONCE = 2_048
Progress = Callable[[int, int], None]
"""Told how many pages are done, and of how many."""


def untold(_done: int, _total: int) -> None:
    """Nobody watches."""


def take(store: Path, copy: Path, progress: Progress = untold) -> None:
    """Copies the store's file to `copy`, which must not exist, and syncs it; raises StoreError or OSError."""
    if not store.is_file():
        raise StoreError(f"{store}: no such file: there is no store to copy yet")
    copy.touch(mode=0o600, exist_ok=False)
    try:
        with closing(connect_to_read(store)) as source, closing(_connected(copy)) as target:
            # Without this transaction every commit of another process would make the copy begin anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(
                target, pages=PAGES_AT_ONCE, progress=lambda _, left, total: progress(total - left, total), sleep=0.01
            )
            # A copy in WAL mode would need files of its own beside it wherever it is looked at.
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            # It is the copy's disk: of the store's nothing is asked for.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(copy)) from error
        raise StoreError(f"{store}: {error}") from error
    with copy.open("rb") as file:
        os.fsync(file.fileno())


def check(copy: Path) -> list[str]:
    """Looks through a whole copy; returns the names of the migrations it has had. Raises StoreBrokenError."""
    try:
        with closing(_connected(copy, read_only=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            if found != ["ok"]:
                raise StoreBrokenError(f"{copy}: damaged: {'; '.join(found)}")
            rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'detak' ORDER BY id")
            return [row[0] for row in rows]
    except sqlite3.Error as error:
        raise StoreBrokenError(f"{copy}: {error}") from error


def refuse_newer(copy: Path, schema: list[str]) -> None:
    """Raises StoreError where a schema is not known to this version."""
    unknown = [name for name in schema if name not in NAMES]
    if unknown or not schema:
        what = f"schema {unknown[-1]}, this version knows up to {NAMES[-1]}" if unknown else "no schema of Detak"
        raise StoreError(f"{copy}: written by a newer Detak ({what}): install that version first")


def _connected(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection
