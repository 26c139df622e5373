"""Numbers, lengths and instants as people read them."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.web.present import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    LocalTime,
    format_coverage,
    format_days,
    format_duration_ms,
    format_instant,
    format_iso,
    format_minutes,
    format_percent,
    format_target,
)

JAKARTA = ZoneInfo("Asia/Jakarta")


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("percent", "shown"),
    [
        (Fraction(4 * 100, 6 * 525_600), "0.0001 %"),
        (Fraction(5, 100_000), "0.0001 %"),
        (Fraction(4_999_999, 100_000_000_000), "0.0000 %"),
        (Fraction(1, 10), "0.1000 %"),
        (Fraction(100), "100.0000 %"),
        (Fraction(12_345), "12,345.0000 %"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_percentage_has_four_decimals_rounded_half_up(percent: Fraction | None, shown: str) -> None:
    assert format_percent(percent) == shown


@given(st.fractions(min_value=0, max_value=100))
def test_a_percentage_is_rounded_from_its_exact_value(percent: Fraction) -> None:
    with localcontext(prec=400):
        exact = Decimal(percent.numerator * 10**300 // percent.denominator).scaleb(-300)
        expected = exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert format_percent(percent) == f"{expected} %"


def test_a_target_is_written_without_idle_zeros() -> None:
    assert format_target(Fraction(1, 10)) == "0.1 %"
    assert format_target(Fraction(5)) == "5 %"


def test_coverage_says_100_only_where_nothing_is_missing() -> None:
    assert format_coverage(Fraction(1)) == "100 %"
    assert format_coverage(Fraction(999_999, 1_000_000)) == "99.99 %"
    assert format_coverage(Fraction(0)) == "0.00 %"
    assert format_coverage(None) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (1, "under 1 s"),
        (999, "under 1 s"),
        (59_999, "59 s"),
        (12 * MINUTE_MS + 3_999, "12 min 03 s"),
        (5 * HOUR_MS + 7 * MINUTE_MS, "5 h 07 min"),
        (DAY_MS - 1, "23 h 59 min"),
        (3 * DAY_MS + 4 * HOUR_MS, "3 d 4 h"),
        (1_234 * DAY_MS, "1,234 d 0 h"),
    ],
)
def test_a_length_is_said_in_its_two_largest_units(length: int, shown: str) -> None:
    assert format_duration_ms(length) == shown


def test_minutes_have_one_decimal_rounded_half_up() -> None:
    assert format_minutes(39 * MINUTE_MS + 57_000) == "40.0 min"
    assert format_minutes(39 * MINUTE_MS + 56_999) == "39.9 min"
    assert format_minutes(1_576_800 * MINUTE_MS) == "1,576,800.0 min"


def test_an_instant_in_full_names_its_zone() -> None:
    assert format_instant(utc(2026, 11, 23, 19, 14, 5), JAKARTA) == "Tue 24 Nov 2026, 02:14:05 WIB"
    assert format_instant(utc(2026, 7, 1), ZoneInfo("America/Sao_Paulo")) == "Tue 30 Jun 2026, 21:00:00 UTC-03"
    assert format_instant(utc(2026, 7, 1), ZoneInfo("Asia/Kathmandu")) == "Wed 1 Jul 2026, 05:45:00 UTC+05:45"


def test_a_brief_instant_leaves_out_what_today_makes_plain() -> None:
    local = LocalTime(JAKARTA, utc(2026, 11, 23, 19, 26))
    assert local.brief(utc(2026, 11, 23, 17, 0)) == "00:00"
    assert local.brief(utc(2026, 11, 23, 16, 59)) == "23 Nov, 23:59"
    assert local.brief(utc(2025, 12, 31, 16, 59)) == "31 Dec 2025, 23:59"
    assert local.exact(utc(2026, 11, 23, 16, 59, 7)) == "23 Nov, 23:59:07"
    assert local.exact_end(utc(2026, 11, 1, 1), utc(2026, 11, 1, 2)) == "09:00:00"
    assert local.exact_end(utc(2026, 11, 1, 1), utc(2026, 11, 2, 2)) == "2 Nov, 09:00:00"


def test_a_range_of_days_names_a_single_day_once() -> None:
    assert format_days("2026-11-24", "2026-11-24") == "Tue 24 Nov 2026"
    assert format_days("2026-11-01", "2026-11-24") == "Sun 1 Nov 2026 \N{EN DASH} Tue 24 Nov 2026"


def test_machines_read_utc_with_milliseconds() -> None:
    assert format_iso(utc(2026, 11, 23, 19, 14, 5) + 7) == "2026-11-23T19:14:05.007Z"


@pytest.mark.parametrize("instant", [-1, 2**53 - 1, -(2**53)])
def test_an_instant_that_no_calendar_names_is_shown_at_the_calendar_s_edge(instant: int) -> None:
    assert format_iso(instant)[:4] in {"1970", "9999"}
    assert LocalTime(JAKARTA, utc(2026, 11, 24)).brief(instant)
    assert format_instant(instant, JAKARTA)
