"""The last instant of a period, and what touches its edges or only meets them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion
from detak_collector.downtime.derive import Result, cells_of, derive, evidence_cells, target_at
from detak_collector.downtime.difference import difference
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.history import Published, in_force
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.outages import outage_name
from detak_collector.downtime.periods import Period
from detak_collector.downtime.summary import tally
from downtime_cases import DAY, HOUR, UTC, excluded, facts, group, only, service, stated

PERIOD = Period("1970-01-01", 0, DAY)
KNOWN = facts({"a/c": stated("a/c", 0, 2 * DAY, down=[(HOUR, 2 * HOUR)])})

COUNTS = Dated.always("sangat kritis")


def case(*exclusions: Exclusion, as_of: int = 2 * DAY, criticality: Dated[str] = COUNTS) -> Case:
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["a/c"]), criticality=criticality),))
    return Case(catalogue, UTC, KNOWN, exclusions, as_of)


def derived(*exclusions: Exclusion, as_of: int = 2 * DAY, criticality: Dated[str] = COUNTS) -> Result:
    return derive(case(*exclusions, as_of=as_of, criticality=criticality), PERIOD)


@pytest.mark.parametrize(
    ("as_of", "end", "last", "running"),
    [(2 * DAY, DAY, DAY - 1, False), (DAY, DAY, DAY - 1, False), (DAY - 1, DAY - 1, DAY - 2, True), (0, 0, 0, True)],
)
def test_a_period_ends_with_its_last_instant_or_with_the_last_that_is_over(
    as_of: int, end: int, last: int, running: bool
) -> None:
    result = derived(as_of=as_of)
    assert (result.end, result.last, result.running) == (end, last, running)


@pytest.mark.parametrize(("change", "criticality"), [(DAY, "sangat kritis"), (DAY - 1, "low")])
def test_a_service_is_told_with_the_criticality_of_the_last_instant(change: int, criticality: str) -> None:
    dated = Dated(((None, change, "sangat kritis"), (change, None, "low")))
    assert only(derived(criticality=dated)).criticality == criticality


@pytest.mark.parametrize(("change", "target"), [(DAY, 1), (DAY - 1, 2)])
def test_the_target_is_that_of_the_last_instant(change: int, target: int) -> None:
    assert target_at(Dated(((None, change, Fraction(1)), (change, None, Fraction(2)))), 0, DAY) == target
    assert target_at(Dated(((0, None, Fraction(1)),)), 0, 0) == 1


def test_an_outage_that_is_excluded_whole_is_not_tallied() -> None:
    assert (tally(derived()).outages, tally(derived()).incidents) == (1, 1)
    planned = derived(excluded(HOUR, 2 * HOUR, check="a/c"))
    assert (tally(planned).outages, tally(planned).incidents) == (0, 0)
    all_but_one = derived(excluded(HOUR, 2 * HOUR - 1, check="a/c"))
    assert (tally(all_but_one).outages, tally(all_but_one).incidents) == (1, 1)


@pytest.mark.parametrize(
    ("window", "told"), [((DAY, DAY + 1), False), ((DAY - 1, DAY), True), ((-1, 0), False), ((-1, 1), True)]
)
def test_a_correction_belongs_to_a_difference_if_it_shares_time_with_the_period(window: Interval, told: bool) -> None:
    one = excluded(*window, check="a/c")
    assert difference(derived(), derived(one)).corrections == ((one,) if told else ())
    assert difference(derived(one), derived()).corrections == ((one,) if told else ())
    assert difference(derived(one), derived(one)).corrections == ()


def test_the_months_of_a_period_are_whole_but_for_what_is_not_over() -> None:
    month = 31 * DAY
    assert cells_of(case(as_of=99 * DAY), PERIOD) == ((0, month),)
    assert cells_of(case(as_of=DAY), Period("p", 0, month + 1)) == ((0, DAY),)
    assert cells_of(case(as_of=month + 1), Period("p", DAY, month + DAY)) == ((0, month), (month, month + 1))
    assert cells_of(case(as_of=0), PERIOD) == ()
    assert cells_of(case(as_of=DAY), Period("p", DAY, 2 * DAY)) == ()


def test_the_neighbours_of_a_month_bear_on_it_only_where_outages_have_a_minimum() -> None:
    january, february, march = (0, 31 * DAY), (31 * DAY, 59 * DAY), (59 * DAY, 90 * DAY)
    plain = case(as_of=90 * DAY)
    assert evidence_cells(plain, february) == (february,)
    with_minimum = replace(plain, catalogue=replace(plain.catalogue, minimum_outage_ms=Dated.always(1)))
    assert evidence_cells(with_minimum, february) == (january, february, march)
    over = replace(with_minimum, as_of=59 * DAY)
    assert evidence_cells(over, february) == (january, february)
    just_begun = replace(with_minimum, as_of=59 * DAY + 1)
    assert evidence_cells(just_begun, february) == (january, february, (59 * DAY, 59 * DAY + 1))


def test_nothing_comes_to_nothing() -> None:
    nothing = summed(())
    assert replace(nothing, excluded_ms=None) == Totals()
    assert set(dict(nothing.excluded_ms or {"": 1}).values()) == {0}


@pytest.mark.parametrize("unseen", [(2 * HOUR, 3 * HOUR), (0, HOUR)], ids=["after", "before"])
def test_what_is_possible_right_beside_an_outage_is_its_own_though_the_outage_is_excluded(unseen: Interval) -> None:
    known = facts({"a/c": stated("a/c", 0, DAY, down=[(HOUR, 2 * HOUR)], unseen=[unseen])})
    one = replace(case(excluded(HOUR, 2 * HOUR, check="a/c")), facts=known)
    (outage,) = only(derive(one, PERIOD)).outages
    assert (outage.counted_ms, outage.possible_ms) == (0, HOUR)


def test_an_outage_is_named_by_the_local_second_of_its_begin() -> None:
    moment = 1_790_000_000_999
    assert outage_name(moment, ZoneInfo("Asia/Jakarta")) == "20260921T211320"
    assert outage_name(moment + 1, UTC) == "20260921T141321"


@pytest.mark.parametrize(("target", "verdict"), [(None, None), (9, "missed"), (10, "met"), (11, "met")])
def test_a_published_figure_met_the_target_that_was_published_with_it(target: int | None, verdict: str | None) -> None:
    percent = None if target is None else Fraction(target, 100)
    assert Published(1, 2024, Fraction(10, 100), percent, "ND-1", "", "a", 0).verdict == verdict


def test_of_each_year_the_latest_entry_made_by_then_is_in_force() -> None:
    def entry(number: int, year: int, entered_at: int) -> Published:
        return Published(number, year, Fraction(number), None, "ND-1", "", "a", entered_at)

    entries = [entry(3, 2024, 30), entry(1, 2024, 10), entry(2, 2021, 20)]
    assert [[one.id for one in in_force(entries, moment)] for moment in (9, 10, 20, 29, 30)] == [
        [],
        [1],
        [2, 1],
        [2, 1],
        [2, 3],
    ]
