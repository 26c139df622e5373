"""Sets of time: sorted, disjoint, half-open intervals [begin, end) of integer milliseconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of instants. Build it with `of`; the constructor expects what `of` makes: sorted, disjoint, apart."""

    parts: tuple[Interval, ...] = ()

    @staticmethod
    def of(pairs: Iterable[Interval]) -> Intervals:
        """The union of `pairs` in any order; pairs that are empty or run backwards add nothing."""
        ordered = sorted([pair for pair in pairs if pair[0] < pair[1]])
        if len(ordered) < 2:
            return Intervals(tuple(ordered)) if ordered else EMPTY
        merged: list[Interval] = []
        begin, end = ordered[0]
        for since, until in ordered:
            if since > end:
                merged.append((begin, end))
                begin, end = since, until
            elif until > end:
                end = until
        return Intervals((*merged, (begin, end)))

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
        at = bisect_right(self.parts, instant, key=_begin_of) - 1
        return at >= 0 and instant < self.parts[at][1]

    @property
    def total(self) -> int:
        """Its length in milliseconds."""
        return sum([end - begin for begin, end in self.parts])

    def __or__(self, other: Intervals) -> Intervals:
        if not other.parts or not self.parts:
            return self if self.parts else other
        return Intervals.of(self.parts + other.parts)

    def __and__(self, other: Intervals) -> Intervals:
        if not self.parts or not other.parts:
            return EMPTY
        if len(other.parts) == 1:
            return self.clip(*other.parts[0])
        if len(self.parts) == 1:
            return other.clip(*self.parts[0])
        found: list[Interval] = []
        mine, theirs = iter(self.parts), iter(other.parts)
        my_begin, my_end = next(mine)
        its_begin, its_end = next(theirs)
        while True:
            begin = my_begin if my_begin > its_begin else its_begin  # noqa: FURB136 (`max` takes four times as long)
            if my_end <= its_end:
                if begin < my_end:
                    found.append((begin, my_end))
                if (part := next(mine, None)) is None:
                    break
                my_begin, my_end = part
            else:
                if begin < its_end:
                    found.append((begin, its_end))
                if (part := next(theirs, None)) is None:
                    break
                its_begin, its_end = part
        return Intervals(tuple(found))

    def __sub__(self, other: Intervals) -> Intervals:
        if not other.parts or not self.parts:
            return self
        first, last = self.parts[0][0], self.parts[-1][1]
        if other.parts[-1][1] <= first or last <= other.parts[0][0]:
            return self
        return self & other.within(first, last)

    def within(self, begin: int, end: int) -> Intervals:
        """The rest of [begin, end): all of it that is not in this set."""
        edges = [begin, *chain.from_iterable(self.clip(begin, end).parts), end]
        return Intervals(tuple([gap for gap in zip(edges[::2], edges[1::2], strict=True) if gap[0] < gap[1]]))

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


def union(sets: Iterable[Intervals]) -> Intervals:
    """The instants in any of `sets`."""
    filled = [one for one in sets if one.parts]
    if len(filled) <= 1:
        return filled[0] if filled else EMPTY
    return Intervals.of(chain.from_iterable([one.parts for one in filled]))


def intersection(sets: Sequence[Intervals]) -> Intervals:
    """The instants in all of `sets`, of which there is at least one."""
    common, *others = sets
    for other in others:
        common = common & other
    return common


def at_least(number: int, sets: Sequence[Intervals]) -> Intervals:
    """The instants that lie in at least `number` (one or more) of `sets`."""
    filled = [one for one in sets if one.parts]
    if number > len(filled):
        return EMPTY
    if number == 1:
        return union(filled)
    edges: dict[int, int] = {}
    for one in filled:
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
