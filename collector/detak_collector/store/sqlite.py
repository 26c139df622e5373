"""The SQLite store, put together: one file, and the seams on it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.store.sqlite_database import connect, migrate
from detak_collector.store.sqlite_derived import SqliteDerived
from detak_collector.store.sqlite_evidence import SqliteEvidence
from detak_collector.store.sqlite_history import SqliteHistory
from detak_collector.store.sqlite_metrics import SqliteMetrics
from detak_collector.store.sqlite_outages import SqliteOutages
from detak_collector.store.sqlite_registry import SqliteRegistry
from detak_collector.store.sqlite_watch import SqliteWatchLog

FILE_NAME = "detak.sqlite"


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """All that a collector keeps. `collector` is its identity, made with the file."""

    path: Path
    collector: str
    evidence: SqliteEvidence
    derived: SqliteDerived
    registry: SqliteRegistry
    watch: SqliteWatchLog
    outages: SqliteOutages
    history: SqliteHistory
    metrics: SqliteMetrics

    def close(self) -> None:
        """Gives the file back."""
        for part in (self.evidence, self.registry, self.watch, self.metrics):
            part.close()


def open_store(state_directory: Path, now: Reading) -> SqliteStore:
    """Opens the store in `state_directory`, made or brought to this version's schema; raises StoreError."""
    path = state_directory / FILE_NAME
    migrate(path, now.utc)
    with closing(connect(path)) as connection:
        identity = connection.execute("SELECT identity FROM collector").fetchone()[0]
    return SqliteStore(
        path,
        identity,
        SqliteEvidence(path),
        SqliteDerived(path),
        SqliteRegistry(path),
        SqliteWatchLog(path),
        SqliteOutages(path),
        SqliteHistory(path),
        SqliteMetrics(path),
    )
