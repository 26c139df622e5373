"""Three nested sets of down time: certain is proven, counted is the official reading, possible cannot be excluded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detak_collector.downtime.intervals import EMPTY, Intervals, at_least, intersection, union


@dataclass(frozen=True, slots=True)
class Triple:
    """certain within counted within possible, always; `nested` restores that where set algebra met rounding."""

    certain: Intervals = EMPTY
    counted: Intervals = EMPTY
    possible: Intervals = EMPTY

    @staticmethod
    def nested(certain: Intervals, counted: Intervals, possible: Intervals) -> Triple:
        """The triple whose possible holds the counted, and whose certain is held by it."""
        possible = possible | counted
        return Triple(certain & counted, counted, possible)

    @property
    def is_nested(self) -> bool:
        """The invariant."""
        return self.counted.covers(self.certain) and self.possible.covers(self.counted)

    def map(self, change: Callable[[Intervals], Intervals]) -> Triple:
        """The same monotone change made to all three sets."""
        return Triple(change(self.certain), change(self.counted), change(self.possible))

    def clip(self, begin: int, end: int) -> Triple:
        """The part inside [begin, end)."""
        return self.map(lambda one: one.clip(begin, end))

    def __or__(self, other: Triple) -> Triple:
        return Triple(self.certain | other.certain, self.counted | other.counted, self.possible | other.possible)

    def __and__(self, other: Triple) -> Triple:
        return Triple(self.certain & other.certain, self.counted & other.counted, self.possible & other.possible)

    def without(self, windows: Intervals) -> Triple:
        """Less a set that is known exactly, such as an exclusion's windows."""
        return self.map(lambda one: one - windows) if windows else self

    def less(self, may: Intervals, counted: Intervals, surely: Intervals) -> Triple:
        """Less a set that is itself uncertain, crosswise: the largest from certain, the smallest from possible."""
        return Triple(self.certain - may, self.counted - counted, self.possible - surely)


NOWHERE = Triple()


def united(triples: Sequence[Triple]) -> Triple:
    """Down where any of `triples` is."""
    return Triple(
        union(one.certain for one in triples),
        union(one.counted for one in triples),
        union(one.possible for one in triples),
    )


def where_at_least(number: int, triples: Sequence[Triple]) -> Triple:
    """Down where at least `number` of `triples` are."""
    return Triple(
        at_least(number, [one.certain for one in triples]),
        at_least(number, [one.counted for one in triples]),
        at_least(number, [one.possible for one in triples]),
    )


def common(triples: Sequence[Triple]) -> Triple:
    """Down where all of `triples` (at least one) are."""
    return Triple(
        intersection([one.certain for one in triples]),
        intersection([one.counted for one in triples]),
        intersection([one.possible for one in triples]),
    )
