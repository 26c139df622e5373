"""The watch log: one row a stretch of time in which the collector was there."""

from __future__ import annotations

from detak_collector.clocks import Reading
from detak_collector.downtime.intervals import Intervals
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.database import Connection, Database
from detak_collector.store.outlines import FOREVER

ABANDONED_MS = 10_000


def watched(connection: Connection, begin_utc: int, end_utc: int) -> Intervals:
    """As WatchLog.watched says, within a snapshot of the caller's."""
    query = "SELECT from_utc, to_utc FROM watch WHERE from_utc < ? AND to_utc > ?"
    return Intervals.of(connection.execute(query, (end_utc, begin_utc))).clip(begin_utc, end_utc)


def stepped(connection: Connection, begin_utc: int, end_utc: int, known_at: int) -> tuple[int, ...]:
    """When the collector's UTC stepped: where a stretch ended for that, and where the next one began by `known_at`."""
    query = """
        SELECT watch.to_utc, min(following.from_utc) FROM watch
        LEFT JOIN watch AS following ON following.id > watch.id AND following.boot = watch.boot
        WHERE watch.ended = 'stepped' AND watch.to_utc BETWEEN ? AND ? GROUP BY watch.id
        HAVING coalesce(min(following.from_utc), watch.to_utc) <= ?
    """
    rows = connection.execute(query, (begin_utc, end_utc, known_at))
    return tuple(sorted(instant for row in rows for instant in row if instant is not None))


class SqlWatchLog:
    """The watch log in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connect()

    def close(self) -> None:
        """Gives the database back."""
        self._connection.close()

    def begin(self, at: Reading) -> int:
        """As the seam says."""
        with self._connection.transaction():
            # What another collector left open has ended once it has not grown for a while.
            latest = at.utc - ABANDONED_MS if self._database.shared else FOREVER
            self._connection.execute("UPDATE watch SET ended = 'died' WHERE ended IS NULL AND to_utc < ?", (latest,))
            (row,) = self._connection.execute(
                "INSERT INTO watch (boot, from_utc, to_utc, from_boottime, to_boottime) VALUES (?, ?, ?, ?, ?) "
                "RETURNING id",
                (at.boot, at.utc, at.utc, at.boottime, at.boottime),
            ).fetchone()
        return int(row)

    def extend(self, row: int, at: Reading) -> None:
        """As the seam says."""
        with self._connection.transaction():
            extended = self._connection.execute(
                "UPDATE watch SET to_utc = ?, to_boottime = ? WHERE id = ?", (at.utc, at.boottime, row)
            )
            if not extended.rowcount:
                raise StoreUnavailableError(f"{self._database.place}: it does not know who watches: it was set back")

    def end(self, row: int, why: str) -> None:
        """As the seam says."""
        with self._connection.transaction():
            self._connection.execute("UPDATE watch SET ended = ? WHERE id = ?", (why, row))

    def watched(self, begin_utc: int, end_utc: int) -> Intervals:
        """As the seam says."""
        with self._database.reading() as connection:
            return watched(connection, begin_utc, end_utc)

    def latest_utc(self) -> int | None:
        """As the seam says."""
        with self._database.reading() as connection:
            found: int | None = connection.execute("SELECT max(to_utc) FROM watch").fetchone()[0]
            return found
