"""Members seen by one check or by several, and what a group has of them: excluded, presumed, slow, without reserve."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.catalogue import Catalogue, Exclusion, Member, Service
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.parts import Part, at_an_instant, member_part, without_reserve
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.scopes import Basis, Scopes
from detak_collector.downtime.services import account
from detak_collector.downtime.triple import Triple
from downtime_cases import excluded, group, service

SERVICE = service(group(["a/c"]))
SETS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4).map(Intervals.of)
TRIPLES = st.builds(Triple, SETS, SETS, SETS)


def span(begin: int, end: int) -> Intervals:
    return Intervals.span(begin, end)


def down(where: Intervals, *, unseen: Intervals = EMPTY, **more: object) -> Reading:
    """Surely down there, not observed elsewhere, and up in the rest."""
    triple = Triple(where, where, where | unseen)
    return Reading("n/c", triple, unseen, seen=where, **more)  # type: ignore[arg-type]


def basis(readings: Mapping[str, Reading], *exclusions: Exclusion, of: Service = SERVICE) -> Basis:
    return Basis(readings, Scopes.of(Catalogue(of.name, "UTC", (of,)), exclusions))


def part(readings: Mapping[str, Reading], *exclusions: Exclusion) -> Part:
    return member_part(Member(tuple(readings)), SERVICE, None, basis(readings, *exclusions))


@given(TRIPLES, TRIPLES)
def test_two_triples_are_united_and_intersected_set_by_set(a: Triple, b: Triple) -> None:
    assert ((a | b).certain, (a & b).certain) == (a.certain | b.certain, a.certain & b.certain)
    assert ((a | b).counted, (a & b).counted) == (a.counted | b.counted, a.counted & b.counted)
    assert ((a | b).possible, (a & b).possible) == (a.possible | b.possible, a.possible & b.possible)


@pytest.mark.parametrize(
    "wrong",
    [Triple(span(0, 2), span(0, 1), span(0, 2)), Triple(span(0, 1), span(0, 2), span(0, 1))],
    ids=["certain beyond counted", "counted beyond possible"],
)
def test_a_triple_nests_only_if_both_its_steps_do(wrong: Triple) -> None:
    assert not wrong.is_nested
    assert Triple(span(0, 1), span(0, 2), span(0, 3)).is_nested


def test_a_thing_with_two_observers_is_up_where_either_that_sees_it_says_up() -> None:
    readings = {"a/c": down(span(0, 6)), "b/c": down(span(4, 8), unseen=span(0, 2))}
    seen = part(readings)
    assert seen.gross.counted == Intervals.of([(0, 2), (4, 6)])
    assert seen.unobserved == EMPTY


def test_a_single_check_that_cannot_prove_a_failure_stays_without_proof() -> None:
    unproven = Reading("a/c", Triple(EMPTY, span(0, 4), span(0, 6)), span(4, 6), seen=span(0, 4), remote=True)
    assert part({"a/c": unproven}).gross == unproven.down


def test_two_observers_prove_a_failure_if_they_stand_on_different_nodes() -> None:
    said = Reading("n/c", Triple(EMPTY, span(0, 4), span(0, 4)), seen=span(0, 4), remote=True)
    assert part({"a/c": said, "b/c": said}).gross.certain == span(0, 4)
    assert part({"a/c": said, "a/d": said}).gross.certain == EMPTY


def test_an_exclusion_takes_something_from_a_member_only_where_it_is_down() -> None:
    planned = excluded(0, 8, check="a/c")
    only = part({"a/c": down(span(2, 4), unseen=span(6, 7))}, planned)
    assert (only.may, only.surely, only.excluded) == (Intervals.of([(2, 4), (6, 7)]), span(2, 4), span(2, 4))


def test_what_one_observer_presumes_and_another_denies_is_not_presumed() -> None:
    silent = down(span(0, 4), presumed=span(0, 4))
    assert part({"a/c": silent, "b/c": down(span(3, 5))}).presumed == span(3, 4)


def test_a_member_is_degraded_only_where_every_observer_says_slow_and_it_is_not_down() -> None:
    slow = down(EMPTY, degraded=span(0, 4))
    assert part({"a/c": slow, "b/c": down(EMPTY, degraded=span(2, 6))}).degraded == span(2, 4)
    assert part({"a/c": down(span(3, 5), degraded=span(0, 4))}).degraded == span(0, 3)


DOWN_FROM = (0, 2, 4)
MEMBERS = [Part(gross=Triple(counted=span(begin, 6)), degraded=span(6, 6 + begin)) for begin in DOWN_FROM]
"""One down at first, two from 2 on, all three from 4 to 6; then two of them slow until 8, one until 10."""


@pytest.mark.parametrize(("down_when", "bare"), [(1, EMPTY), (2, span(0, 2)), (3, span(2, 4))])
def test_a_group_is_without_reserve_where_one_more_failure_would_take_it_down(down_when: int, bare: Intervals) -> None:
    assert without_reserve(down_when, MEMBERS) == bare


@pytest.mark.parametrize(
    ("down_when", "slow"), [(1, span(6, 10)), (2, span(6, 8)), (3, EMPTY)], ids=["any", "two", "all three"]
)
def test_a_group_is_degraded_where_it_would_be_down_if_slow_members_were(down_when: int, slow: Intervals) -> None:
    assert at_an_instant(down_when, MEMBERS).degraded == slow


def test_a_group_is_degraded_where_one_member_is_down_and_the_other_slow() -> None:
    members = [Part(gross=Triple(counted=span(0, 4))), Part(degraded=span(2, 6))]
    assert at_an_instant(2, members).degraded == span(2, 4)


def test_a_group_is_presumed_down_where_it_is_so_only_with_members_that_are_silent() -> None:
    firm = Part(gross=Triple(counted=span(0, 4)))
    silent = Part(gross=Triple(counted=span(0, 6)), presumed=span(2, 6))
    assert at_an_instant(2, [firm, silent]).presumed == span(2, 4)
    assert at_an_instant(1, [firm, silent]).presumed == span(4, 6)


def test_where_either_member_may_stand_for_a_group_only_what_both_prove_is_certain() -> None:
    """Either may be the lowest: each is surely down for a part of what the other is only reckoned down for."""
    of = service(group(["a/c", "b/c"], "lowest_member"))
    first = Reading("a/c", Triple(span(20, 60), span(10, 100), span(0, 110)))
    second = Reading("b/c", Triple(span(40, 90), span(10, 100), span(0, 110)))
    made = account(of, span(0, 200), (0, 200), basis({"a/c": first, "b/c": second}, of=of))
    assert made.net == Triple(span(40, 60), span(10, 100), span(0, 110))
