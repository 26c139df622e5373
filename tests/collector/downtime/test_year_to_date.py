"""The cumulative year is the sum since 1 January local, whatever period is asked for."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.periods import Period, is_year, midnight, parse_period
from detak_collector.downtime.summary import months_of, tally, with_year
from downtime_cases import HOUR, MINUTE, facts, group, service, stated

JAKARTA = ZoneInfo("Asia/Jakarta")
BEGIN, END = midnight(date(2023, 1, 1), JAKARTA), midnight(date(2025, 1, 1), JAKARTA)

downs = st.lists(
    st.tuples(st.integers(BEGIN // HOUR, END // HOUR - 2), st.integers(1, 90)), max_size=6
).map(lambda pairs: [(begin * HOUR, begin * HOUR + length * MINUTE) for begin, length in pairs])  # fmt: skip
firsts = st.integers(0, 23).map(lambda month: date(2023 + month // 12, month % 12 + 1, 1))


def derived(down: list[tuple[int, int]], period: Period, **rules: object) -> Result:
    catalogue = Catalogue(Dated.always("org"), "Asia/Jakarta", (service(group(["a/c"])),), **rules)  # type: ignore[arg-type]
    known = facts({"a/c": stated("a/c", BEGIN, END, down=down)})
    return derive(Case(catalogue, JAKARTA, known, (), END), period)


@given(downs, firsts, st.integers(1, 500))
@settings(max_examples=40, deadline=None)
def test_each_month_s_cumulative_figure_is_that_of_a_report_since_january(
    down: list[tuple[int, int]], first: date, days: int
) -> None:
    begin = midnight(first, JAKARTA)
    period = Period("p", begin, min(END, begin + days * 24 * HOUR))
    for month in months_of(with_year(derived(down, period))):
        january = midnight(date(int(month.name[:4]), 1, 1), JAKARTA)
        assert month.year_to_date == derived(down, Period("ytd", january, month.end)).figure


def test_a_year_is_its_own_year_to_date_and_nothing_is_derived_twice() -> None:
    result = derived([(BEGIN + HOUR, BEGIN + 2 * HOUR)], parse_period("2023", JAKARTA, END))
    assert with_year(result) is result
    totals = months_of(result)[-1].year_to_date
    assert totals is not None
    assert totals.percent == result.figure.percent


def test_without_the_year_a_part_of_it_has_no_cumulative_figure() -> None:
    assert [one.year_to_date for one in months_of(derived([], parse_period("2023-11", JAKARTA, END)))] == [None]


def test_a_month_that_nobody_watched_is_neither_met_nor_missed() -> None:
    catalogue = Catalogue(Dated.always("org"), "Asia/Jakarta", (service(group(["a/c"])),))
    watched = midnight(date(2023, 2, 1), JAKARTA)
    known = facts({"a/c": stated("a/c", watched, END)})
    result = derive(Case(catalogue, JAKARTA, known, (), END), parse_period("2023-S1", JAKARTA, END))
    assert [one.verdict for one in months_of(result)][:2] == ["not observed", "met"]


def test_a_year_so_far_ends_with_the_year() -> None:
    october = midnight(date(2023, 10, 5), JAKARTA)
    assert parse_period("2023-ytd", JAKARTA, october).end == october
    assert parse_period("2023-ytd", JAKARTA, END).end == midnight(date(2024, 1, 1), JAKARTA)


@pytest.mark.parametrize(
    ("words", "year"), [("2023", True), ("2023-ytd", True), ("2023-10", False), ("2023-S1", False)]
)
def test_which_periods_are_years(words: str, *, year: bool) -> None:
    assert is_year(parse_period(words, JAKARTA, END), JAKARTA) is year


def test_only_outages_that_cost_the_figure_something_are_tallied() -> None:
    down = [(BEGIN + at * HOUR, BEGIN + at * HOUR + 10 * MINUTE) for at in (1, 2, 40)]
    result = derived(down, parse_period("2023", JAKARTA, END), incident_gap_ms=Dated.always(HOUR))
    assert (tally(result).outages, tally(result).incidents) == (3, 2)
    assert tally(result.only("nobody")) == tally(result)
    assert tally(derived(down, parse_period("2024", JAKARTA, END))).outages == 0
    other = derived(down, parse_period("2023", JAKARTA, END), counted_criticality=("kritis",))
    assert tally(other).incidents == 0
    assert len(other.incidents) == 3


def test_of_a_service_that_counts_in_part_of_the_period_only_its_outages_then_are_tallied() -> None:
    half = Dated(((None, BEGIN + HOUR, "sangat kritis"), (BEGIN + HOUR, None, "kritis")))
    catalogue = Catalogue(Dated.always("org"), "Asia/Jakarta", (service(group(["a/c"]), criticality=half),))
    down = [(BEGIN, BEGIN + MINUTE), (BEGIN + HOUR, BEGIN + 2 * HOUR)]
    known = facts({"a/c": stated("a/c", BEGIN, END, down=down)})
    result = derive(Case(catalogue, JAKARTA, known, (), END), Period("p", BEGIN, END))
    assert tally(result).outages == 1
