"""Closed records to and from their tables: spans, exchanges, gaps, and versions that contradict them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from detak_collector.ingest_merge import Closed, HeldSpan
from detak_collector.store.sqlite_texts import Texts
from detak_wire.messages import Exchange, Gap, RunOpening

_json = msgspec.json.Encoder(order="sorted").encode
_marks = msgspec.json.Decoder(dict[str, str])

SPAN_COLUMNS = (
    "number, checks.text, state, first_begin, first_end, last_begin, last_end, samples, largest_gap, "
    "messages.text, marks.text, heard_utc"
)
SPAN_TEXTS = (
    'JOIN text AS checks ON checks.id = span."check" '
    "LEFT JOIN text AS messages ON messages.id = span.message LEFT JOIN text AS marks ON marks.id = span.marks"
)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A closed record that is to be written for the first time."""

    sequence: int
    run: int
    record: Closed
    conflicting: bool = False


def span_of(row: tuple[Any, ...]) -> HeldSpan:
    """A row of SPAN_COLUMNS as a closed span."""
    *fixed, message, marks, heard_utc = row
    values = dict(zip(HeldSpan.__struct_fields__, fixed, strict=False))
    told = _marks.decode(marks) if marks else {}
    return HeldSpan(**values, closed=True, message=message or "", marks=told, heard_utc=heard_utc)


def find(connection: sqlite3.Connection, run: int, number: int) -> Closed | None:
    """The closed record of this number, whatever it is."""
    query = f"SELECT {SPAN_COLUMNS} FROM span {SPAN_TEXTS} WHERE run = ? AND number = ?"  # noqa: S608 - of constants
    row = connection.execute(query, (run, number)).fetchone()
    if row is not None:
        return span_of(row)
    row = connection.execute(
        "SELECT number, text.text, sent_agent, arrived_utc, answered_utc, received_agent FROM exchange "
        "JOIN text ON text.id = exchange.collector WHERE run = ? AND number = ?",
        (run, number),
    ).fetchone()
    if row is not None:
        return Exchange(*row)
    row = connection.execute(
        "SELECT number, first_number, last_number, reason FROM gap WHERE run = ? AND number = ?", (run, number)
    ).fetchone()
    return None if row is None else Gap(*row)


def write(connection: sqlite3.Connection, texts: Texts, records: Iterable[NewRecord], now_utc: int) -> None:
    """Inserts the records; a contradicting version that is already kept is not kept twice."""
    for new in records:
        if new.conflicting:
            write_conflict(connection, new.sequence, new.run, new.record, now_utc)
        else:
            _WRITERS[type(new.record)](connection, texts, new, now_utc)


def write_conflict(
    connection: sqlite3.Connection, sequence: int, run: int, version: Closed | RunOpening, now_utc: int
) -> None:
    """Keeps a version that contradicts what is held; a run's opening is its record 0."""
    number = 0 if isinstance(version, RunOpening) else version.number
    connection.execute(
        "INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?)",
        (sequence, run, number, _json(_named(version)).decode(), now_utc),
    )


def _named(version: Closed | RunOpening) -> object:
    """With its field names, which the compact form of a span leaves out; when it arrived is no part of it."""
    return {field: getattr(version, field) for field in version.__struct_fields__ if field != "heard_utc"}


def _write_span(connection: sqlite3.Connection, texts: Texts, new: NewRecord, now_utc: int) -> None:
    span = new.record
    assert isinstance(span, HeldSpan)
    assert span.closed
    connection.execute(
        "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.sequence,
            new.run,
            span.number,
            texts.number(span.check),
            span.state,
            span.first_begin,
            span.first_end,
            span.last_begin,
            span.last_end,
            span.samples,
            span.largest_gap,
            texts.optional(span.message),
            texts.marks(span.marks),
            now_utc,
            span.heard_utc,
        ),
    )


def _write_exchange(connection: sqlite3.Connection, texts: Texts, new: NewRecord, now_utc: int) -> None:
    exchange = new.record
    assert isinstance(exchange, Exchange)
    connection.execute(
        "INSERT INTO exchange VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.sequence,
            new.run,
            exchange.number,
            texts.number(exchange.collector),
            exchange.sent_agent,
            exchange.arrived_utc,
            exchange.answered_utc,
            exchange.received_agent,
            now_utc,
        ),
    )


def _write_gap(connection: sqlite3.Connection, _texts: Texts, new: NewRecord, now_utc: int) -> None:
    gap = new.record
    assert isinstance(gap, Gap)
    connection.execute(
        "INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?, ?)",
        (new.sequence, new.run, gap.number, gap.first_number, gap.last_number, gap.reason, now_utc),
    )


_WRITERS: dict[type, Callable[[sqlite3.Connection, Texts, NewRecord, int], None]] = {
    HeldSpan: _write_span,
    Exchange: _write_exchange,
    Gap: _write_gap,
}
