"""Metrics. They are worth less than evidence: their commits wait for no disk, and the latest may be lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from detak_collector.metrics import Moment, packed, rolled, thinned, unpacked
from detak_collector.store.database import Connection, Database
from detak_collector.store.duty import Duty, NotOnDutyError

SLOT_MS = 10_000
HOUR = 3_600_000 // SLOT_MS
DAY = 24 * HOUR
KEPT = 8 * DAY
"""How long points are kept as they came; longer than a week, so that a chart may show how it was a week ago."""

HOURS_KEPT = 400 * DAY
SETTLING = 2 * HOUR
"""How long after its end an hour is rolled up: who could not reach this collector has sent its points by then."""

COARSE = 2 * DAY
"""A stretch of time that is longer than this is read from hours, of which there are sixty times fewer."""

NODES_AT_ONCE = 5
"""In one step of tidying, of two milliseconds for each: evidence waits that long, and a thousand nodes take minutes."""

_BOUNDS = """
    SELECT (SELECT min(utc) FROM metric WHERE node = :node),
           (SELECT min(utc) FROM metric_hour WHERE node = :node),
           (SELECT coalesce(max(utc) / :hour + 1, 0) * :hour FROM metric_hour WHERE node = :node)
"""
"""Of a node: its first point, its first hour, and up to where its hours are rolled up."""

_KEEP = """
    INSERT INTO metric (node, utc, point) SELECT id, ?, ? FROM node WHERE name = ?
    ON CONFLICT (node, utc) DO UPDATE SET point = excluded.point
"""
_KEEP_HOUR = """
    INSERT INTO metric_hour (node, utc, point) VALUES (?, ?, ?)
    ON CONFLICT (node, utc) DO UPDATE SET point = excluded.point
"""

Row = tuple[int, bytes]


class SqlMetrics:
    """The metrics in one database."""

    def __init__(self, database: Database, duty: Duty) -> None:
        self._database = database
        self._duty = duty
        self._connection = database.connect(durable=False)
        self._tidied = 0

    def close(self) -> None:
        """Gives the database back."""
        self._connection.close()

    def keep(self, found: Sequence[tuple[str, int, bytes]]) -> None:
        """As the seam says."""
        rows = [(utc // SLOT_MS, point, node) for node, utc, point in found]
        with self._connection.transaction():
            self._connection.executemany(_KEEP, rows)

    def tidy(self, now_utc: int) -> None:
        """As the seam says."""
        if not self._duty.is_mine:
            return
        now = now_utc // SLOT_MS
        with self._connection.transaction(writing=False):
            query = "SELECT id FROM node WHERE id > ? ORDER BY id LIMIT ?"
            nodes = [node for (node,) in self._connection.execute(query, (self._tidied, NODES_AT_ONCE))]
            work = [found for node in nodes if (found := _work(self._connection, node, now)) is not None]
        self._tidied = nodes[-1] if len(nodes) == NODES_AT_ONCE else 0
        if work:
            with suppress(NotOnDutyError), self._connection.transaction():
                self._duty.require(self._connection)
                for one in work:
                    _do(self._connection, one)

    def read(self, node: str, begin_utc: int, end_utc: int, most: int) -> list[Moment] | None:
        """As the seam says."""
        return read(self._database, node, begin_utc, end_utc, most)


def read(database: Database, node: str, begin_utc: int, end_utc: int, most: int) -> list[Moment] | None:
    """As the seam says, for who only reads."""
    begin, end = -(-begin_utc // SLOT_MS), -(-end_utc // SLOT_MS)
    with database.reading() as connection:
        row = connection.execute("SELECT id FROM node WHERE name = ?", (node,)).fetchone()
        if row is None:
            return None
        rows = _rows(connection, row[0], begin, end)
        return thinned((unpacked(utc * SLOT_MS, point) for utc, point in rows), begin_utc, end_utc, most)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for a node: an hour to roll up, and from where on its points and its hours are kept."""

    node: int
    hour: int | None
    oldest: int
    oldest_hour: int


def _work(connection: Connection, node: int, now: int) -> _Work | None:
    """None where there is nothing to do. Points are let go by whole hours, and never before these are rolled up."""
    first, first_hour, rolled_up = connection.execute(_BOUNDS, {"node": node, "hour": HOUR}).fetchone()
    query = "SELECT min(utc) FROM metric WHERE node = ? AND utc >= ?"
    waiting: int | None = connection.execute(query, (node, rolled_up)).fetchone()[0]
    hour = None if waiting is None or waiting // HOUR * HOUR + HOUR + SETTLING > now else waiting // HOUR * HOUR
    work = _Work(node, hour, min((now - KEPT) // HOUR * HOUR, rolled_up), now - HOURS_KEPT)
    is_old = (first is not None and first < work.oldest) or (first_hour is not None and first_hour < work.oldest_hour)
    return work if hour is not None or is_old else None


def _do(connection: Connection, work: _Work) -> None:
    if work.hour is not None:
        rows = _of(connection, "metric", work.node, work.hour, work.hour + HOUR)
        moment = rolled(unpacked(utc * SLOT_MS, point) for utc, point in rows)
        row = (work.node, moment.utc // SLOT_MS, packed(moment))
        connection.execute(_KEEP_HOUR, row)
    connection.execute("DELETE FROM metric WHERE node = ? AND utc < ?", (work.node, work.oldest))
    connection.execute("DELETE FROM metric_hour WHERE node = ? AND utc < ?", (work.node, work.oldest_hour))


def _rows(connection: Connection, node: int, begin: int, end: int) -> Iterator[Row]:
    """Hours, and from where these end, or where a short stretch is still there as it came, the points themselves."""
    first, _, rolled_up = connection.execute(_BOUNDS, {"node": node, "hour": HOUR}).fetchone()
    turn = rolled_up if end - begin > COARSE or first is None else first
    yield from _of(connection, "metric_hour", node, begin, min(end, turn))
    yield from _of(connection, "metric", node, max(begin, turn), end)


def _of(connection: Connection, table: str, node: int, begin: int, end: int) -> Iterator[Row]:
    query = f"SELECT utc, point FROM {table} WHERE node = ? AND utc >= ? AND utc < ? ORDER BY utc"  # noqa: S608 - ours
    yield from connection.execute(query, (node, begin, end))
