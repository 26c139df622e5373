"""What is known of disposals in one database: since when evidence is whole, and what is left of blocks and months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from detak_collector.downtime.days import DayTotals
from detak_collector.downtime.months import ServiceMonth
from detak_collector.ledger.disposal import KINDS, Left
from detak_collector.store.base import DerivedMonth, Wanted
from detak_collector.store.database import Connection
from detak_collector.store.instance import Executes

_pack = msgspec.msgpack.Encoder().encode
_month = msgspec.msgpack.Decoder(ServiceMonth).decode
_days = msgspec.msgpack.Decoder(tuple[DayTotals, ...]).decode

LEFT = "SELECT number, entry, records, digest, lines FROM disposed_block"
_KEEP_MONTH = """
    INSERT INTO disposed_month (service, begin_utc, known_utc, month, days, lanes) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (begin_utc, service) DO UPDATE SET known_utc = excluded.known_utc, month = excluded.month,
        days = excluded.days, lanes = excluded.lanes
"""


def whole_from(connection: Executes) -> int | None:
    """From when on evidence is whole; None where none was ever disposed of."""
    (found,) = connection.execute("SELECT max(until_utc) FROM disposal").fetchone()
    return None if found is None else int(found)


def left_between(connection: Executes, first: int, last: int) -> dict[int, Left]:
    """What disposals leave of the blocks with these numbers, by number."""
    rows = connection.execute(f"{LEFT} WHERE number BETWEEN ? AND ?", (first, last))
    return {one.number: one for one in map(left_of_row, rows)}


def left_of_row(row: Sequence[Any]) -> Left:
    """The row of a block."""
    number, entry, records, digest, lines = row
    return Left(number, entry, records, bytes(digest), bytes(lines))


def told_in(connection: Executes) -> list[int]:
    """The numbers of the entries that tell of disposals."""
    kinds = tuple(sorted(KINDS))
    places = ", ".join("?" * len(kinds))
    rows = connection.execute(f"SELECT number FROM entry WHERE kind IN ({places})", kinds)  # noqa: S608 - question marks
    return [int(number) for (number,) in rows]


def keep_months(connection: Connection, months: Iterable[DerivedMonth], known_utc: int) -> None:
    """Keeps what the evidence of these months came to, for good."""
    rows = [(one.of.service, one.of.begin, known_utc, _pack(one.month), _pack(one.days), one.lanes) for one in months]
    connection.executemany(_KEEP_MONTH, rows)


def kept_months(connection: Connection, wanted: Sequence[Wanted], known_at: int | None) -> list[DerivedMonth]:
    """Those of one month that are kept; with `known_at` only where nothing that came later is in them."""
    if not wanted:
        return []
    query = "SELECT service, known_utc, month, days, lanes FROM disposed_month WHERE begin_utc = ?"
    asked = {one.service: one for one in wanted}
    return [
        DerivedMonth(asked[service], _month(month), _days(days), bytes(lanes))
        for service, known_utc, month, days, lanes in connection.execute(query, (wanted[0].begin,))
        if service in asked and (known_at is None or known_utc <= known_at)
    ]
