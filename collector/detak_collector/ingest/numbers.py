"""Sets of record numbers as sorted, disjoint ranges that do not touch; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""Inclusive ranges (from, to)."""


def contains(ranges: Ranges, number: int) -> bool:
    """Whether `number` lies in one of the ranges."""
    at = bisect_right(ranges, (number, _BEYOND)) - 1
    return at >= 0 and number <= ranges[at][1]


def united(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges, in any order and overlapping as they may, in their one normal form."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if merged and begin <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def missing_among(known: Ranges) -> int:
    """How many numbers before the last of these ranges, in their normal form, are in none; the first number is 1."""
    last = max((end for _, end in known), default=0)
    return last - sum(end - begin + 1 for begin, end in known)


def with_numbers(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    """The ranges and these numbers."""
    return united((*ranges, *((number, number) for number in numbers)))


def without_numbers(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    """The ranges, less these numbers."""
    left: list[tuple[int, int]] = []
    taken = united((number, number) for number in numbers)
    for begin, end in ranges:
        at = begin
        for first, last in taken:
            if at <= last and first <= end:
                left.append((at, first - 1))
                at = last + 1
        left.append((at, end))
    return tuple((begin, end) for begin, end in left if begin <= end)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """The ranges, less those taken; both in their normal form."""
    left: list[tuple[int, int]] = []
    for begin, end in ranges:
        at = begin
        for first, last in taken[max(0, bisect_right(taken, (begin, _BEYOND)) - 1) :]:
            if first > end:
                break
            if first > at:
                left.append((at, first - 1))
            at = max(at, last + 1)
        if at <= end:
            left.append((at, end))
    return tuple(left)


def mark(ranges: Ranges) -> int:
    """The number up to which all from 1 are there; 0 where 1 is not."""
    return ranges[0][1] if ranges and ranges[0][0] <= 1 else 0


def beyond_mark(ranges: Ranges) -> Ranges:
    """What lies beyond the mark."""
    return ranges[1:] if mark(ranges) else ranges


_BEYOND = 2**63
