"""Which period a summary is about: `yesterday`, `last-week`, `2026-W47` and all that a report knows. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

from detak_collector.downtime.periods import Period, PeriodError, midnight, parse_period

FORMS = (
    "yesterday, last-week, last-month, last-quarter, last-half, last-year, 2026-10-05, 2026-W41, 2026-10, 2026-Q3, "
    "2026-S1, 2026"
)
_WEEK = re.compile(r"([1-9]\d{3})-W(\d\d)")
_KINDS = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "daily"),
    (_WEEK, "weekly"),
    (re.compile(r"\d{4}-\d\d"), "monthly"),
    (re.compile(r"\d{4}-Q[1-4]"), "quarterly"),
    (re.compile(r"\d{4}-S[12]"), "half-yearly"),
    (re.compile(r"\d{4}"), "yearly"),
)


def summary_period(words: str, zone: tzinfo, now: int) -> Period:
    """The period that the words name, in whole local days; raises PeriodError."""
    name = _last(words, datetime.fromtimestamp(now // 1000, zone).date())
    week = _WEEK.fullmatch(name)
    if week is not None:
        return _week(name, int(week[1]), int(week[2]), zone)
    try:
        found = parse_period(name, zone, now)
        kind_of(found)
    except (PeriodError, KeyError):
        raise PeriodError(f"period: not one of {FORMS} (got {words!r})") from None
    return found


def kind_of(period: Period) -> str:
    """What kind of summary it is: `daily`, `weekly` and so on. Raises KeyError for a period of no such kind."""
    for form, kind in _KINDS:
        if form.fullmatch(period.name):
            return kind
    raise KeyError(period.name)


def _week(name: str, year: int, number: int, zone: tzinfo) -> Period:
    try:
        monday = date.fromisocalendar(year, number, 1)
    except ValueError:
        raise PeriodError(f"period: there is no such week (got {name!r})") from None
    return Period(name, midnight(monday, zone), midnight(monday + timedelta(days=7), zone))


def _last(words: str, today: date) -> str:
    """The name of the period that the words call the last one; any others as they are."""
    monday = (today - timedelta(days=today.weekday() + 7)).isocalendar()
    month, quarter, half = (_day_before_this(months, today) for months in (1, 3, 6))
    names = {
        "yesterday": (today - timedelta(days=1)).isoformat(),
        "last-week": f"{monday.year}-W{monday.week:02d}",
        "last-month": f"{month:%Y-%m}",
        "last-quarter": f"{quarter.year}-Q{(quarter.month + 2) // 3}",
        "last-half": f"{half.year}-S{(half.month + 5) // 6}",
        "last-year": str(today.year - 1),
    }
    return names.get(words, words)


def _day_before_this(months: int, today: date) -> date:
    """The last day before the running stretch of so many months, counted from January."""
    return date(today.year, today.month - (today.month - 1) % months, 1) - timedelta(days=1)
