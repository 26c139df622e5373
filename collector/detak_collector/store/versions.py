"""Versions that contradict the records of their numbers, as two collectors tell each other of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import msgspec

from detak_collector.downtime.facts import Span
from detak_collector.ingest.held import HeldSpan
from detak_collector.pair.messages import VersionLine
from detak_collector.store.database import Connection
from detak_collector.store.spans import fact_of
from detak_wire.messages import Exchange, Gap, Part, RunOpening, State
from detak_wire.messages import Span as WireSpan

_LINES = """
    SELECT conflict.sequence, node.name, run.run, number, version FROM conflict
        JOIN run ON run.sequence = conflict.run JOIN node ON node.id = run.node
    WHERE conflict.sequence > ? ORDER BY conflict.sequence LIMIT ?
"""


def version_lines(connection: Connection, after: int, most: int) -> tuple[list[VersionLine], int]:
    """Those that were kept since, in their order, and how far these got."""
    rows = connection.execute(_LINES, (after, most)).fetchall()
    lines = [VersionLine(node, _part(run, number, version)) for _, node, run, number, version in rows]
    return lines, rows[-1][0] if rows else after


def contradicted_numbers(connection: Connection, run: int) -> list[int]:
    """The numbers of a run's records of which another version is kept, but for its opening."""
    query = "SELECT DISTINCT number FROM conflict WHERE run = ? AND number > 0 ORDER BY number"
    return [number for (number,) in connection.execute(query, (run,))]


def span_versions(connection: Connection, run: int, known_at: int) -> dict[int, list[Span]]:
    """The versions of spans, by number, that were kept apart by that moment."""
    query = "SELECT number, version FROM conflict WHERE run = ? AND number > 0 AND recorded_utc <= ?"
    found: dict[int, list[Span]] = {}
    for number, version in connection.execute(query, (run, known_at)):
        told = msgspec.json.decode(version)
        if "check" in told:
            found.setdefault(number, []).append(fact_of(HeldSpan(**told)))
    return found


def furthest(standing: Span, versions: Sequence[Span]) -> Span:
    """Of all versions of a span the one that reaches furthest: which of them came first, two collectors may not agree.

    Where they contradict each other nothing is observed, whichever it is.
    """
    if not versions:
        return standing
    known = [one for one in (standing, *versions) if one.check == standing.check]
    chosen = max(known, key=lambda one: (one.last_end, one.last_begin, one.samples, repr(replace(one, closed=True))))
    return replace(chosen, closed=any(one.closed for one in known))


def _part(run: str, number: int, version: str) -> Part:
    """As its agent said it; a record's fields tell what it is."""
    if number == 0:
        return Part(run, msgspec.json.decode(version, type=RunOpening))
    told = msgspec.json.decode(version)
    if "check" in told:
        return Part(run, spans=[wire_span(HeldSpan(**told))])
    if "reason" in told:
        return Part(run, gaps=[Gap(**told)])
    return Part(run, exchanges=[Exchange(**told)])


def wire_span(span: HeldSpan) -> WireSpan:
    """A held span as its agent would send it."""
    return WireSpan(
        span.number,
        span.check,
        cast("State", span.state),
        span.first_begin,
        span.first_end,
        span.last_begin,
        span.last_end,
        span.samples,
        span.largest_gap,
        span.closed,
        span.message,
        span.marks,
    )
