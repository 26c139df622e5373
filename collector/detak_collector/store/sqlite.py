"""The SQLite store: one file in the state directory."""

from __future__ import annotations

import os
from pathlib import Path

from detak_collector.channel.private_files import belong_as
from detak_collector.clocks import Reading
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite_database import SqliteDatabase, migrate, sync_directories
from detak_collector.store.sqlite_reading import ReadingDatabase

FILE_NAME = "detak.sqlite"


class SqliteStore(Store):
    """A store whose file is at `path`."""

    __slots__ = ()

    @property
    def path(self) -> Path:
        """Where the file is."""
        assert isinstance(self.database, SqliteDatabase)
        return self.database.path


def open_store(state_directory: Path, now: Reading) -> SqliteStore:
    """Opens the store in `state_directory`, made or brought to this version's schema; raises StoreError."""
    path = state_directory / FILE_NAME
    is_new = _made(path)
    migrate(path, now.utc)
    if is_new:
        sync_directories(state_directory)
    return SqliteStore.over(SqliteDatabase(path))


def open_to_read(state_directory: Path, why: str) -> SqliteStore:
    """Opens the store that is in `state_directory`, which is not written to because of `why`; raises StoreError."""
    database = ReadingDatabase(state_directory / FILE_NAME, why)
    database.require_schema()
    return SqliteStore.over(database)


def _made(path: Path) -> bool:
    """Whether the file is new: then it is made here, and belongs to whom its folder belongs to, whoever makes it.

    SQLite gives the files that it makes beside it to the same user.
    """
    try:
        if path.stat().st_size > 0:
            return False
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    try:
        belong_as(path.parent, descriptor)
    finally:
        os.close(descriptor)
    return True
