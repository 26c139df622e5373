"""What is held of each run, and its records by number: what two collectors compare, and pass to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from detak_collector.ingest.numbers import Ranges, without, without_numbers
from detak_collector.pair.messages import WANTED_RECORDS, RunLine, RunRecords, WantedRun
from detak_collector.store.database import Connection
from detak_collector.store.records import SPAN_COLUMNS, SPAN_TEXTS, span_of
from detak_collector.store.runs import unpacked
from detak_collector.store.versions import contradicted_numbers, wire_span
from detak_wire import limits
from detak_wire.messages import Exchange, Gap, Part, RunOpening, Span

_numbers = msgspec.json.Decoder(tuple[Ranges, Ranges])
_opening = msgspec.json.Decoder(RunOpening)

_LINES = """
    SELECT node.name, run.run, numbers, stopped, changed FROM open_spans
        JOIN run ON run.sequence = open_spans.run JOIN node ON node.id = run.node
    WHERE changed > ? AND changed <= ? ORDER BY changed LIMIT ?
"""
_ONE = """
    SELECT run.sequence, run.opening, numbers, open, reach.reach, stopped, stopped_agent FROM open_spans
        JOIN reach ON reach.run = open_spans.run JOIN run ON run.sequence = open_spans.run
        JOIN node ON node.id = run.node
    WHERE node.name = ? AND run.run = ?
"""
_EXCHANGES = """
    SELECT number, text.text, sent_agent, arrived_utc, answered_utc, received_agent FROM exchange
    JOIN text ON text.id = exchange.collector WHERE run = ? AND number BETWEEN ? AND ? ORDER BY number LIMIT ?
"""
_GAPS = """
    SELECT number, first_number, last_number, reason FROM gap WHERE run = ? AND number BETWEEN ? AND ?
    ORDER BY number LIMIT ?
"""
_SPANS = f"""
    SELECT {SPAN_COLUMNS} FROM span {SPAN_TEXTS} WHERE run = ? AND number BETWEEN ? AND ? ORDER BY number LIMIT ?
"""  # noqa: S608 - of constants


def last_change(connection: Connection) -> int:
    """The number of the latest change of what is held of any run."""
    (found,) = connection.execute("SELECT coalesce(max(changed), 0) FROM open_spans").fetchone()
    return int(found)


def run_lines(connection: Connection, after: int, until: int, most: int) -> tuple[list[RunLine], int]:
    """What is held of the runs that changed since, in the order of their changes; and how far these got.

    Runs that changed at once are told together, so there may be a few more than `most`.
    """
    rows = connection.execute(_LINES, (after, until, most)).fetchall()
    if not rows:
        return [], max(after, until)
    last = rows[-1][-1]
    if len(rows) == most:
        rows = connection.execute(_LINES, (after, last, 2**53)).fetchall()
    lines = [
        RunLine(node, run, list(_numbers.decode(numbers)[0]), stopped is not None)
        for node, run, numbers, stopped, _ in rows
    ]
    return lines, last if len(rows) >= most else max(last, until)


def lacking(connection: Connection, line: RunLine) -> WantedRun | None:
    """What another collector has of a run and this one has not; None where there is nothing.

    What is contradicted may be another record there, and so is lacking whatever is here.
    """
    row = connection.execute(_ONE, (line.node, line.run)).fetchone()
    if row is None:
        return WantedRun(line.node, line.run, _cut(line.held), open=True)
    held = without_numbers(_numbers.decode(row[2])[0], contradicted_numbers(connection, row[0]))
    ranges = without(tuple(line.held), held)
    is_news = ranges or (line.stopped and row[5] is None)
    return WantedRun(line.node, line.run, _cut(ranges)) if is_news else None


def _cut(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return list(ranges[: limits.RANGES])


def records_of(connection: Connection, wanted: Sequence[WantedRun]) -> list[RunRecords]:
    """The records that are here, no more than an answer holds, those of lower numbers first."""
    room = WANTED_RECORDS
    found = []
    for one in wanted:
        row = connection.execute(_ONE, (one.node, one.run)).fetchone()
        if row is None or room <= 0:
            continue
        records = _records(connection, one, row, room)
        part = records.part
        room -= len(part.spans) + len(part.exchanges) + len(part.gaps)
        found.append(records)
    return found


def _records(connection: Connection, wanted: WantedRun, row: tuple[Any, ...], room: int) -> RunRecords:
    sequence, opening, _, open_, reach, stopped, stopped_agent = row
    spans: list[Span] = []
    exchanges: list[Exchange] = []
    gaps: list[Gap] = []
    for begin, end in wanted.ranges:
        left = room - len(spans) - len(exchanges) - len(gaps)
        if left <= 0:
            break
        at = (sequence, begin, end, left)
        spans += (wire_span(span_of(one)) for one in connection.execute(_SPANS, at))
        exchanges += (Exchange(*one) for one in connection.execute(_EXCHANGES, at))
        gaps += (Gap(*one) for one in connection.execute(_GAPS, at))
    if wanted.open:
        spans += map(wire_span, unpacked(open_, reach))
    part = Part(wanted.run, _opening.decode(opening), spans, [], exchanges, gaps)
    return RunRecords(wanted.node, part, stopped, stopped_agent)
