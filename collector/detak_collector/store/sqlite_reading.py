"""The SQLite file where it is only looked at: on a file system that takes nothing, or of a copy that serves no more.

Whoever would write is told so as by a store that takes nothing now, which reports and pages know how to live with.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from detak_collector.copies.state_directory import is_owned
from detak_collector.store.base import StoreError, StoreUnavailableError
from detak_collector.store.migrations import NAMES
from detak_collector.store.sqlite_database import (
    BUSY_TIMEOUT_MS,
    Soundness,
    SqliteConnection,
    SqliteDatabase,
    refuse_unknown,
    transaction,
    translated,
)

_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'detak' ORDER BY id"


def takes_nothing(path: Path) -> str:
    """Why this user cannot write to the store's file or beside it; empty where it can be written to."""
    for one in (path, path.parent):
        if not os.access(one, os.W_OK):
            system = os.statvfs(one)
            return "its file system is read-only" if system.f_flag & os.ST_RDONLY else f"{one} may only be read"
    return ""


class ReadingConnection(SqliteConnection):
    """A connection that writes nothing."""

    def __init__(self, path: Path, why: str, soundness: Soundness) -> None:
        super().__init__(path, soundness, opened=connect_to_read)
        self._why = why

    @contextmanager
    def transaction(self, *, writing: bool = True) -> Iterator[None]:
        """As the seam says; raises StoreUnavailableError where it is to be written to."""
        if writing:
            raise StoreUnavailableError(f"{self._path}: nothing can be written: {self._why}")
        with transaction(self._connection, self._path, writing=False, soundness=self._soundness):
            yield


class ReadingDatabase(SqliteDatabase):
    """The file at `path`, which is only read because of `why`."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path)
        self._why = why

    def connect(self, *, durable: bool = True) -> SqliteConnection:
        """As the seam says."""
        del durable
        return ReadingConnection(self.path, self._why, self._soundness)

    def require_schema(self) -> None:
        """Raises StoreError where the file has another schema than this version's: it cannot be brought to it."""
        try:
            with closing(connect_to_read(self.path)) as connection:
                applied = [name for (name,) in connection.execute(_APPLIED)]
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        refuse_unknown(self.path, applied)
        if len(applied) < len(NAMES):
            last = applied[-1] if applied else "none"
            raise StoreError(
                f"{self.path}: written by an earlier Detak (schema {last}, this version needs {NAMES[-1]}), and it "
                f"cannot be brought on: {self._why}. Copy it, with its -wal, to a folder that can be written to"
            )


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, not even the files beside; raises StoreError.

    What is in the log beside the file is read too. Only where there is none, and nobody can make one, the file is taken
    as one that does not change: SQLite would want to make a log otherwise.
    """
    log, shared = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    has_log = log.exists() and log.stat().st_size > 0
    if has_log and not shared.exists() and not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"{path}: what was written last is in {log.name}, which cannot be read without {shared.name}: copy both "
            "files into a folder that can be written to, and name that as state_directory"
        )
    is_still = not has_log and not shared.exists() and _nobody_can_write(path)
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_still else ''}",
            uri=True, check_same_thread=False, isolation_level=None, cached_statements=256,
        )  # fmt: skip
    except sqlite3.Error as error:
        raise translated(error, path) from error
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def _nobody_can_write(path: Path) -> bool:
    """Whether the file system takes nothing and no collector serves from the file, through another mount of it."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not is_owned(path.parent)
