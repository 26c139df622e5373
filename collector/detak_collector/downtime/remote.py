"""What a node says of other hosts, weighed: its references tell whether the node itself was cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detak_collector.downtime.catalogue import NodeEntry
from detak_collector.downtime.intervals import EMPTY, Intervals, intersection, union
from detak_collector.downtime.reading import Passage, Reading
from detak_collector.downtime.triple import Triple

EDGE_MS = 600_000
"""So far beyond a node's being cut off, at most, its failures are laid to that. A rule reads as far over a window's
edge, so that what it says of an instant is the same in every window."""


def weigh_remote(reading: Reading, entry: NodeEntry, readings: Mapping[str, Reading], begin: int, end: int) -> Reading:
    """A remote check's reading with its node's references taken into account; local checks and references stand.

    A remote failure is certain only while a reference is certainly up; while all references are down, what the
    node says of others is not observed, nor is it on either side as far as no bad sample tells more than that.
    Readings reach from EDGE_MS before `begin` until EDGE_MS after `end`; what is returned is clipped.
    """
    if not reading.remote or reading.check in entry.references:
        return reading.clip(begin, end)
    references = [readings[check] for check in entry.references if check in readings]
    blind, doubtful = EMPTY, EMPTY
    if references:
        cut_off = intersection([one.down.counted for one in references])
        doubtful = intersection([one.down.possible for one in references])
        blind = cut_off | _edges(reading, cut_off, doubtful)
    counted = reading.down.counted - blind
    certain = reading.down.certain & counted - doubtful if references else EMPTY
    return replace(
        reading,
        down=Triple(certain, counted, reading.down.possible | blind),
        unobserved=reading.unobserved | blind,
        presumed=reading.presumed - blind,
        seen=reading.seen - blind,
        due=reading.due - blind,
        passages=(*reading.passages, *(Passage(*gap, "not observed: observer") for gap in blind)),
    ).clip(begin, end)


def _edges(reading: Reading, cut_off: Intervals, doubtful: Intervals) -> Intervals:
    """Counted time beside a cut-off in which every bad sample fell where all references were possibly down.

    A check that looks shortly before its node's reference does sees the same cut earlier, and its recovery later.
    """
    if not cut_off:
        return EMPTY
    starts, stops = ({edge[side] for edge in cut_off} for side in (0, 1))
    beside = [
        (begin, end)
        for begin, end in reading.down.counted - cut_off
        if (begin in stops or end in starts) and end - begin <= EDGE_MS
    ]
    return Intervals.of(part for part in beside if doubtful.covers(reading.failing.clip(*part)))


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
