"""The SQLite store: one file in the state directory."""

from __future__ import annotations

from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.store.parts import Store
from detak_collector.store.sqlite_database import SqliteDatabase, migrate, sync_directories

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
    is_new = not path.exists()
    migrate(path, now.utc)
    if is_new:
        sync_directories(state_directory)
    return SqliteStore.over(SqliteDatabase(path))
