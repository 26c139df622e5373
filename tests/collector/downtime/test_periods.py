"""What a period's name means, to the millisecond, in zones ahead and behind and where clocks are put forward."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from detak_collector.downtime.periods import (
    Period,
    PeriodError,
    days,
    is_year,
    local_instant,
    local_year,
    midnight,
    months,
    next_month,
    parse_period,
    to_ms,
    year_to_date,
)

JAKARTA = ZoneInfo("Asia/Jakarta")
NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
NOW = to_ms(datetime(2026, 11, 24, 8, tzinfo=UTC))


def jakarta(day: str) -> int:
    return to_ms(datetime.fromisoformat(f"{day}T00:00:00+07:00"))


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-S1", "2026-01-01", "2026-07-01"),
        ("2026-S2", "2026-07-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-Q2", "2026-04-01", "2026-07-01"),
        ("2026-Q3", "2026-07-01", "2026-10-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-01", "2026-01-01", "2026-02-01"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-12-31", "2026-12-31", "2027-01-01"),
        ("2025-ytd", "2025-01-01", "2026-01-01"),
    ],
)
def test_a_name_means_local_days_from_the_first_to_the_one_before_the_end(name: str, begin: str, end: str) -> None:
    assert parse_period(name, JAKARTA, NOW) == Period(name, jakarta(begin), jakarta(end))


def test_the_year_so_far_ends_now() -> None:
    assert parse_period("2026-ytd", JAKARTA, NOW) == Period("2026-ytd", jakarta("2026-01-01"), NOW)


@pytest.mark.parametrize(
    "name", ["26", "2026-S3", "2026-Q5", "2026-1", "2026-10-5", "2026-10-05-01", "2026 ", "0001", "ytd"]
)
def test_words_that_name_no_period_are_refused_with_what_would(name: str) -> None:
    with pytest.raises(PeriodError, match="not one of 2026, 2026-S1"):
        parse_period(name, JAKARTA, NOW)


@pytest.mark.parametrize("name", ["2026-13", "2026-00", "2026-02-29", "9999", "9999-ytd"])
def test_dates_that_do_not_exist_are_refused(name: str) -> None:
    with pytest.raises(PeriodError, match="there is no such date"):
        parse_period(name, JAKARTA, NOW)


@pytest.mark.parametrize(("zone", "year"), [(JAKARTA, 2026), (NEW_YORK, 2025)])
def test_the_local_year_begins_at_local_midnight(zone: ZoneInfo, year: int) -> None:
    assert local_year(jakarta("2026-01-01"), zone) == year
    assert local_year(jakarta("2026-01-01") - 1, JAKARTA) == 2025


def test_a_year_to_date_begins_with_the_year_of_the_period_and_ends_with_the_period() -> None:
    october = parse_period("2026-10", JAKARTA, NOW)
    assert year_to_date(october, JAKARTA) == Period("2026-ytd", jakarta("2026-01-01"), jakarta("2026-11-01"))
    assert not is_year(october, JAKARTA)
    assert all(is_year(parse_period(name, JAKARTA, NOW), JAKARTA) for name in ("2026", "2026-ytd"))


@pytest.mark.parametrize("minute", range(60))
def test_a_wall_time_that_is_skipped_is_the_end_of_the_gap(minute: int) -> None:
    skipped = datetime(2026, 3, 8, 2, minute, 59, 999_000)  # noqa: DTZ001 - a wall clock's reading
    assert local_instant(skipped, NEW_YORK) == to_ms(datetime(2026, 3, 8, 7, tzinfo=UTC))


def test_a_wall_time_that_is_shown_twice_is_the_first_one() -> None:
    twice = datetime(2026, 11, 1, 1, 30)  # noqa: DTZ001 - a wall clock's reading
    assert local_instant(twice, NEW_YORK) == to_ms(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))


def test_a_day_that_a_zone_skipped_has_no_length() -> None:
    skipped = date(2011, 12, 30)
    assert midnight(skipped, APIA) == midnight(skipped + timedelta(days=1), APIA)
    assert midnight(skipped, APIA) == to_ms(datetime(2011, 12, 30, 10, tzinfo=UTC))


@pytest.mark.parametrize("zone", [JAKARTA, NEW_YORK, APIA], ids=str)
def test_months_and_days_are_whole_and_follow_each_other(zone: ZoneInfo) -> None:
    begin, end = (to_ms(datetime(year, 1, 1, tzinfo=zone)) for year in (2026, 2027))
    cells = list(months(begin + 1, end, zone))
    assert cells[0][0] == begin
    assert cells[-1][1] == end
    assert len(cells) == 12
    assert all(one[1] == other[0] for one, other in pairwise(cells))
    each = list(days(begin + 1, end, zone))
    assert [day for day, _, _ in each] == [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert each[0][1] == begin
    assert each[-1][2] == end
    assert all(one[2] == other[1] for one, other in pairwise(each))


def test_a_month_or_day_that_only_touches_a_stretch_is_none_of_its() -> None:
    begin, end = jakarta("2026-10-01"), jakarta("2026-11-01")
    assert list(months(begin, end, JAKARTA)) == [(begin, end)]
    assert [first for first, _ in months(begin - 1, end + 1, JAKARTA)] == [jakarta("2026-09-01"), begin, end]
    assert [day for day, _, _ in days(end - 1, end, JAKARTA)] == [date(2026, 10, 31)]
    assert [day for day, _, _ in days(end - 1, end + 1, JAKARTA)] == [date(2026, 10, 31), date(2026, 11, 1)]


def test_the_month_after_december_is_january() -> None:
    assert [next_month(date(2026, month, 15)) for month in (1, 11, 12)] == [
        date(2026, 2, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]
