"""The edges of interval sets: where a stretch is empty, and when a set is handed on as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detak_collector.downtime.intervals import EMPTY, Intervals, union

TWO = Intervals.of([(10, 20), (30, 40)])


@pytest.mark.parametrize(("begin", "end", "length"), [(5, 6, 1), (5, 5, 0), (6, 5, 0)])
def test_a_span_is_half_open_and_empty_unless_it_runs_forwards(begin: int, end: int, length: int) -> None:
    span = Intervals.span(begin, end)
    assert (span.total, bool(span)) == (length, length > 0)
    assert (span == EMPTY) == (length == 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one | EMPTY,
        lambda one: EMPTY | one,
        lambda one: one.clip(10, 40),
        lambda one: one & Intervals.span(10, 40),
        lambda one: one - Intervals.span(0, 10),
        lambda one: one - Intervals.span(40, 50),
        lambda one: union([EMPTY, one]),
    ],
    ids=["or nothing", "nothing or it", "clipped to its edges", "and its edges", "less before", "less after", "union"],
)
def test_a_set_that_stays_as_it_is_is_never_copied(change: Callable[[Intervals], Intervals]) -> None:
    assert change(TWO) is TWO
