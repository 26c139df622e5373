"""Which versions of records, that contradict each other at another collector, are kept apart at this one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from detak_collector.ingest.held import HeldSpan, RunState
from detak_collector.ingest.merge import Closed, Lookup, held_version
from detak_collector.ingest.numbers import contains
from detak_wire.messages import Part


def versions_apart(state: RunState, part: Part, lookup: Lookup) -> Iterator[Closed]:
    """The records of `part` that are not what stands here under their numbers. `lookup` knows what is held, closed.

    Whether one contradicts what stands here is not asked: it does so where what stood there was as far as it was then.
    """
    spans = state.reached()
    versions: tuple[Closed, ...] = (*map(held_version, part.spans), *part.exchanges, *part.gaps)
    for version in versions:
        standing: Closed | None = spans.get(version.number)
        if standing is None and contains(state.held, version.number):
            standing = lookup(version.number)
        if isinstance(standing, HeldSpan):
            standing = structs.replace(standing, heard_utc=None)
        if standing != version:
            yield version
