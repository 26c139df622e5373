from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.ingest.numbers import beyond_mark, contains, mark, united, with_numbers, without_numbers

ranges_of = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)).map(lambda pair: (pair[0], sum(pair))))


@given(ranges_of)
def test_a_union_holds_the_same_numbers_and_no_others(ranges: list[tuple[int, int]]) -> None:
    expected = {number for begin, end in ranges for number in range(begin, end + 1)}
    normal = united(ranges)
    assert {number for number in range(60) if contains(normal, number)} == expected
    assert all(left[1] + 1 < right[0] for left, right in pairwise(normal))


@given(st.sets(st.integers(1, 30)))
def test_the_mark_is_the_end_of_what_has_no_hole(numbers: set[int]) -> None:
    ranges = with_numbers((), numbers)
    highest = next(number for number in range(32) if number + 1 not in numbers)
    assert mark(ranges) == highest
    assert {number for number in range(60) if contains(beyond_mark(ranges), number)} == {
        number for number in numbers if number > highest
    }


@given(ranges_of, st.sets(st.integers(0, 50)))
def test_numbers_that_are_taken_away_are_the_only_ones_gone(ranges: list[tuple[int, int]], gone: set[int]) -> None:
    before = united(ranges)
    left = without_numbers(before, gone)
    assert {number for number in range(60) if contains(left, number)} == {
        number for number in range(60) if contains(before, number) and number not in gone
    }
    assert left == united(left)
