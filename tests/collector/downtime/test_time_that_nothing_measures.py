"""Time in which no member and no probe of a service is in force, and who is said never to have reported."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Group, Member, Service
from detak_collector.downtime.days import days_of
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.periods import Period
from detak_collector.downtime.summary import never_reported, warnings
from downtime_cases import DAY, HOUR, MINUTE, UTC, excluded, facts, figures, group, only, service, stated

NOON = 12 * HOUR
EVERYTHING_UP = facts({f"{name}/c": stated(f"{name}/c", 0, DAY) for name in "abp"})


def dated(one: Group, *members: Member) -> Group:
    return replace(one, members=members)


def since(instant: int, check: str = "a/c") -> Member:
    return Member((check,), since=instant)


def until(instant: int, check: str = "a/c") -> Member:
    return Member((check,), until=instant)


def probed(*probes: Member, groups: tuple[Group, ...] = ()) -> Service:
    return replace(service(*groups), probes=probes)


LATE = dated(group([]), since(NOON))


def sums(one: Service, evidence: Facts = EVERYTHING_UP, *exclusions: object, **rules: object) -> tuple[int, int, int]:
    """Counted, possible, not observed."""
    totals = totals_of(one, evidence, *exclusions, **rules)
    assert totals.certain_ms <= totals.counted_ms
    return totals.counted_ms, totals.possible_ms, totals.unobserved_ms


def totals_of(one: Service, evidence: Facts, *exclusions: object, **rules: object) -> Totals:
    return only(figures([one], evidence, 0, DAY, *exclusions, **rules)).totals  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one",
    [
        service(LATE),
        service(dated(group([]), until(NOON))),
        service(dated(group([], "all_down"), since(NOON), since(NOON + HOUR, "b/c"))),
        service(dated(group([], "lowest_member"), since(NOON), since(NOON, "b/c"))),
        service(dated(group([]), until(HOUR)), dated(group([], name="h"), since(NOON + HOUR, "b/c"))),
        probed(since(NOON, "p/c")),
        probed(until(HOUR, "p/c"), since(NOON + HOUR, "p/c")),
        probed(until(HOUR, "p/c"), groups=(dated(group([]), since(NOON + HOUR)),)),
    ],
)
def test_time_in_which_nothing_measures_a_service_is_possible_and_not_observed(one: Service) -> None:
    assert sums(one) == (0, NOON, NOON)


def test_one_group_or_one_probe_in_force_is_enough() -> None:
    assert sums(service(LATE, group(["b/c"], name="other"))) == (0, 0, 0)
    assert sums(service(LATE, probes=["p/c"])) == (0, 0, 0)


def test_where_no_group_is_in_force_the_probes_speak_alone_as_in_a_service_without_groups() -> None:
    """What was not observed of them is not observed, and no guard is needed: there is no HA rule to guard against."""
    down, unseen = (HOUR, 2 * HOUR), (3 * HOUR, 3 * HOUR + MINUTE)
    evidence = facts({"a/c": stated("a/c", 0, DAY), "p/c": stated("p/c", 0, DAY, down=[down], unseen=[unseen])})
    alone = (HOUR, HOUR + MINUTE, MINUTE)
    unguarded = Dated.always(value=False)
    assert sums(service(probes=["p/c"]), evidence) == alone
    assert sums(service(LATE, probes=["p/c"]), evidence) == alone
    assert sums(service(LATE, probes=["p/c"], probe_guard=unguarded), evidence) == alone
    assert sums(service(group(["a/c"]), probes=["p/c"], probe_guard=unguarded), evidence) == (0, 0, 0)


def test_what_nothing_measured_is_possible_within_the_hours_and_outside_the_service_s_own_exclusions() -> None:
    """Like all time not observed, it stays so where it is excluded."""
    planned = excluded(NOON - HOUR, NOON + HOUR, service="s")
    elsewhere = excluded(0, DAY, check="a/c")
    assert sums(service(LATE), EVERYTHING_UP, planned, elsewhere) == (0, NOON - HOUR, NOON)


def test_an_outage_declared_in_it_counts_and_the_rest_stays_unknown() -> None:
    declared = Declaration("d", "down", "service", "s", HOUR, 2 * HOUR, "ND-1", "seen", "a", 0, "b", 0)
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(LATE),))
    case = Case(catalogue, UTC, EVERYTHING_UP, (), DAY, (declared,))
    totals = only(derive(case, Period("day", 0, DAY))).totals
    assert (totals.certain_ms, totals.counted_ms, totals.possible_ms) == (0, HOUR, NOON)
    assert totals.unobserved_ms == NOON - HOUR


def test_it_is_the_same_under_every_other_reading() -> None:
    pair = dated(group([], "lowest_member"), since(NOON), since(NOON, "b/c"))
    evidence = facts({"a/c": stated("a/c", 0, DAY, down=[(NOON, NOON + HOUR)]), "b/c": stated("b/c", 0, DAY)})
    result = only(figures([service(pair)], evidence, 0, DAY, excluded(0, HOUR, check="b/c")))
    expected = {"all_down": 0, "worst_member": HOUR, "without_exclusions": 0}
    for name, counted in expected.items():
        totals, _ = result.beside[name]
        assert (totals.counted_ms, totals.possible_ms, totals.unobserved_ms) == (counted, NOON + counted, NOON), name


def test_a_service_that_nothing_ever_measured_is_said_to_be_not_observed_at_all() -> None:
    result = figures([service(dated(group([]), since(DAY)))], EVERYTHING_UP, 0, DAY)
    assert list(warnings(result)) == ["service s was not observed at all"]
    assert result.figure.proof(result.target_percent) == "undecided"


def test_its_days_are_not_known_until_something_measures_it() -> None:
    """A day of which nothing was observed is drawn otherwise than one that was up."""
    evidence = facts({"a/c": stated("a/c", 0, 2 * DAY)})
    (month,) = figures([service(dated(group([]), since(DAY)))], evidence, 0, 2 * DAY).details
    days = days_of(month.accounts["s"], ZoneInfo("UTC"))
    assert [(day.known, day.unobserved_ms) for day in days] == [(False, DAY), (True, 0)]


def year(*members: Member, probes: tuple[Member, ...] = ()) -> Result:
    """January to March 1970, in which only b/c ever reported."""
    one = probed(*probes, groups=(dated(group([], "any_down"), *members, Member(("b/c",))),))
    return figures([one], facts({"b/c": stated("b/c", 0, 90 * DAY)}), 0, 90 * DAY)


FEBRUARY, MARCH = 31 * DAY, 59 * DAY


def test_a_member_or_probe_that_was_not_yet_or_no_longer_one_is_not_said_to_have_never_reported() -> None:
    result = year(Member(("a/c",)), Member(("gone/c",), until=0), since(90 * DAY, "next/c"), probes=(until(0, "p/c"),))
    assert never_reported(result) == ["a/c"]
    assert [month.unseen for month in only(result).months] == [("a/c",)] * 3


def test_a_member_that_came_in_a_later_month_or_left_in_an_earlier_one_and_never_reported_is_named() -> None:
    between = Member(("between/c",), FEBRUARY, MARCH)
    late, early, last = since(MARCH + 1, "late/c"), until(FEBRUARY, "early/c"), since(90 * DAY - 1, "p/c")
    result = year(late, between, early, probes=(last,))
    assert never_reported(result) == ["between/c", "early/c", "late/c", "p/c"]
    assert [month.unseen for month in only(result).months] == [("early/c",), ("between/c",), ("late/c", "p/c")]


def test_a_check_that_reported_in_one_month_of_its_membership_did_report() -> None:
    one = service(dated(group([]), since(FEBRUARY)))
    evidence = facts({"a/c": stated("a/c", MARCH + DAY, MARCH + 2 * DAY)})
    assert never_reported(figures([one], evidence, 0, 90 * DAY)) == []
