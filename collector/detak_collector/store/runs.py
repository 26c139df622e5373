"""What changes of a run, to and from memory: what is open, and how far it reaches, which is all a quiet beat writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec import Struct

from detak_collector.clocks import Reading
from detak_collector.ingest import reach as ingest_reach
from detak_collector.ingest.held import HeldSpan, RunState, alive_among, begun_spans, opened, reaching
from detak_collector.store.database import Connection
from detak_collector.store.texts import Texts
from detak_wire.messages import RunOpening

OPEN_COLUMNS = ("run", "current", "stopped", "stopped_agent", "stopped_utc", "numbers", "open", "changed")
REACH_COLUMNS = ("run", "heard_utc", "heard_boottime", "heard_boot", "heard_agent", "alive_reach", "reach")

LIVE = "current = 1 OR length(open) > 1"
"""The condition of the index `open_spans_live`."""

BEATS_MISSED = 2
"""So many beats without a word are a silence that is noted."""

_CHUNKS = (128, 32, 8, 1)

_Row = tuple[object, ...]
_numbers = msgspec.json.Decoder(tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]])
_opening = msgspec.json.Decoder(RunOpening)


class KnownRun(Struct, frozen=True):
    """A run as the store knows it. `heard` is when its liveness last grew, `heard_agent` its agent time of then.

    `beat_ms` is how often it said that it would speak.
    """

    sequence: int
    node: int
    run: str
    current: bool
    state: RunState
    beat_ms: int
    heard: Reading | None = None
    heard_agent: int | None = None

    def is_overdue(self, now: Reading) -> bool:
        """Whether it has missed a beat: two of them have passed since it was last heard, or it never was.

        What another machine heard, or this one before it was started again, is compared by UTC.
        """
        if self.heard is None:
            return True
        same = self.heard.boot == now.boot
        passed = now.boottime - self.heard.boottime if same else now.utc - self.heard.utc
        return passed > BEATS_MISSED * self.beat_ms


def load_live(connection: Connection, texts: Texts) -> list[KnownRun]:
    """The runs that may still grow."""
    return load(connection, texts, f"WHERE {LIVE}", ())


def load_one(connection: Connection, texts: Texts, node: int, run: str) -> KnownRun | None:
    """One run, however old."""
    found = load(connection, texts, "WHERE run.node = ? AND run.run = ?", (node, run))
    return found[0] if found else None


def load(connection: Connection, texts: Texts, where: str, values: tuple[object, ...]) -> list[KnownRun]:
    """The runs that meet a condition."""
    query = (
        "SELECT run.node, run.run, run.opening, run.sequence, current, stopped, stopped_agent, stopped_utc, "  # noqa: S608
        "numbers, open, heard_utc, heard_boottime, heard_boot, heard_agent, alive_reach, reach FROM open_spans "
        f"JOIN run ON run.sequence = open_spans.run JOIN reach ON reach.run = open_spans.run {where}"
    )
    return [_known(texts, *row) for row in connection.execute(query, values)]


def _known(texts: Texts, node: int, run: str, opening: str, *row: Any) -> KnownRun:  # noqa: ANN401 - a row's columns
    sequence, current, stopped, stopped_agent, stopped_utc, numbers, spans, *reached = row
    utc, boottime, boot, heard_agent, alive_reach, reach = reached
    held, lost = _numbers.decode(numbers)
    opened_with = _opening.decode(opening)
    state = RunState(
        checks=opened(opened_with).checks,
        begun=spans,
        reach=reach,
        held=held,
        lost=lost,
        alive_reach=alive_reach,
        alive=alive_among(begun_spans(spans)),
        stopped=stopped,
        stopped_agent=stopped_agent,
        stopped_utc=stopped_utc,
    )
    heard = None if utc is None else Reading(utc, boottime, texts.text(boot))
    return KnownRun(sequence, node, run, bool(current), state, opened_with.beat_ms, heard, heard_agent)


def unpacked(spans: bytes, reach: bytes) -> list[HeldSpan]:
    """The open spans of a run, as far as they reach by now."""
    reaches = ingest_reach.unpacked(reach)
    return [reaching(span, reaches[span.number]) for span in begun_spans(spans)]


def save_open(connection: Connection, runs: Iterable[KnownRun], changed: int) -> None:
    """Writes what is open and what has arrived of these runs, under a number of its own in the order of facts."""
    _upsert(connection, _UPSERT_OPEN, [(*_open_row(known), changed) for known in runs])


def save_reach(connection: Connection, texts: Texts, runs: Iterable[KnownRun]) -> None:
    """Writes how far the open spans of these runs reach."""
    _upsert(connection, _UPSERT_REACH, [_reach_row(texts, known) for known in runs])


def _upsert(connection: Connection, statements: Mapping[int, str], rows: Sequence[_Row]) -> None:
    """In as few statements as may be: between two of them, other threads take their turn."""
    at = 0
    for size in _CHUNKS:
        while len(rows) - at >= size:
            connection.execute(statements[size], tuple(chain.from_iterable(rows[at : at + size])))
            at += size


def _open_row(known: KnownRun) -> _Row:
    state = known.state
    numbers = msgspec.json.encode((state.held, state.lost)).decode()
    stop = (state.stopped, state.stopped_agent, state.stopped_utc)
    return (known.sequence, int(known.current), *stop, numbers, state.begun)


def _reach_row(texts: Texts, known: KnownRun) -> _Row:
    heard = known.heard
    return (
        known.sequence,
        heard and heard.utc,
        heard and heard.boottime,
        heard and texts.number(heard.boot),
        known.heard_agent,
        known.state.alive_reach,
        known.state.reach,
    )


def _statements(table: str, columns: Sequence[str]) -> dict[int, str]:
    places = f"({', '.join('?' * len(columns))})"
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return {
        rows: f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([places] * rows)} "  # noqa: S608 - constants
        f"ON CONFLICT (run) DO UPDATE SET {updates}"
        for rows in _CHUNKS
    }


_UPSERT_OPEN = _statements("open_spans", OPEN_COLUMNS)
_UPSERT_REACH = _statements("reach", REACH_COLUMNS)
