"""Published figures of earlier years in SQLite: rows are added and read, never changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from detak_collector.downtime.history import Published
from detak_collector.store.sqlite_database import connect, transaction


class SqliteHistory:
    """The published figures on one SQLite file. Each call opens it anew, so that any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: Published) -> Published:
        """As the seam says."""
        percent = _decimal(entry.percent)
        target = None if entry.target_percent is None else _decimal(entry.target_percent)
        with closing(connect(self._path)) as connection, transaction(connection, self._path):
            made = connection.execute(
                "INSERT INTO published_figure (year, percent, target_percent, document, note, entered_by, entered_utc) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (entry.year, percent, target, entry.document, entry.note, entry.entered_by, entry.entered_at),
            ).lastrowid
        assert made is not None
        return replace(entry, id=made)

    def entries(self) -> list[Published]:
        """As the seam says."""
        with closing(connect(self._path)) as connection:
            rows = connection.execute(
                "SELECT id, year, percent, target_percent, document, note, entered_by, entered_utc "
                "FROM published_figure ORDER BY id"
            ).fetchall()
        return [
            Published(id_, year, Fraction(percent), None if target is None else Fraction(target), *rest)
            for id_, year, percent, target, *rest in rows
        ]


def _decimal(percent: Fraction) -> str:
    """The exact decimal of a percentage, which was entered as one."""
    text = f"{Decimal(percent.numerator) / Decimal(percent.denominator):f}"
    assert Fraction(text) == percent, percent
    return text
