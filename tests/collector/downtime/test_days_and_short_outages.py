"""Months cut into local days, outages too short to count, and the time in which a service enters the figure."""

from __future__ import annotations

import pytest

from detak_collector.downtime.accounts import Account
from detak_collector.downtime.assess import counting, counts_at, without_short
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.days import DayTotals, days_of
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.triple import Triple
from downtime_cases import DAY, HOUR, UTC, service


def span(begin: int, end: int) -> Intervals:
    return Intervals.span(begin, end)


def account(begin: int, end: int, counted: Intervals = EMPTY, **more: object) -> Account:
    """A service that never closes, surely down where it is counted."""
    down, whole = Triple(counted, counted, counted), span(begin, end)
    sets: dict[str, object] = {"left": {}, "unobserved": EMPTY, "presumed": EMPTY, "degraded": EMPTY, **more}
    return Account(begin, end, whole, whole, down, down, variants=((counted, counted),), **sets)  # type: ignore[arg-type]


def test_the_local_days_of_an_account_tell_each_millisecond_once() -> None:
    """Down over midnight, excluded, outside hours, not observed and slow: what is down or gone is not slow too."""
    one = account(
        HOUR,
        2 * DAY - HOUR,
        span(DAY - HOUR, DAY + 2 * HOUR),
        left={"planned": span(2 * HOUR, 3 * HOUR), "outside_hours": span(3 * HOUR, 4 * HOUR)},
        unobserved=span(2 * HOUR + 1, 3 * HOUR + 5),
        degraded=Intervals.of([(HOUR, 5 * HOUR), (DAY, DAY + 3 * HOUR)]),
    )
    assert days_of(one, UTC) == (
        DayTotals("1970-01-01", 23 * HOUR, HOUR, HOUR, 5, 3 * HOUR - 5, known=True),
        DayTotals("1970-01-02", 23 * HOUR, 2 * HOUR, 0, 0, HOUR, known=True),
    )


@pytest.mark.parametrize(("unseen_until", "known"), [(DAY, False), (DAY - 1, True)])
def test_a_day_is_known_if_a_millisecond_of_its_hours_was_observed(unseen_until: int, known: bool) -> None:
    (day,) = days_of(account(0, DAY, unobserved=span(0, unseen_until)), UTC)
    assert (day.known, day.unobserved_ms) == (known, unseen_until)


def test_a_single_millisecond_is_a_day_of_its_own() -> None:
    assert [day.date for day in days_of(account(DAY - 1, DAY + 1), UTC)] == ["1970-01-01", "1970-01-02"]


MINIMUM = Dated.always(10)


def test_an_outage_of_exactly_the_minimum_counts_and_one_a_millisecond_shorter_is_degraded() -> None:
    counted = Intervals.of([(10, 20), (30, 39)])
    kept = without_short([account(0, 100, counted)], 0, MINIMUM)
    assert kept.gross.counted == kept.net.counted == span(10, 20)
    assert kept.degraded == span(30, 39)
    assert kept.net.possible == counted, "it may have been longer"


def test_an_outage_over_the_turn_of_a_month_is_measured_whole() -> None:
    months = [account(0, 50, span(45, 50)), account(50, 100, span(50, 55)), account(100, 150)]
    assert without_short(months, 0, MINIMUM).net.counted == span(45, 50)
    assert without_short(months, 1, MINIMUM).net.counted == span(50, 55)
    assert without_short(months[1:], 0, MINIMUM).net.counted == EMPTY


def test_the_minimum_in_force_is_that_of_the_outage_s_begin() -> None:
    minimum = Dated(((None, 50, 0), (50, None, 10)))
    counted = Intervals.of([(49, 51), (60, 62)])
    assert without_short([account(0, 100, counted)], 0, minimum).net.counted == span(49, 51)


def test_without_a_minimum_the_account_is_the_same() -> None:
    one = account(0, 100, span(1, 2))
    assert without_short([one], 0, Dated.always(0)) is one


def test_a_service_enters_the_figure_while_its_criticality_counts() -> None:
    catalogue = Catalogue(Dated.always("org"), "UTC", (), counted_criticality=("high",))
    dated = service(criticality=Dated(((None, 10, "low"), (10, 20, "high"), (20, None, "low"))))
    assert counting(catalogue, dated, (0, 100)) == span(10, 20)
    assert counting(catalogue, dated, (12, 15)) == span(12, 15)
    assert [counts_at(catalogue, dated, instant) for instant in (9, 10, 19, 20)] == [False, True, True, False]
    always = service(criticality=Dated.always("high"))
    assert counting(catalogue, always, (3, 7)) == span(3, 7)
