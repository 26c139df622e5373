"""What a node says of other hosts, weighed: its references tell whether the node itself was cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detak_collector.downtime.catalogue import NodeEntry
from detak_collector.downtime.intervals import EMPTY, Intervals, intersection, union
from detak_collector.downtime.reading import Passage, Reading
from detak_collector.downtime.triple import Triple


def weigh_remote(reading: Reading, entry: NodeEntry, readings: Mapping[str, Reading], begin: int, end: int) -> Reading:
    """A remote check's reading with its node's references taken into account; local checks and references stand.

    A remote failure is certain only while a reference is certainly up; while all references are down, what the
    node says of others is not observed.
    """
    if not reading.remote or reading.check in entry.references:
        return reading
    references = [readings[check] for check in entry.references if check in readings]
    cut_off = intersection([one.down.counted for one in references]) if references else EMPTY
    reachable = union(one.down.possible.within(begin, end) for one in references)
    counted = reading.down.counted - cut_off
    return replace(
        reading,
        down=Triple(reading.down.certain & reachable & counted, counted, reading.down.possible | cut_off),
        unobserved=reading.unobserved | cut_off,
        presumed=reading.presumed - cut_off,
        seen=reading.seen - cut_off,
        passages=(*reading.passages, *(Passage(*gap, "not observed: observer") for gap in cut_off)),
    )


def observed_together(readings: Sequence[Reading], nodes: Sequence[str]) -> Triple:
    """One thing that several checks see: up where one that sees it says up, down where all that see it say down.

    Certain where each that sees it is down for certain as far as it can see, and either two of different nodes are
    or one has a certain reference. `nodes` names the node of each reading.
    """
    blind = [one.unobserved for one in readings]
    counted = [one.down.counted - one.unobserved for one in readings]
    seen = [one.seen - one.unobserved for one in readings]
    proven = union(
        [one.down.certain for one in readings]
        + [
            first & second
            for place, first in enumerate(seen)
            for other, second in enumerate(seen[:place])
            if nodes[place] != nodes[other]
        ]
    )
    agreed = intersection([sure | unseen for sure, unseen in zip(seen, blind, strict=True)])
    down = intersection([said | unseen for said, unseen in zip(counted, blind, strict=True)]) & union(counted)
    return Triple.nested(agreed & proven, down, intersection([one.down.possible for one in readings]))


def unobserved_together(readings: Sequence[Reading]) -> Intervals:
    """Where none of the observers sees the thing."""
    return intersection([one.unobserved for one in readings])
