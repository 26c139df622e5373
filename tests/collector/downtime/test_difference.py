"""The difference between two views of a period, against a slow and obvious way of matching outages."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.as_of import known_at
from detak_collector.downtime.catalogue import Exclusion
from detak_collector.downtime.derive import Result
from detak_collector.downtime.difference import Difference, difference, overlapping
from detak_collector.downtime.outages import Outage
from downtime_cases import HOUR, MINUTE, Stretches, excluded, facts, figures, group, service, stated

CHECKS = ("a/c", "b/c")


def _view(*downs: Stretches, exclusions: tuple[Exclusion, ...] = (), names: tuple[str, ...] = ("s", "t")) -> Result:
    """Two services of one check each, and when these were down in a period of ten hours."""
    known = facts({check: stated(check, 0, 10 * HOUR, down) for check, down in zip(CHECKS, downs, strict=True)})
    services = [service(group([check]), name=name) for name, check in zip(names, CHECKS, strict=True)]
    return figures(services, known, 0, 10 * HOUR, *exclusions)


def _kinds(found: Difference) -> list[tuple[str, str, int, int]]:
    return [(one.service, one.kind, len(one.before), len(one.after)) for one in found.outages]


def test_the_same_view_twice_is_no_difference() -> None:
    view = _view([(HOUR, 2 * HOUR)], [(0, MINUTE)])
    found = difference(view, _view([(HOUR, 2 * HOUR)], [(0, MINUTE)]))
    assert found.equal
    assert (found.services, found.outages, found.corrections) == ((), (), ())


def test_an_outage_that_came_to_be_known_appears_and_its_service_alone_has_changed() -> None:
    found = difference(_view([], [(0, MINUTE)]), _view([(HOUR, 2 * HOUR)], [(0, MINUTE)]))
    assert not found.equal
    assert _kinds(found) == [("s", "appeared", 0, 1)]
    (changed,) = found.services
    assert changed.service == "s"
    assert (changed.before and changed.before.counted_ms, changed.after and changed.after.counted_ms) == (0, HOUR)


def test_an_outage_that_evidence_took_away_vanishes() -> None:
    found = difference(_view([(HOUR, 2 * HOUR)], []), _view([], []))
    assert _kinds(found) == [("s", "vanished", 1, 0)]


def test_outages_that_late_evidence_joins_or_parts_are_told_together() -> None:
    apart, whole = _view([(60_000, 120_000), (180_000, 240_000)], []), _view([(30_000, 240_000)], [])
    assert _kinds(difference(apart, whole)) == [("s", "changed", 2, 1)]
    assert _kinds(difference(whole, apart)) == [("s", "changed", 1, 2)]


def test_outages_that_only_meet_are_two() -> None:
    found = difference(_view([(HOUR, 2 * HOUR)], []), _view([(2 * HOUR, 3 * HOUR)], []))
    assert _kinds(found) == [("s", "vanished", 1, 0), ("s", "appeared", 0, 1)]


def test_views_that_differ_in_one_respect_alone_are_not_equal() -> None:
    view = _view([(HOUR, 2 * HOUR)], [])
    moved = difference(view, _view([(3 * HOUR, 4 * HOUR)], []))
    assert (moved.services, moved.equal) == ((), False)
    under_another_target = difference(view, replace(view, target_percent=view.target_percent + 1))
    assert (under_another_target.outages, under_another_target.equal) == ((), False)


def test_an_exclusion_that_was_approved_between_is_named_and_its_outage_has_changed() -> None:
    planned = replace(excluded(HOUR, 2 * HOUR, check="a/c"), approved_at=5)
    before = _view([(HOUR, 3 * HOUR)], [], exclusions=known_at([planned], 4))
    found = difference(before, _view([(HOUR, 3 * HOUR)], [], exclusions=(planned,)))
    assert found.corrections == (planned,)
    assert _kinds(found) == [("s", "changed", 1, 1)]
    assert not found.equal


def test_a_service_that_one_view_has_not_is_a_change_without_a_before() -> None:
    found = difference(_view([], []), _view([], [], names=("s", "new")))
    assert [(one.service, one.before is None, one.after is None) for one in found.services] == [
        ("t", False, True),
        ("new", True, False),
    ]


def test_a_number_or_a_name_makes_no_difference() -> None:
    view = _view([(HOUR, 2 * HOUR)], [])
    numbered = replace(view, numbers={outage.key: 7 for one in view.services for outage in one.outages}, incidents=())
    assert numbered.numbers
    assert difference(view, numbered).equal


def _outage(begin: int, end: int) -> Outage:
    return Outage("", "s", begin, end, end - begin, 0, end - begin, {"database": end - begin}, "down", (), False)


@st.composite
def _histories(draw: st.DrawFn) -> list[Outage]:
    """Outages of one view: in order, apart from each other."""
    edges = sorted(draw(st.sets(st.integers(0, 40), max_size=12)))
    return [_outage(begin, end) for begin, end in list(pairwise(edges))[::2]]


def _chained(marked: list[tuple[Outage, str]]) -> list[list[tuple[Outage, str]]]:
    """Slow and obvious: groups are joined as long as any two of them overlap."""
    groups = [[one] for one in marked]
    while True:
        pair = next(((one, two) for one in groups for two in groups if one is not two and _overlap(one, two)), None)
        if pair is None:
            return sorted(
                (sorted(group, key=lambda one: one[0].begin) for group in groups), key=lambda one: one[0][0].begin
            )
        groups = [group for group in groups if group is not pair[0] and group is not pair[1]] + [pair[0] + pair[1]]


def _overlap(one: list[tuple[Outage, str]], two: list[tuple[Outage, str]]) -> bool:
    return any(a.begin < b.end and b.begin < a.end for a, _ in one for b, _ in two)


@given(_histories(), _histories())
def test_outages_are_together_if_a_chain_of_overlaps_leads_from_one_to_the_other(
    before: list[Outage], after: list[Outage]
) -> None:
    expected = _chained([*((one, "before") for one in before), *((one, "after") for one in after)])
    found = overlapping("s", before, after)
    for side in ("before", "after"):
        told = [list(getattr(one, side)) for one in found]
        assert told == [[outage for outage, of in group if of == side] for group in expected]


def test_what_was_proposed_later_was_not_there_and_what_was_approved_later_was_a_proposal() -> None:
    one = replace(excluded(0, HOUR, check="a/c"), proposed_at=10, approved_at=20)
    assert known_at([one], 9) == ()
    (proposal,) = known_at([one], 19)
    assert (proposal.approved_by, proposal.in_force) == (None, False)
    assert known_at([one], 20) == (one,)
    waiting = replace(one, approved_by=None, approved_at=None)
    assert known_at([waiting], 30) == (waiting,)
