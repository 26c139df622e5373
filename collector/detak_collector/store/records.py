"""Closed records to and from their tables: spans, exchanges, gaps, and versions that contradict them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from detak_collector.ingest.held import HeldSpan
from detak_collector.ingest.merge import Closed
from detak_collector.store.database import Connection
from detak_collector.store.texts import Texts
from detak_wire.messages import Exchange, Gap, RunOpening

_json = msgspec.json.Encoder(order="sorted").encode
_marks = msgspec.json.Decoder(dict[str, str])

_Row = tuple[object, ...]

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


def find(connection: Connection, run: int, number: int) -> Closed | None:
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


def write(connection: Connection, texts: Texts, records: Iterable[NewRecord], now_utc: int) -> None:
    """Inserts the records; a contradicting version that is already kept is not kept twice."""
    rows: dict[str, list[_Row]] = {}
    for new in records:
        if new.conflicting:
            write_conflict(connection, new.sequence, new.run, new.record, now_utc)
        else:
            statement, row = _row_of(texts, new, now_utc)
            rows.setdefault(statement, []).append(row)
    for statement, of_a_kind in rows.items():
        connection.executemany(statement, of_a_kind)


def write_conflict(connection: Connection, sequence: int, run: int, version: Closed | RunOpening, now_utc: int) -> None:
    """Keeps a version that contradicts what is held; a run's opening is its record 0."""
    number = 0 if isinstance(version, RunOpening) else version.number
    connection.execute(_CONFLICT, (sequence, run, number, _json(_named(version)).decode(), now_utc))


def _named(version: Closed | RunOpening) -> object:
    """With its field names, which the compact form of a span leaves out; when it arrived is no part of it."""
    return {field: getattr(version, field) for field in version.__struct_fields__ if field != "heard_utc"}


def _row_of(texts: Texts, new: NewRecord, now_utc: int) -> tuple[str, _Row]:
    """The statement that inserts the record, and its values."""
    record = new.record
    if isinstance(record, HeldSpan):
        return _SPAN, (new.sequence, new.run, *_span_values(texts, record), now_utc, record.heard_utc)
    if isinstance(record, Exchange):
        times = (record.sent_agent, record.arrived_utc, record.answered_utc, record.received_agent)
        return _EXCHANGE, (new.sequence, new.run, record.number, texts.number(record.collector), *times, now_utc)
    return _GAP, (
        new.sequence, new.run, record.number, record.first_number, record.last_number, record.reason, now_utc,
    )  # fmt: skip


def _span_values(texts: Texts, span: HeldSpan) -> _Row:
    assert span.closed
    return (
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
    )


def _insert(table: str, *columns: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours


_SPAN = _insert(
    "span", "sequence", "run", "number", '"check"', "state", "first_begin", "first_end", "last_begin", "last_end",
    "samples", "largest_gap", "message", "marks", "recorded_utc", "heard_utc",
)  # fmt: skip
_EXCHANGE = _insert(
    "exchange", "sequence", "run", "number", "collector", "sent_agent", "arrived_utc", "answered_utc",
    "received_agent", "recorded_utc",
)  # fmt: skip
_GAP = _insert("gap", "sequence", "run", "number", "first_number", "last_number", "reason", "recorded_utc")
_CONFLICT = _insert("conflict", "sequence", "run", "number", "version", "recorded_utc") + " ON CONFLICT DO NOTHING"
