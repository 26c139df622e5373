"""What stands beside the figure: declarations, short outages, units, months, means, index, warnings."""

from __future__ import annotations

from fractions import Fraction

import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Exclusion, Service, Unit
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period
from detak_collector.downtime.summary import (
    achievement,
    colour,
    mean_of_months,
    mean_of_services,
    months_of,
    units_of,
    warnings,
)
from detak_collector.report.document import document
from downtime_cases import DAY, HOUR, MINUTE, UTC, excluded, facts, group, only, service, stated

APRIL, MAY, JUNE, JULY = 1_711_929_600_000, 1_714_521_600_000, 1_717_200_000_000, 1_719_792_000_000


def derived(
    services: list[Service], known: Facts, *exclusions: Exclusion, begin: int = JUNE, end: int = JULY,
    declarations: tuple[Declaration, ...] = (), **rules: object,
) -> Result:  # fmt: skip
    catalogue = Catalogue(Dated.always("org"), "UTC", tuple(services), **rules)  # type: ignore[arg-type]
    return derive(Case(catalogue, UTC, known, exclusions, end, declarations), Period("p", begin, end))


def declared(category: str, begin: int, end: int, approver: str | None = "b", **scope: str) -> Declaration:
    (kind, target), = scope.items()  # fmt: skip
    return Declaration("d", category, kind, target, begin, end, "BA-1", "seen by users", "a", 0, approver, 0)


def minutes(begin: int, end: int) -> tuple[int, int]:
    return JUNE + begin * MINUTE, JUNE + end * MINUTE


ONE = [service(group(["a/c"]))]


def test_a_declared_outage_counts_though_every_check_said_up_and_is_never_certain() -> None:
    known = facts({"a/c": stated("a/c", JUNE, JULY)})
    result = derived(ONE, known, declarations=(declared("down", *minutes(600, 630), service="s"),))
    assert result.figure.counted_ms == result.figure.possible_ms == 30 * MINUTE
    assert result.figure.certain_ms == 0
    (outage,) = only(result).outages
    assert outage.cause == "declared"
    assert document(result)["services"][0]["declared_down_ms"] == 30 * MINUTE


@pytest.mark.parametrize("approver", [None, "a"])
def test_a_declaration_needs_a_second_pair_of_eyes(approver: str | None) -> None:
    known = facts({"a/c": stated("a/c", JUNE, JULY)})
    declarations = (declared("down", *minutes(600, 630), approver, service="s"),)
    assert derived(ONE, known, declarations=declarations).figure.counted_ms == 0


def test_time_proved_up_leaves_possible_but_a_bad_sample_stands() -> None:
    known = facts({"a/c": stated("a/c", JUNE, JULY, down=[minutes(100, 110)], unseen=[minutes(110, 200)])})
    declarations = (declared("up", *minutes(0, 300), node="a"),)
    figure = derived(ONE, known, declarations=declarations).figure
    assert figure.counted_ms == figure.possible_ms == 10 * MINUTE
    assert figure.unobserved_ms == 0
    assert derived(ONE, known).figure.possible_ms == 100 * MINUTE


def test_outages_shorter_than_the_minimum_are_degraded_and_the_figure_without_the_rule_is_shown() -> None:
    known = facts({"a/c": stated("a/c", JUNE, JULY, down=[minutes(100, 104), minutes(200, 206)])})
    result = derived(ONE, known, minimum_outage_ms=Dated.always(5 * MINUTE))
    assert result.figure.counted_ms == 6 * MINUTE
    assert result.figure.degraded_ms == 4 * MINUTE
    assert result.beside["without_minimum"].counted_ms == 10 * MINUTE
    assert len(only(result).outages) == 1


def test_an_outage_over_the_turn_of_a_month_is_measured_whole() -> None:
    turn = [(JUNE - 4 * MINUTE, JUNE + 4 * MINUTE)]
    known = facts({"a/c": stated("a/c", MAY, JULY, down=turn)})
    for begin, end in ((JUNE, JULY), (MAY, JUNE), (JUNE, JUNE + DAY)):
        result = derived(ONE, known, begin=begin, end=end, minimum_outage_ms=Dated.always(6 * MINUTE))
        expected = 4 * MINUTE if end > JUNE else 0
        assert result.figure.counted_ms == expected, "what is over by the as-of is all that is known of it"


def test_months_add_up_to_the_period_and_their_mean_stands_beside_it() -> None:
    known = facts({"a/c": stated("a/c", APRIL, JULY, down=[(MAY, MAY + 90 * MINUTE), (JUNE - HOUR, JUNE + HOUR)])})
    result = derived(ONE, known, begin=APRIL, end=JULY)
    strip = months_of(result)
    assert [month.name for month in strip] == ["2024-04", "2024-05", "2024-06"]
    assert sum(month.totals.counted_ms for month in strip) == result.figure.counted_ms == 210 * MINUTE
    expected = (Fraction(100 * 150, 31 * 1440) + Fraction(100 * 60, 30 * 1440)) / 3
    assert mean_of_months(strip) == expected != result.figure.percent


def test_the_mean_of_services_is_not_the_ratio_of_sums_when_service_times_differ() -> None:
    half = Dated(((None, JUNE + 15 * DAY, "sangat kritis"), (JUNE + 15 * DAY, None, "kritis")))
    services = [service(group(["a/c"]), name="s"), service(group(["b/c"], name="h"), name="t", criticality=half)]
    known = facts({"a/c": stated("a/c", JUNE, JULY, down=[minutes(0, 60)]), "b/c": stated("b/c", JUNE, JULY)})
    result = derived(services, known)
    assert result.figure.percent == Fraction(100 * 60, 45 * 1440)
    assert mean_of_services(result) == Fraction(100 * 60, 30 * 1440) / 2


def test_a_unit_has_its_own_figure_and_target() -> None:
    services = [service(group(["a/c"]), name="s"), service(group(["b/c"]), name="t")]
    known = facts({"a/c": stated("a/c", JUNE, JULY, down=[minutes(0, 60)]), "b/c": stated("b/c", JUNE, JULY)})
    units = (Unit("u", "U", ("s",), Dated.always(Fraction(1))), Unit("v", "V", ("t",)))
    first, second = units_of(derived(services, known, units=units))
    assert (first.totals.counted_ms, first.target_percent) == (60 * MINUTE, Fraction(1))
    assert (second.totals.counted_ms, second.target_percent) == (0, Fraction(1, 10))


def test_the_figure_without_exclusions_and_with_the_timely_ones_stand_beside_it() -> None:
    known = facts({"a/c": stated("a/c", JUNE, JULY, down=[minutes(0, 60), minutes(600, 690)])})
    timely = excluded(*minutes(0, 60), service="s")
    late = Exclusion("y", "planned", "service", "s", *minutes(600, 690), "ND-2", "work", "a", JULY, "b", JULY)
    result = derived(ONE, known, timely, late)
    assert late.late
    assert not timely.late
    assert result.figure.counted_ms == 0
    assert result.beside["declared_beforehand"].counted_ms == 90 * MINUTE
    assert result.beside["without_exclusions"].counted_ms == 150 * MINUTE


@pytest.mark.parametrize(
    ("percent", "index", "band"),
    [
        (Fraction(0), 120, "green"), (Fraction(8, 100), 120, "green"), (Fraction(1, 10), 100, "green"),
        (Fraction(12, 100), 80, "yellow"), (Fraction(13, 100), 70, "red"), (Fraction(3, 10), -100, "red"),
    ],
)  # fmt: skip
def test_the_achievement_index_of_a_figure_that_should_be_low(percent: Fraction, index: int, band: str) -> None:
    assert achievement(percent, Fraction(1, 10)) == index
    assert colour(achievement(percent, Fraction(1, 10))) == band


def test_a_target_between_two_ha_readings_is_warned_of() -> None:
    pair = [service(group(["a/c", "b/c"], "lowest_member"))]
    known = facts(
        {
            "a/c": stated("a/c", JUNE, JULY, down=[minutes(0, 60)]),
            "b/c": stated("b/c", JUNE, JULY, down=[minutes(600, 660)]),
        }
    )
    assert any("HA readings" in warning for warning in warnings(derived(pair, known)))
    quiet = facts({check: stated(check, JUNE, JULY) for check in ("a/c", "b/c")})
    assert not list(warnings(derived(pair, quiet)))


@pytest.mark.parametrize("rule", ["all_down", "lowest_member"])
def test_a_pair_with_one_member_left_is_up_without_reserve(rule: str) -> None:
    pair = [service(group(["a/c", "b/c"], rule))]
    known = facts(
        {
            "a/c": stated("a/c", JUNE, JULY, down=[minutes(0, 60)]),
            "b/c": stated("b/c", JUNE, JULY, down=[minutes(40, 50)]),
        }
    )
    bare = document(derived(pair, known))["services"][0]["without_reserve_ms"]
    assert bare == 50 * MINUTE
