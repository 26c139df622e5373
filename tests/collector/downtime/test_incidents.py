"""Outages that belong together are one incident: by the clock, unless operators ruled otherwise."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.incidents import (
    MERGE,
    NO_ORDERS,
    SPLIT,
    UNDO,
    Incident,
    Orders,
    Ruling,
    homes,
    incidents_of,
    orders_of,
)
from detak_collector.downtime.outages import Outage

GAP = 5


Numbered = tuple[int | None, Outage]


def outage(number: int | None, begin: int, end: int, service: str = "s") -> Numbered:
    return number, Outage(
        id=f"{service}/{begin}", service=service, begin=begin, end=end, counted_ms=end - begin, certain_ms=0,
        possible_ms=0, causes={"server": end - begin}, shown_as="down", said=(), running=False,
    )  # fmt: skip


def found_in(outages: list[Numbered], orders: Orders = NO_ORDERS, gap: int = GAP) -> tuple[Incident, ...]:
    numbers = {one.key: number for number, one in outages}
    return incidents_of([one for _, one in outages], lambda _: gap, numbers, orders)


def numbers_in(found: tuple[Incident, ...], outages: list[Numbered]) -> list[list[int]]:
    numbers = {one.key: number for number, one in outages}
    return [[numbers[one.key] or 0 for one in incident.outages] for incident in found]


def grouped(outages: list[Numbered], *rulings: Ruling, merged_into: dict[int, int] | None = None) -> list[list[int]]:
    return numbers_in(found_in(outages, orders_of(rulings, merged_into or {})), outages)


def ruling(id_: int, kind: str, *outages: int, undoes: int | None = None) -> Ruling:
    return Ruling(id_, kind, outages, undoes, "because", "ani", 0)


numbered_outages = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=8).map(
    lambda pairs: [outage(at, begin, begin + length, f"s{at}") for at, (begin, length) in enumerate(pairs, 1)]
)

THREE = [outage(1, 0, 10), outage(2, 14, 20, "t"), outage(3, 40, 50)]


def test_outages_that_overlap_or_lie_within_the_gap_are_one_incident_and_find_it() -> None:
    first, second = found = found_in(THREE)
    assert numbers_in(found, THREE) == [[1, 2], [3]]
    assert homes(found) == {("s", 0): first, ("t", 14): first, ("s", 40): second}
    assert first.id == "0"
    assert (first.begin, first.end, first.ruled) == (0, 20, False)
    assert second.id == "40"


def test_a_gap_of_just_the_limit_is_within_it() -> None:
    assert grouped([outage(1, 0, 10), outage(2, 15, 20)]) == [[1, 2]]
    assert grouped([outage(1, 0, 10), outage(2, 16, 20)]) == [[1], [2]]


def test_the_gap_in_force_is_that_of_the_later_outage() -> None:
    pair = [one for _, one in (outage(1, 0, 10), outage(2, 20, 30))]
    assert len(incidents_of(pair, lambda at: 10 if at >= 20 else 0)) == 1
    assert len(incidents_of(pair, lambda at: 0 if at >= 20 else 10)) == 2


@given(numbered_outages, st.integers(0, 10))
def test_by_the_clock_alone_two_outages_share_an_incident_when_no_wide_gap_parts_them(
    outages: list[Numbered], gap: int
) -> None:
    covered = {at for _, one in outages for at in range(one.begin, one.end + gap + 1)}
    for incident in (found := found_in(outages, gap=gap)):
        assert all(at in covered for at in range(incident.begin, max(one.begin for one in incident.outages)))
    for before, after in pairwise(found):
        assert after.begin > before.end + gap
    assert sorted(chain(*numbers_in(found, outages))) == [number for number, _ in outages]


@given(numbered_outages, st.sets(st.integers(1, 8)), st.lists(st.sets(st.integers(1, 8), min_size=2), max_size=3))
def test_whatever_is_ruled_each_outage_is_in_one_incident_and_merged_ones_share_it(
    outages: list[Numbered], begins: set[int], together: list[set[int]]
) -> None:
    orders = Orders(frozenset(begins), tuple(frozenset(one) for one in together))
    found = found_in(outages, orders)
    home = {number: at for at, numbers in enumerate(numbers_in(found, outages)) for number in numbers}
    assert len(home) == len(outages)
    assert len({incident.id for incident in found}) == len(found)
    for group in together:
        assert len({home[number] for number in group if number in home}) <= 1


def test_a_merge_joins_incidents_far_apart_and_whatever_hangs_on_them() -> None:
    assert grouped(THREE, ruling(1, MERGE, 2, 3)) == [[1, 2, 3]]


def test_a_split_begins_an_incident_which_later_outages_go_with() -> None:
    assert grouped(THREE, ruling(1, SPLIT, 2)) == [[1], [2], [3]]
    row = [outage(1, 0, 10), outage(2, 12, 20), outage(3, 21, 30)]
    assert grouped(row, ruling(1, SPLIT, 2)) == [[1], [2, 3]]


def test_an_outage_within_a_longer_one_stays_with_it_when_what_was_split_off_is_over() -> None:
    nested = [outage(1, 0, 100), outage(2, 50, 60, "t"), outage(3, 90, 95, "u")]
    assert grouped(nested, ruling(1, SPLIT, 2)) == [[1, 3], [2]]


def test_an_outage_that_two_incidents_could_take_goes_with_the_one_that_began_last() -> None:
    nested = [outage(1, 0, 100), outage(2, 50, 60, "t"), outage(3, 55, 58, "u")]
    assert grouped(nested, ruling(1, SPLIT, 2)) == [[1], [2, 3]]


def test_the_latest_ruling_on_an_outage_wins() -> None:
    merge, split = ruling(1, MERGE, 1, 2, 3), ruling(2, SPLIT, 3)
    assert grouped(THREE, merge, split) == [[1, 2], [3]]
    assert grouped(THREE, split, ruling(3, MERGE, 2, 3)) == [[1, 2, 3]]


def test_an_undone_ruling_is_as_if_it_had_never_been() -> None:
    assert grouped(THREE, ruling(1, MERGE, 2, 3), ruling(2, UNDO, undoes=1)) == [[1, 2], [3]]
    assert grouped(THREE, ruling(1, SPLIT, 2), ruling(2, UNDO, undoes=1)) == [[1, 2], [3]]


def test_rulings_follow_a_number_to_the_outage_that_it_was_merged_into() -> None:
    assert grouped(THREE, ruling(1, MERGE, 3, 5), merged_into={5: 4, 4: 1}) == [[1, 2, 3]]
    assert grouped(THREE, ruling(1, SPLIT, 5), merged_into={5: 2}) == [[1, 2], [3]]


def test_outages_without_a_number_go_by_the_clock() -> None:
    assert grouped([outage(None, 0, 10), outage(None, 14, 20)], ruling(1, SPLIT, 2)) == [[0, 0]]


def test_incidents_that_a_ruling_is_about_say_so_and_no_two_have_one_name() -> None:
    orders = orders_of([ruling(1, SPLIT, 2)], {})
    twins = [outage(1, 0, 10), outage(2, 0, 10, "t")]
    assert [(one.id, one.ruled) for one in found_in(twins, orders)] == [
        ("0", False),
        ("0-2", True),
    ]


def test_a_merge_of_outages_that_evidence_has_made_one_rules_nothing_any_more() -> None:
    (one,) = found_in([outage(1, 0, 10)], orders_of([ruling(1, MERGE, 1, 2)], {2: 1}))
    assert not one.ruled
