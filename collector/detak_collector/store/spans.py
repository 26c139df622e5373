"""Reads a run's closed spans for the engine, check after check, with adjacent quiet ones joined.

A year of a check that was simply up is hundreds of rows, one a day; the engine needs to see one span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from detak_collector.downtime.facts import Span
from detak_collector.ingest.held import HeldSpan
from detak_collector.ingest.numbers import Ranges
from detak_collector.store.database import Connection

_marks = msgspec.json.Decoder(dict[str, str])
_Row = tuple[Any, ...]

_QUERY = """
    SELECT wanted.text, number, state, first_begin, first_end, last_begin, last_end, samples, largest_gap,
        CASE WHEN message IS NOT NULL THEN (SELECT text FROM text WHERE id = message) END,
        CASE WHEN marks IS NOT NULL THEN (SELECT text FROM text WHERE id = marks) END
    FROM text AS wanted CROSS JOIN span ON span.run = :run AND span."check" = wanted.id
        AND first_begin >= coalesce((SELECT max(first_begin) FROM span AS earlier
            WHERE earlier.run = :run AND earlier."check" = wanted.id AND earlier.first_begin < :from
                AND earlier.recorded_utc <= :known_at), :from)
        AND first_begin <= coalesce((SELECT min(first_begin) FROM span AS later
            WHERE later.run = :run AND later."check" = wanted.id AND later.first_begin > :to
                AND later.recorded_utc <= :known_at), :to)
        AND recorded_utc <= :known_at
    WHERE wanted.text IN (SELECT value FROM json_each(:checks)) ORDER BY wanted.text, first_begin
"""
"""Those that begin in the window, and of each check the last before it and the first after."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """When spans may be told as one: by check, how far apart their samples may be; and which records are missing."""

    reach_ms: Mapping[str, int]
    missing: Sequence[tuple[int, int]]

    def nothing_missing(self, number: int, later: int) -> bool:
        """Whether all records between these two numbers are known."""
        return not any(begin < later and number < end for begin, end in self.missing)


def missing(known: Ranges) -> list[tuple[int, int]]:
    """The numbers between those that are known."""
    return [(end + 1, begin - 1) for (_, end), (begin, _) in pairwise(known)]


def closed_spans(connection: Connection, run: int, window: tuple[int, int], quiet: Quiet, known_at: int) -> list[Span]:
    """The run's spans, closed by `known_at`, that may touch the window: check after check, in the order of time."""
    checks = msgspec.json.encode(list(quiet.reach_ms)).decode()
    bounds = {"run": run, "from": window[0], "to": window[1], "checks": checks, "known_at": known_at}
    rows = connection.execute(_QUERY, bounds)
    return list(_joined(rows, quiet))


def _joined(rows: Iterable[_Row], quiet: Quiet) -> Iterator[Span]:
    """Adjacent quiet spans as one: up, the same thing, and nothing was or may have been between them."""
    first = last = None
    through = samples = largest_gap = reach = 0
    for row in rows:
        if (
            last is not None
            and row[0] == last[0]
            and row[2] == last[2] == "up"
            and 0 <= (apart := row[3] - last[5]) <= reach
            and row[10] == last[10]
            and (not quiet.missing or quiet.nothing_missing(through, row[1]))
        ):
            samples += row[7]
            if row[8] > largest_gap or apart > largest_gap:
                largest_gap = max(row[8], apart)
        else:
            if first is not None and last is not None:
                yield _span(first, last, samples, largest_gap)
            first, samples, largest_gap, reach = row, row[7], row[8], quiet.reach_ms[row[0]]
        last, through = row, row[1]
    if first is not None and last is not None:
        yield _span(first, last, samples, largest_gap)


def _span(first: _Row, last: _Row, samples: int, largest_gap: int) -> Span:
    check, number, state, first_begin, first_end, *_ = first
    message, marks = last[9:]
    told = tuple(sorted(_marks.decode(marks).items())) if marks else ()
    return Span(
        check,
        number,
        state,
        first_begin,
        first_end,
        last[5],
        last[6],
        samples,
        largest_gap,
        message=message or "",
        marks=told,
        through=None if last is first else last[1],
    )


def fact_of(span: HeldSpan) -> Span:
    """An open span, as far as it reaches."""
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
