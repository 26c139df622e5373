"""Interval sets against sets of single instants."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.intervals import Intervals, at_least, intersection, union

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)
SETS = PAIRS.map(Intervals.of)
EDGES = st.tuples(st.integers(-5, 45), st.integers(-5, 45))


def instants(one: Intervals) -> set[int]:
    return {t for begin, end in one for t in range(begin, end)}


def is_canonical(one: Intervals) -> bool:
    edges = [edge for part in one for edge in part]
    return all(before < after for before, after in pairwise(edges))


@given(SETS, SETS)
def test_union_intersection_and_difference_are_those_of_instants(a: Intervals, b: Intervals) -> None:
    assert instants(a | b) == instants(a) | instants(b)
    assert instants(a & b) == instants(a) & instants(b)
    assert instants(a - b) == instants(a) - instants(b)
    assert all(map(is_canonical, (a, a | b, a & b, a - b)))
    assert a.covers(b) == (instants(b) <= instants(a))


@given(SETS, EDGES)
def test_clipping_and_what_is_left_of_a_stretch(a: Intervals, edges: tuple[int, int]) -> None:
    begin, end = edges
    stretch = set(range(begin, end))
    assert instants(a.clip(begin, end)) == instants(a) & stretch
    assert instants(a.within(begin, end)) == stretch - instants(a)
    assert is_canonical(a.clip(begin, end))
    assert is_canonical(a.within(begin, end))


@given(SETS)
def test_length_and_membership(a: Intervals) -> None:
    assert a.total == len(instants(a))
    assert all((t in a) == (t in instants(a)) for t in range(-2, 43))


@given(st.lists(SETS, min_size=1, max_size=5), st.integers(1, 6))
def test_counting_how_many_hold_an_instant(sets: list[Intervals], number: int) -> None:
    expected = {t for t in range(41) if sum(t in instants(one) for one in sets) >= number}
    assert instants(at_least(number, sets)) == expected
    assert union(sets) == at_least(1, sets)
    assert intersection(sets) == at_least(len(sets), sets)
