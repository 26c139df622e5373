"""Warnings where the figure is exactly at the limit, and a millisecond on either side; means over what is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.months import VARIANTS
from detak_collector.downtime.summary import achievement, colour, mean_of_months, months_of, never_reported, warnings
from downtime_cases import DAY, HOUR, facts, figures, group, service, stated

TARGET = Fraction(1, 10)
"""Percent: of 10,000 ms, ten."""


def totals(counted: int, certain: int | None = None, possible: int | None = None, unobserved: int = 0) -> Totals:
    least, most = counted if certain is None else certain, counted if possible is None else possible
    return Totals(counted, least, most, service_time_ms=10_000, unobserved_ms=unobserved)


def result(figure: Totals, **beside: Totals) -> Result:
    """A figure under a target of a tenth of a percent; what is not given beside it is the same."""
    plain = figures([service(group(["a/c"]))], facts({"a/c": stated("a/c", 0, HOUR)}), 0, HOUR)
    others = dict.fromkeys(VARIANTS, figure) | beside
    return replace(plain, figure=figure, beside=others, target_percent=TARGET)


@pytest.mark.parametrize(
    ("declared", "all_down", "warned"),
    [(11, 10, True), (11, 11, False), (10, 9, False), (10, 10, False), (20, 0, True)],
)
def test_a_target_is_between_two_readings_if_one_meets_it_and_the_other_misses(
    declared: int, all_down: int, warned: bool
) -> None:
    told = list(warnings(result(totals(declared), all_down=totals(all_down))))
    assert any("between the HA readings" in one for one in told) == warned


@pytest.mark.parametrize("worst", [10, 11])
def test_the_worst_member_may_be_the_reading_that_misses(worst: int) -> None:
    told = list(warnings(result(totals(0), worst_member=totals(worst))))
    assert any("between the HA readings" in one for one in told) == (worst > 10)


@pytest.mark.parametrize(
    ("certain", "possible", "unobserved", "warned"),
    [
        (10, 11, 0, True),
        (10, 10, 0, False),
        (11, 12, 0, False),
        (0, 20, 10, False),
        (0, 21, 10, True),
        (0, 5, 9, False),
    ],
)
def test_intervals_are_too_coarse_if_what_was_observed_does_not_decide_the_target(
    certain: int, possible: int, unobserved: int, warned: bool
) -> None:
    told = list(warnings(result(totals(10, certain, possible, unobserved))))
    assert any("too coarse" in one for one in told) == warned


def test_a_proof_that_only_the_watchdog_gives_is_warned_of() -> None:
    proven, unproven = totals(20, certain=11), totals(20, certain=10)
    assert any("watchdog" in one for one in warnings(result(proven, without_watchdog=unproven)))
    assert not any("watchdog" in one for one in warnings(result(proven)))


def test_without_a_figure_or_a_target_there_is_no_index_and_no_colour() -> None:
    assert achievement(None, TARGET) is None
    assert achievement(Fraction(1), Fraction(0)) is None
    assert colour(None) is None


def test_a_check_never_reported_if_no_month_and_no_service_saw_it() -> None:
    month = 31 * DAY
    known = facts(
        {
            "a/c": stated("a/c", 0, month + DAY),
            "b/c": stated("b/c", 0, month + DAY, unseen=[(0, month)]),
        }
    )
    services = [service(group(["a/c", "z/c"]), name="one"), service(group(["b/c", "x/c"]), name="two")]
    assert never_reported(figures(services, known, 0, month + DAY)) == ["x/c", "z/c"]


@pytest.mark.parametrize(("seen_in_february", "never"), [(True, []), (False, ["b/c"])])
def test_a_check_that_was_seen_in_any_month_has_reported(seen_in_february: bool, never: list[str]) -> None:
    """Months may be derived each from its own evidence alone: a check can be unseen in one and seen in the next."""
    end = 32 * DAY
    known = facts({check: stated(check, 0, end) for check in ("a/c", "b/c")})
    view = figures([service(group(["a/c", "b/c"]))], known, 0, end)
    (one,) = view.services
    january, february = (replace(month, unseen=("b/c",)) for month in one.months)
    months = (january, replace(february, unseen=() if seen_in_february else february.unseen))
    assert never_reported(replace(view, services=(replace(one, months=months),))) == never


def test_the_mean_of_months_is_over_those_that_have_a_figure() -> None:
    known = facts({"a/c": stated("a/c", 0, 60 * DAY, down=[(0, 31 * HOUR)])})
    strip = months_of(figures([service(group(["a/c"]))], known, 0, 60 * DAY))
    assert [month.name for month in strip] == ["1970-01", "1970-02", "1970-03"]
    assert [(month.begin, month.end) for month in strip] == [(0, 31 * DAY), (31 * DAY, 59 * DAY), (59 * DAY, 60 * DAY)]
    assert mean_of_months(strip) == Fraction(100 * 31, 31 * 24) / 3
    assert mean_of_months(()) is None


def test_a_period_of_which_nothing_is_over_has_no_months() -> None:
    known = facts({"a/c": stated("a/c", 0, DAY)})
    assert months_of(figures([service(group(["a/c"]))], known, DAY, DAY)) == ()
