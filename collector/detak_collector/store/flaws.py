"""What is wrong with a run's evidence: records that are not there, and versions that contradict each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from detak_collector.downtime.facts import Contradiction, Lost
from detak_collector.ingest.numbers import Ranges
from detak_collector.store.database import Connection
from detak_collector.store.outlines import RunOutline
from detak_collector.store.spans import missing

_GAPS = "SELECT first_number, last_number FROM gap WHERE run = ? AND recorded_utc <= ? ORDER BY first_number"
_NEAREST = """
    SELECT
        (SELECT first_begin FROM span WHERE run = :run AND number < :first AND recorded_utc <= :known_at
            ORDER BY number DESC LIMIT 1),
        (SELECT first_end FROM span WHERE run = :run AND number > :last AND recorded_utc <= :known_at
            ORDER BY number LIMIT 1)
"""
_CONTRADICTED = """
    SELECT conflict.number, version, text.text, first_begin, last_end FROM conflict
    LEFT JOIN span ON span.run = conflict.run AND span.number = conflict.number AND span.recorded_utc <= :known_at
    LEFT JOIN text ON text.id = span."check"
    WHERE conflict.run = :run AND conflict.recorded_utc <= :known_at ORDER BY conflict.sequence
"""


def greatest(known: Ranges) -> int:
    """The greatest number that is known; 0 where there is none."""
    return known[-1][1] if known else 0


def lost(connection: Connection, run: RunOutline) -> tuple[Lost, ...]:
    """What is missing up to the greatest number that is known, with the times between which it began."""
    known = run.known
    absent = missing(known) if not known or known[0][0] == 1 else [(1, known[0][0] - 1), *missing(known)]
    if not absent:
        return ()
    told = connection.execute(_GAPS, (run.sequence, run.known_at)).fetchall()
    return tuple(_bounded(connection, run, part) for hole in absent for part in _parted(hole, told))


def _parted(hole: tuple[int, int], told: list[tuple[int, int]]) -> Iterator[Lost]:
    """A hole, cut where gap records begin or end to tell of it."""
    first, last = hole
    cuts = {edge for begin, end in told for edge in (begin, end + 1) if first < edge <= last}
    for begin, after in pairwise(sorted({first, *cuts, last + 1})):
        yield Lost(begin, after - 1, told=any(since <= begin <= until for since, until in told))


def _bounded(connection: Connection, run: RunOutline, one: Lost) -> Lost:
    """With the begin of the nearest earlier span that is known, and the end of the nearest later one's first sample."""
    at = {"run": run.sequence, "first": one.first, "last": one.last, "known_at": run.known_at}
    after, before = connection.execute(_NEAREST, at).fetchone()
    begun = [after, *(span.first_begin for span in run.open if span.number < one.first)]
    over = [before, *(span.first_end for span in run.open if span.number > one.last)]
    return replace(
        one,
        after=max((at for at in begun if at is not None), default=None),
        before=min((at for at in over if at is not None), default=None),
    )


def contradicted(connection: Connection, run: RunOutline) -> tuple[Contradiction, ...]:
    """The time of which the run says two things: what both versions of a span reach over, or for its opening all of it.

    Two versions of an exchange or a gap say nothing of any check.
    """
    at = {"run": run.sequence, "known_at": run.known_at}
    rows = connection.execute(_CONTRADICTED, at).fetchall()
    return tuple(found for row in rows for found in _contradictions(run, *row))


def _contradictions(
    run: RunOutline, number: int, version: str, check: str | None, begin: int | None, end: int | None
) -> Iterator[Contradiction]:
    if number == 0:
        yield Contradiction(None, run.opening.opened_agent, max(run.opening.opened_agent, run.reach_agent))
        return
    if check is not None and begin is not None and end is not None:
        yield Contradiction(check, begin, end)
    yield from (Contradiction(one.check, one.first_begin, one.last_end) for one in run.open if one.number == number)
    other = json.loads(version)
    if "check" in other:
        yield Contradiction(other["check"], other["first_begin"], other["last_end"])
