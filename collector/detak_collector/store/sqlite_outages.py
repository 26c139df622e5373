"""The register of outage numbers and incident rulings in SQLite.

Each call opens the file anew, so that any thread may ask; it writes only when a number or an extent is news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found, Known, Match, as_known, match
from detak_collector.store.sqlite_database import connect, transaction

LIVE = """
    SELECT number, service, begin_utc, end_utc, running FROM outage
    WHERE merged_into IS NULL AND begin_utc <= :end AND end_utc >= :begin
    UNION ALL
    SELECT number, service, begin_utc, end_utc, running FROM outage
    WHERE merged_into IS NULL AND begin_utc <= :end AND end_utc < :begin AND running = 1
"""
ONE = "SELECT number, service, begin_utc, end_utc, running, merged_into FROM outage WHERE number = ?"
NEW = """
    INSERT INTO outage (number, service, begin_utc, end_utc, running, merged_into, first_derived_utc)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
CHANGE = "UPDATE outage SET begin_utc = ?, end_utc = ?, running = ?, merged_into = ? WHERE number = ?"


class SqliteOutages:
    """The register on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int, ...]:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            with transaction(connection, self._path, writing=False):
                seen = _match(connection, found, window)
            if not seen.new and not seen.changed:
                return seen.numbers
            with transaction(connection, self._path):
                seen = _match(connection, found, window)
                _write(connection, seen, now)
            return seen.numbers

    def recall(self, found: Sequence[Found], window: Interval) -> tuple[int | None, ...]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            seen = _match(connection, found, window)
        new = {one.number for one in seen.new}
        return tuple(None if number in new else number for number in seen.numbers)

    def known(self, number: int) -> Known | None:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            row = connection.execute(ONE, (number,)).fetchone()
        return None if row is None else _known(row)

    def merged(self) -> dict[int, int]:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            return dict(connection.execute("SELECT number, merged_into FROM outage WHERE merged_into IS NOT NULL"))

    def rule(self, ruling: Ruling) -> Ruling:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path):
            made = connection.execute(
                "INSERT INTO incident_ruling (kind, undoes, reason, ruled_by, ruled_utc) VALUES (?, ?, ?, ?, ?)",
                (ruling.kind, ruling.undoes, ruling.reason, ruling.ruled_by, ruling.ruled_at),
            ).lastrowid
            connection.executemany(
                "INSERT INTO incident_ruling_outage (ruling, outage) VALUES (?, ?)",
                [(made, number) for number in ruling.outages],
            )
            return _rulings(connection)[-1]

    def rulings(self) -> list[Ruling]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            return _rulings(connection)


def _match(connection: sqlite3.Connection, found: Sequence[Found], window: Interval) -> Match:
    last: int = connection.execute("SELECT coalesce(max(number), 0) FROM outage").fetchone()[0]
    rows = connection.execute(LIVE, {"begin": window[0], "end": window[1]}).fetchall()
    numbers = as_known({(service, begin, end, running): number for number, service, begin, end, running in rows}, found)
    if numbers is not None:
        return Match(numbers, new=(), changed=())
    known = [Known(number, service, begin, end, running == 1) for number, service, begin, end, running in rows]
    return match(known, found, window, last + 1)


def _known(row: tuple[int, str, int, int, int, int | None]) -> Known:
    number, service, begin, end, running, merged_into = row
    return Known(number, service, begin, end, bool(running), merged_into)


def _write(connection: sqlite3.Connection, seen: Match, now: Reading) -> None:
    connection.executemany(NEW, [(*_row(one), now.utc) for one in seen.new])
    connection.executemany(CHANGE, [(*_row(one)[2:], one.number) for one in seen.changed])


def _row(one: Known) -> tuple[int, str, int, int, int, int | None]:
    return one.number, one.service, one.begin, one.end, int(one.running), one.merged_into


def _rulings(connection: sqlite3.Connection) -> list[Ruling]:
    named: dict[int, list[int]] = {}
    for ruling, outage in connection.execute("SELECT ruling, outage FROM incident_ruling_outage ORDER BY 1, 2"):
        named.setdefault(ruling, []).append(outage)
    rows = connection.execute("SELECT id, kind, undoes, reason, ruled_by, ruled_utc FROM incident_ruling ORDER BY id")
    return [
        Ruling(id_, kind, tuple(named.get(id_, ())), undoes, reason, ruled_by, ruled_utc)
        for id_, kind, undoes, reason, ruled_by, ruled_utc in rows
    ]
