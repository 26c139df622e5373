"""Reads evidence back as the engine's facts, in a connection and a snapshot of its own.

Which spans may touch a window of UTC is decided by a rough mapping with a wide margin: too many is right, too few
is not. The exact mapping is the engine's.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.downtime.facts import ALIVE, Claim, Exchange, Facts, Node, Previous, Run, Settings, Span
from detak_collector.ingest_merge import HeldSpan
from detak_collector.ingest_numbers import mark, with_numbers
from detak_collector.store.sqlite_database import connect, transaction
from detak_collector.store.sqlite_outlines import RunOutline, heard_utc, runs_of
from detak_collector.store.sqlite_records import SPAN_COLUMNS, SPAN_TEXTS, span_of
from detak_collector.store.sqlite_watch import stepped, watched
from detak_wire import limits
from detak_wire.messages import PreviousRun

MARGIN_MS = limits.SPAN_MS + 24 * 3_600_000
"""A span may begin this long before the window and still reach into it; a day of it is for the rough mapping."""


def facts(path: Path, begin_utc: int, end_utc: int, now: Reading) -> Facts:
    """As EvidenceStore.facts says."""
    with closing(connect(path)) as connection, transaction(connection, path, writing=False):
        names = [row[0] for row in connection.execute("SELECT name FROM node ORDER BY name")]
        nodes = {name: _node(connection, name, begin_utc, end_utc, now) for name in names}
        stood = watched(connection, begin_utc, end_utc)
        return Facts(nodes, stood, stepped(connection, begin_utc - MARGIN_MS, end_utc + MARGIN_MS))


def node_facts(path: Path, name: str, begin_utc: int, end_utc: int, now: Reading) -> Node:
    """As EvidenceStore.node_facts says."""
    with closing(connect(path)) as connection, transaction(connection, path, writing=False):
        return _node(connection, name, begin_utc, end_utc, now)


def _node(connection: sqlite3.Connection, name: str, begin_utc: int, end_utc: int, now: Reading) -> Node:
    outlines = runs_of(connection, name)
    touching = [at for at, run in enumerate(outlines) if _touches(run, begin_utc, end_utc)]
    # The run before and the run after bound the silence at the window's edges.
    before = sum(run.begin_utc < begin_utc for run in outlines)
    first, last = (touching[0], touching[-1]) if touching else (before, before - 1)
    kept = outlines[max(0, first - 1) : last + 2]
    successors = {run.opening.previous.run: run.opening.previous for run in outlines if run.opening.previous}
    runs = tuple(_run(connection, run, successors.get(run.run), begin_utc, end_utc) for run in kept)
    return Node(name, runs, heard_utc=heard_utc(connection, name, now))


def _touches(run: RunOutline, begin_utc: int, end_utc: int) -> bool:
    return run.begin_utc - MARGIN_MS < end_utc and run.end_utc + MARGIN_MS > begin_utc


def _run(
    connection: sqlite3.Connection, run: RunOutline, told: PreviousRun | None, begin_utc: int, end_utc: int
) -> Run:
    """`told` is what the run after this one says of its end."""
    window = (begin_utc - run.greatest_offset - MARGIN_MS, end_utc - run.least_offset + MARGIN_MS)
    opening = run.opening
    return Run(
        run=run.run,
        boot=opening.boot,
        opened=opening.opened_agent,
        init_started=opening.init_started_agent,
        tick_ms=opening.tick_ms,
        claim=Claim(opening.clock.agent, opening.clock.utc, opening.clock.error_ms),
        checks=tuple(
            Settings(each.name, each.kind, each.interval_ms, each.timeout_ms, each.remote) for each in opening.checks
        ),
        spans=_spans(connection, run, window),
        exchanges=_exchanges(connection, run.sequence, window),
        watchdog_ms=opening.watchdog_ms,
        previous=_previous(opening.previous) if opening.previous else None,
        stopped=told.stopped if run.stopped is None and told else run.stopped,
        stopped_at=told.stopped_agent if run.stopped is None and told else run.stopped_agent,
        complete_to=mark(with_numbers(run.held, (span.number for span in run.open))),
    )


def _previous(told: PreviousRun) -> Previous:
    return Previous(
        told.run, told.boot, told.last_tick, told.last_number, told.stopped, told.stopped_agent, told.slowest_stop_ms
    )


def _spans(connection: sqlite3.Connection, run: RunOutline, window: tuple[int, int]) -> tuple[Span, ...]:
    rows = _closed(connection, "run = ? AND first_begin BETWEEN ? AND ?", (run.sequence, *window))
    for name in (ALIVE, *(settings.name for settings in run.opening.checks if settings.name != ALIVE)):
        of_check = f'run = ? AND "check" = ({_CHECK}) AND first_begin'
        key = (run.sequence, name)
        rows += _closed(connection, f"{of_check} < ? ORDER BY first_begin DESC LIMIT 1", (*key, window[0]))
        rows += _closed(connection, f"{of_check} > ? ORDER BY first_begin LIMIT 1", (*key, window[1]))
    return tuple(sorted((_fact(span) for span in (*rows, *run.open)), key=lambda span: span.number))


_CHECK = "SELECT id FROM text WHERE text = ?"


def _closed(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[HeldSpan]:
    query = f"SELECT {SPAN_COLUMNS} FROM span {SPAN_TEXTS} WHERE {where}"  # noqa: S608 - of constants
    return [span_of(row) for row in connection.execute(query, values)]


def _fact(span: HeldSpan) -> Span:
    return Span(
        span.check,
        span.number,
        span.state,
        span.first_begin,
        span.first_end,
        span.last_begin,
        span.last_end,
        span.samples,
        span.largest_gap,
        span.closed,
        span.message,
        tuple(sorted(span.marks.items())),
    )


_EXCHANGE = "SELECT number, sent_agent, arrived_utc, answered_utc, received_agent"


def _exchanges(connection: sqlite3.Connection, run: int, window: tuple[int, int]) -> tuple[Exchange, ...]:
    """Those of the window, and of each collector the nearest on either side (SQLite takes the row of the extreme)."""
    rows = connection.execute(
        f"{_EXCHANGE} FROM exchange WHERE run = :run AND sent_agent BETWEEN :from AND :to "  # noqa: S608 - of constants
        f"UNION SELECT number, max(sent_agent), arrived_utc, answered_utc, received_agent "
        "FROM exchange WHERE run = :run AND sent_agent < :from GROUP BY collector "
        "UNION SELECT number, min(sent_agent), arrived_utc, answered_utc, received_agent "
        "FROM exchange WHERE run = :run AND sent_agent > :to GROUP BY collector ORDER BY number",
        {"run": run, "from": window[0], "to": window[1]},
    )
    return tuple(Exchange(*times) for _, *times in rows)
