"""Reading facts that a person or an importer stated in absolute time.

Facts of one check that share an edge are exact there; time between facts, and before the first and after the last,
is not observed; where up and down overlap nothing is known; evidence wins over `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable

from detak_collector.downtime.facts import Stated
from detak_collector.downtime.intervals import Intervals, union
from detak_collector.downtime.reading import Latest, Passage, Reading, never_seen
from detak_collector.downtime.triple import Triple


def read_stated(check: str, facts: Iterable[Stated], begin: int, end: int) -> Reading:
    """What the stated facts of one check come to inside [begin, end)."""
    stated = sorted(facts, key=lambda fact: (fact.first_utc, fact.last_utc))
    if not stated:
        return never_seen(check, begin, end)

    def where(*states: str) -> Intervals:
        return Intervals.of((fact.first_utc, fact.last_utc) for fact in stated if fact.state in states).clip(begin, end)

    good, bad = where("up", "degraded"), where("down")
    down = bad - good
    unobserved = union([Intervals.span(begin, end) - good - bad, good & bad])
    remote = any(fact.remote for fact in stated)
    return Reading(
        check,
        down=Triple(down, down, down | unobserved),
        unobserved=unobserved,
        degraded=where("degraded") - bad,
        seen=down,
        failing=down,
        passages=tuple(_passages(stated, unobserved)),
        remote=remote,
        latest=Latest(stated[-1].state, stated[-1].first_utc, stated[-1].message, pending_from=None),
    )


def _passages(stated: list[Stated], unobserved: Intervals) -> Iterable[Passage]:
    for fact in stated:
        if fact.state in {"down", "degraded"}:
            yield Passage(fact.first_utc, fact.last_utc, fact.state, fact.message)
    for begin, end in unobserved:
        yield Passage(begin, end, "not observed: no facts")
