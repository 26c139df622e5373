"""The watch log in SQLite: one row a stretch of time in which the collector was there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.downtime.intervals import Intervals
from detak_collector.store.sqlite_database import connect, transaction


def watched(connection: sqlite3.Connection, begin_utc: int, end_utc: int) -> Intervals:
    """As WatchLog.watched says, within a snapshot of the caller's."""
    query = "SELECT from_utc, to_utc FROM watch WHERE from_utc < ? AND to_utc > ?"
    return Intervals.of(connection.execute(query, (end_utc, begin_utc))).clip(begin_utc, end_utc)


def stepped(connection: sqlite3.Connection, begin_utc: int, end_utc: int, known_at: int) -> tuple[int, ...]:
    """When the collector's UTC stepped: where a stretch ended for that, and where the next one began by `known_at`."""
    query = """
        SELECT watch.to_utc, min(following.from_utc) FROM watch
        LEFT JOIN watch AS following ON following.id > watch.id
        WHERE watch.ended = 'stepped' AND watch.to_utc BETWEEN ? AND ? GROUP BY watch.id
        HAVING coalesce(min(following.from_utc), watch.to_utc) <= ?
    """
    rows = connection.execute(query, (begin_utc, end_utc, known_at))
    return tuple(sorted(instant for row in rows for instant in row if instant is not None))


class SqliteWatchLog:
    """The watch log on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def begin(self, at: Reading) -> int:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute("UPDATE watch SET ended = 'died' WHERE ended IS NULL")
            row = self._connection.execute(
                "INSERT INTO watch (boot, from_utc, to_utc, from_boottime, to_boottime) VALUES (?, ?, ?, ?, ?)",
                (at.boot, at.utc, at.utc, at.boottime, at.boottime),
            ).lastrowid
        assert row is not None
        return row

    def extend(self, row: int, at: Reading) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute(
                "UPDATE watch SET to_utc = ?, to_boottime = ? WHERE id = ?", (at.utc, at.boottime, row)
            )

    def end(self, row: int, why: str) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute("UPDATE watch SET ended = ? WHERE id = ?", (why, row))

    def watched(self, begin_utc: int, end_utc: int) -> Intervals:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            return watched(connection, begin_utc, end_utc)

    def latest_utc(self) -> int | None:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            found: int | None = connection.execute("SELECT max(to_utc) FROM watch").fetchone()[0]
            return found
