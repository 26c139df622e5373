"""Published figures of earlier years, as the log of entries has them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from detak_collector.downtime.history import Published
from detak_collector.pair.entry import FIGURE, Entry
from detak_collector.store.database import Database
from detak_collector.store.entries import append, entries_of


class SqlHistory:
    """The published figures in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: Published) -> Published:
        """As the seam says."""
        target = None if entry.target_percent is None else _decimal(entry.target_percent)
        body = {
            "document": entry.document,
            "note": entry.note,
            "percent": _decimal(entry.percent),
            "target_percent": target,
            "year": entry.year,
        }
        with self._database.writing() as connection:
            made = append(connection, FIGURE, body, entry.entered_by, entry.entered_at)
            order = [one.id for one in entries_of(connection, FIGURE)]
        return _published(order.index(made.id) + 1, made)

    def entries(self) -> list[Published]:
        """As the seam says."""
        with self._database.reading() as connection:
            return [_published(at, one) for at, one in enumerate(entries_of(connection, FIGURE), 1)]


def _published(number: int, entry: Entry) -> Published:
    told = entry.told
    target = told["target_percent"]
    return Published(
        number,
        told["year"],
        Fraction(told["percent"]),
        None if target is None else Fraction(target),
        told["document"],
        told["note"],
        entry.author,
        entry.recorded_utc,
    )


def _decimal(percent: Fraction) -> str:
    """The exact decimal of a percentage, which was entered as one."""
    text = f"{Decimal(percent.numerator) / Decimal(percent.denominator):f}"
    assert Fraction(text) == percent, percent
    return text
