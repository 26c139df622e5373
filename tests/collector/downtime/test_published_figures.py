"""The real figures and the HA cases of the downtime method, derived."""

from fractions import Fraction

import pytest

from detak_collector.downtime.figure import Totals
from downtime_cases import DAY, HOUR, MINUTE, excluded, facts, figures, group, only, service, stated

YEAR_2021 = 1_609_459_200_000
JANUARY_2024 = 1_704_067_200_000


def _minutes(*stretches: tuple[int, int]) -> list[tuple[int, int]]:
    return [(JUNE + begin * MINUTE, JUNE + end * MINUTE) for begin, end in stretches]


JUNE = 1_717_200_000_000  # 2024-06-01T00:00Z, a month of 30 days
END_OF_JUNE = JUNE + 30 * DAY
A_DAY = 24 * 60


def test_one_outage_of_four_minutes_over_six_services_is_the_directorate_of_taxes_figure_of_2021() -> None:
    services = [service(group([f"n{at}/c"]), name=f"s{at}") for at in range(6)]
    outage = (YEAR_2021 + 54 * DAY + 3 * HOUR, YEAR_2021 + 54 * DAY + 3 * HOUR + 4 * MINUTE)
    known = facts(
        {
            f"n{at}/c": stated(f"n{at}/c", YEAR_2021, YEAR_2021 + 365 * DAY, [outage] if at == 2 else [])
            for at in range(6)
        }
    )
    result = figures(services, known, YEAR_2021, YEAR_2021 + 365 * DAY)
    assert result.figure.percent == Fraction(100 * 4, 6 * 525_600)
    assert result.figure.coverage == 1


@pytest.mark.parametrize("services", [3, 4, 5, 6])
def test_three_hundred_minutes_in_january_2024_miss_the_target_over_three_to_six_services(services: int) -> None:
    outages = [(JANUARY_2024 + day * DAY, JANUARY_2024 + day * DAY + 50 * MINUTE) for day in range(1, 7)]
    known = facts(
        {
            f"n{at}/c": stated(
                f"n{at}/c",
                JANUARY_2024,
                JANUARY_2024 + 31 * DAY,
                [one for place, one in enumerate(outages) if place % services == at],
            )
            for at in range(services)
        }
    )
    catalogue = [service(group([f"n{at}/c"]), name=f"s{at}") for at in range(services)]
    result = figures(catalogue, known, JANUARY_2024, JANUARY_2024 + 31 * DAY)
    assert result.figure.counted_ms == 300 * MINUTE
    assert result.figure.percent == Fraction(100 * 300, services * 31 * A_DAY)
    assert result.figure.verdict(Fraction(1, 10)) == "missed"
    assert sum(len(one.outages) for one in result.services) == 6


HA_CASES = {
    "A 60 on the 3rd, B 45 on the 10th": (
        [(2 * A_DAY, 2 * A_DAY + 60)], [(9 * A_DAY, 9 * A_DAY + 45)], (45, 0, 60),
    ),
    "A and B overlap by half an hour": ([(600, 660)], [(630, 690)], (60, 30, 60)),
    "A 100; B 20 inside it and 200 the next day": (
        [(60, 160)], [(100, 120), (A_DAY, A_DAY + 200)], (100, 20, 220),
    ),
    "standby dead all month": ([(600, 620)], [(0, 30 * A_DAY)], (20, 20, 43_200)),
}  # fmt: skip


@pytest.mark.parametrize("case", HA_CASES)
@pytest.mark.parametrize("rule", ["lowest_member", "all_down", "worst_member"])
def test_the_cases_of_the_ha_table(case: str, rule: str) -> None:
    first, second, (lowest, all_down, worst) = HA_CASES[case]
    known = facts(
        {
            "a/c": stated("a/c", JUNE, END_OF_JUNE, _minutes(*first)),
            "b/c": stated("b/c", JUNE, END_OF_JUNE, _minutes(*second)),
        }
    )
    declared = "lowest_member" if rule == "worst_member" else rule
    one = only(figures([service(group(["a/c", "b/c"], declared))], known, JUNE, END_OF_JUNE))
    expected = {"lowest_member": lowest, "all_down": all_down, "worst_member": lowest}[rule]
    assert one.totals.counted_ms == expected * MINUTE
    assert one.beside["all_down"][0].counted_ms == all_down * MINUTE
    assert one.beside["worst_member"][0].counted_ms == worst * MINUTE


def test_planned_work_is_taken_out_before_the_lowest_member_is_chosen() -> None:
    known = facts(
        {
            "a/c": stated("a/c", JUNE, END_OF_JUNE, _minutes((600, 660))),
            "b/c": stated("b/c", JUNE, END_OF_JUNE, _minutes((A_DAY, A_DAY + 30))),
        }
    )
    planned = excluded(*_minutes((600, 650))[0], check="a/c")
    one = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], known, JUNE, END_OF_JUNE, planned))
    assert one.totals.counted_ms == 10 * MINUTE
    assert one.totals.gross_ms == 60 * MINUTE
    assert one.totals.excluded_ms is not None
    assert one.totals.excluded_ms["planned"] == 50 * MINUTE


def test_each_month_has_its_own_lowest_member() -> None:
    april, may, june, july = 1_711_929_600_000, 1_714_521_600_000, JUNE, END_OF_JUNE
    known = facts(
        {
            "a/c": stated("a/c", april, july, [(may, may + 90 * MINUTE)]),
            "b/c": stated("b/c", april, july, [(april, april + 60 * MINUTE), (june, june + 30 * MINUTE)]),
        }
    )
    one = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], known, april, july))
    assert one.totals.counted_ms == 0
    assert [month.begin for month in one.months] == [april, may, june]


def test_a_figure_without_service_time_has_no_verdict() -> None:
    assert Totals().verdict(Fraction(1, 10)) is None
    assert Totals().proof(Fraction(1, 10)) is None
