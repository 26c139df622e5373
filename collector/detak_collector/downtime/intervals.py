"""Sets of time: sorted, disjoint, half-open intervals [begin, end) of integer milliseconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of instants. Build it with `of`; the constructor expects what `of` makes: sorted, disjoint, apart."""

    parts: tuple[Interval, ...] = ()

    @staticmethod
    def of(pairs: Iterable[Interval]) -> Intervals:
        """The union of `pairs` in any order; pairs that are empty or run backwards add nothing."""
        merged: list[Interval] = []
        for begin, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
            if merged and begin <= merged[-1][1]:
                if end > merged[-1][1]:
                    merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        return Intervals(tuple(merged))

    @staticmethod
    def span(begin: int, end: int) -> Intervals:
        """[begin, end), empty where it runs backwards."""
        return Intervals(((begin, end),)) if begin < end else EMPTY

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __contains__(self, instant: int) -> bool:
        at = bisect_right(self.parts, (instant, _FOREVER)) - 1
        return at >= 0 and self.parts[at][0] <= instant < self.parts[at][1]

    @property
    def total(self) -> int:
        """Its length in milliseconds."""
        return sum(end - begin for begin, end in self.parts)

    def __or__(self, other: Intervals) -> Intervals:
        if not other.parts or not self.parts:
            return self if self.parts else other
        return Intervals.of(self.parts + other.parts)

    def __and__(self, other: Intervals) -> Intervals:
        if len(other.parts) <= 1:
            return self.clip(*other.parts[0]) if other.parts else EMPTY
        if len(self.parts) <= 1:
            return other.clip(*self.parts[0]) if self.parts else EMPTY
        found: list[Interval] = []
        mine, theirs = 0, 0
        while mine < len(self.parts) and theirs < len(other.parts):
            begin = max(self.parts[mine][0], other.parts[theirs][0])
            end = min(self.parts[mine][1], other.parts[theirs][1])
            if begin < end:
                found.append((begin, end))
            if self.parts[mine][1] <= other.parts[theirs][1]:
                mine += 1
            else:
                theirs += 1
        return Intervals(tuple(found))

    def __sub__(self, other: Intervals) -> Intervals:
        if not other.parts or not self.parts:
            return self
        return self & other.within(self.parts[0][0], self.parts[-1][1])

    def within(self, begin: int, end: int) -> Intervals:
        """The rest of [begin, end): all of it that is not in this set."""
        edges = [begin, *(edge for part in self.clip(begin, end) for edge in part), end]
        return Intervals(
            tuple((edges[at], edges[at + 1]) for at in range(0, len(edges), 2) if edges[at] < edges[at + 1])
        )

    def clip(self, begin: int, end: int) -> Intervals:
        """The part inside [begin, end), found by bisection: most sets are clipped often and to little."""
        parts = self.parts
        if not parts or (begin <= parts[0][0] and parts[-1][1] <= end):
            return self
        first = bisect_right(parts, begin, key=_end_of)
        last = bisect_left(parts, end, lo=first, key=_begin_of)
        inside = parts[first:last]
        if not inside or begin >= end:
            return EMPTY
        if inside[0][0] >= begin and inside[-1][1] <= end:
            return Intervals(inside)
        if len(inside) == 1:
            return Intervals(((max(begin, inside[0][0]), min(end, inside[0][1])),))
        head, tail = (max(begin, inside[0][0]), inside[0][1]), (inside[-1][0], min(end, inside[-1][1]))
        return Intervals((head, *inside[1:-1], tail))

    def covers(self, other: Intervals) -> bool:
        """Whether all of `other` lies in this set."""
        return not (other - self)


def _begin_of(part: Interval) -> int:
    return part[0]


def _end_of(part: Interval) -> int:
    return part[1]


EMPTY = Intervals()
_FOREVER = 2**63


def union(sets: Iterable[Intervals]) -> Intervals:
    """The instants in any of `sets`."""
    return Intervals.of(pair for one in sets for pair in one.parts)


def intersection(sets: Sequence[Intervals]) -> Intervals:
    """The instants in all of `sets`, of which there is at least one."""
    common, *others = sets
    for other in others:
        common = common & other
    return common


def at_least(number: int, sets: Sequence[Intervals]) -> Intervals:
    """The instants that lie in at least `number` (one or more) of `sets`."""
    if number > len(sets):
        return EMPTY
    edges: dict[int, int] = {}
    for one in sets:
        for begin, end in one.parts:
            edges[begin] = edges.get(begin, 0) + 1
            edges[end] = edges.get(end, 0) - 1
    depth = 0
    found: list[Interval] = []
    for begin, end in pairwise(sorted(edges)):
        depth += edges[begin]
        if depth >= number:
            found.append((begin, end))
    return Intervals.of(found)
