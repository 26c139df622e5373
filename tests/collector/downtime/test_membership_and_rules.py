"""A group whose members, rule and numbers change on dates, to the millisecond, and the choice of a lowest member."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.catalogue import Catalogue, Dated, Group, Member
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.groups import members_at, rule_at
from downtime_cases import DAY, HOUR, MINUTE, excluded, facts, figures, group, only, service, stated

NOON = 12 * HOUR
CATALOGUE = Catalogue(Dated.always("org"), "UTC", ())


def before_and_from(instant: int, before: str, after: str) -> Dated[str]:
    return Dated(((None, instant, before), (instant, None, after)))


def with_rule(one: Group, rule: Dated[str]) -> Group:
    return replace(one, rule=rule)


def known(**down: tuple[int, int]) -> Facts:
    """Checks `a/c` and so on, each down from one instant to another."""
    return facts({f"{name}/c": stated(f"{name}/c", 0, DAY, down=[where]) for name, where in down.items()})


def counted(one: Group, evidence: Facts, **rules: object) -> int:
    return only(figures([service(one)], evidence, 0, DAY, **rules)).totals.counted_ms


def test_a_member_is_one_from_its_first_instant_to_the_last_before_its_until() -> None:
    dated = replace(group(["a/c"]), members=(Member(("a/c",), since=5, until=9),))
    assert [instant for instant in range(12) if members_at(dated, instant)] == [5, 6, 7, 8]


def test_a_member_that_joins_or_leaves_counts_only_in_its_time() -> None:
    joins = replace(group([], "all_down"), members=(Member(("a/c",)), Member(("b/c",), since=NOON)))
    leaves = replace(group([], "all_down"), members=(Member(("a/c",)), Member(("b/c",), until=NOON)))
    evidence = known(a=(NOON - HOUR, NOON + 2 * HOUR), b=(DAY - 1, DAY))
    assert counted(joins, evidence) == HOUR
    assert counted(leaves, evidence) == 2 * HOUR


def test_a_group_none_of_whose_members_is_in_force_says_nothing_beside_another() -> None:
    gone = replace(group([]), members=(Member(("a/c",), until=NOON), Member(("a/c",), since=NOON + HOUR)))
    evidence = known(a=(NOON - HOUR, NOON + 2 * HOUR), b=(0, 0))
    result = only(figures([service(gone, group(["b/c"], name="other"))], evidence, 0, DAY))
    assert [(outage.begin, outage.end) for outage in result.outages] == [
        (NOON - HOUR, NOON),
        (NOON + HOUR, NOON + 2 * HOUR),
    ]
    assert (result.totals.unobserved_ms, result.totals.possible_ms) == (0, 2 * HOUR)


def test_a_rule_that_changes_does_so_on_the_instant() -> None:
    dated = with_rule(group(["a/c", "b/c"]), before_and_from(NOON, "any_down", "all_down"))
    assert counted(dated, known(a=(NOON - 1, NOON + HOUR), b=(DAY - 1, DAY))) == 1


def test_the_organisation_s_own_rule_may_change_as_well() -> None:
    ha = group(["a/c", "b/c"], "ha")
    rule = before_and_from(NOON, "all_down", "lowest_member")
    evidence = known(a=(NOON - HOUR, NOON + 3 * HOUR), b=(NOON - MINUTE, NOON + 4 * HOUR))
    assert counted(ha, evidence, ha_rule=rule) == MINUTE + 3 * HOUR
    assert counted(with_rule(ha, Dated.always("any_down")), evidence, ha_rule=rule) == 5 * HOUR


@pytest.mark.parametrize(("k", "down"), [(1, 2 * MINUTE), (2, 2 * HOUR), (3, 6 * HOUR)])
def test_k_of_n_is_down_while_fewer_than_k_members_are_up(k: int, down: int) -> None:
    three = group(["a/c", "b/c", "c/c"], "k_of_n", k=Dated.always(k))
    evidence = known(a=(0, 6 * HOUR), b=(HOUR, 3 * HOUR), c=(HOUR, HOUR + 2 * MINUTE))
    assert counted(three, evidence) == down


def test_k_may_change_on_a_date() -> None:
    k = Dated(((None, NOON, 1), (NOON, None, 2)))
    evidence = known(a=(NOON - HOUR, NOON + 2 * HOUR), b=(0, 0))
    assert counted(group(["a/c", "b/c"], "k_of_n", k=k), evidence) == 2 * HOUR


@pytest.mark.parametrize("rule", ["ha", "lowest_member", "all_down", "k_of_n", "any_down"])
def test_a_single_member_is_the_group_whatever_the_rule_says(rule: str) -> None:
    assert rule_at(group(["a/c"], rule, k=Dated.always(1)), CATALOGUE, 0, 1) == ("any_down", 1)


@pytest.mark.parametrize("rule", ["lowest_member", "all_down", "k_of_n"])
def test_another_reading_replaces_every_rule_but_any_down(rule: str) -> None:
    three = group(["a/c", "b/c", "c/c"], rule, k=Dated.always(2))
    assert rule_at(three, CATALOGUE, 0, 3, "all_down") == ("all_down", 3)
    assert rule_at(with_rule(three, Dated.always("any_down")), CATALOGUE, 0, 3, "all_down") == ("any_down", 1)


def test_time_that_was_not_observed_and_is_excluded_does_not_weigh_on_a_member() -> None:
    evidence = facts(
        {
            "a/c": stated("a/c", 0, DAY, unseen=[(2 * HOUR, 3 * HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(5 * HOUR, 5 * HOUR + MINUTE)]),
        }
    )
    pair = service(group(["a/c", "b/c"], "lowest_member"))
    assert only(figures([pair], evidence, 0, DAY)).totals.counted_ms == MINUTE
    planned = excluded(2 * HOUR, 3 * HOUR, check="a/c")
    assert only(figures([pair], evidence, 0, DAY, planned)).totals.counted_ms == 0


def test_the_lowest_member_is_the_one_that_is_lower_by_a_millisecond() -> None:
    pair = group(["a/c", "b/c"], "lowest_member")
    result = only(figures([service(pair)], known(a=(0, HOUR), b=(NOON, NOON + HOUR - 1)), 0, DAY))
    assert [(outage.begin, outage.end) for outage in result.outages] == [(NOON, NOON + HOUR - 1)]
    assert result.totals.certain_ms == result.totals.possible_ms == HOUR - 1


@pytest.mark.parametrize("unseen", [HOUR, HOUR - 1])
def test_a_member_that_may_have_been_as_low_as_an_earlier_one_never_stands_for_the_group(unseen: int) -> None:
    """The first is certain to be down for an hour: the second cannot be lower unless less than an hour is certain."""
    evidence = facts(
        {
            "a/c": stated("a/c", 0, DAY, down=[(0, HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(NOON, NOON + unseen)], unseen=[(20 * HOUR, 21 * HOUR)]),
        }
    )
    totals = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], evidence, 0, DAY)).totals
    assert totals.counted_ms == HOUR
    assert totals.certain_ms == unseen
    assert totals.possible_ms == (HOUR if unseen == HOUR else 2 * HOUR - 1)


def test_an_earlier_member_that_may_have_been_as_low_as_a_later_one_may_stand_for_the_group() -> None:
    evidence = facts(
        {
            "a/c": stated("a/c", 0, DAY, down=[(0, HOUR)], unseen=[(20 * HOUR, 21 * HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(NOON, NOON + HOUR)]),
        }
    )
    totals = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], evidence, 0, DAY)).totals
    assert (totals.certain_ms, totals.counted_ms, totals.possible_ms) == (HOUR, HOUR, 2 * HOUR)
