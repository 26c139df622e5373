"""Periods in the organisation's zone: `2026`, `2026-S1`, `2026-Q3`, `2026-10`, `2026-10-05`, `2026-ytd`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS = re.compile(
    r"(?P<year>[1-9]\d{3})(?:-(?:S(?P<half>[12])|Q(?P<quarter>[1-4])|(?P<ytd>ytd)|(?P<month>\d\d)(?:-(?P<day>\d\d))?))?"
)


class PeriodError(ValueError):
    """Words that name no period."""


@dataclass(frozen=True, slots=True)
class Period:
    """[begin, end) in UTC milliseconds, and what people call it."""

    name: str
    begin: int
    end: int


def to_ms(moment: datetime) -> int:
    """A moment that knows its zone, as integer milliseconds UTC."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def midnight(day: date, zone: tzinfo) -> int:
    """The first instant of a local day."""
    return local_instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - a wall clock's reading


def local_instant(wall: datetime, zone: tzinfo) -> int:
    """When a local wall clock shows `wall` for the first time; where it never does, the end of the gap."""
    first, second = (to_ms(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first <= second:
        return first
    before, after = second, first  # a gap: the clocks are put forward somewhere between these two
    old = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    return after


def _offset(instant: int, zone: tzinfo) -> timedelta | None:
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(zone).utcoffset()


def parse_period(words: str, zone: tzinfo, now: int) -> Period:
    """The period that `words` name; raises PeriodError. `now` ends a `ytd`."""
    form = _FORMS.fullmatch(words)
    if form is None:
        raise PeriodError(f"period: not one of 2026, 2026-S1, 2026-Q3, 2026-10, 2026-10-05, 2026-ytd (got {words!r})")
    year = int(form["year"])
    try:
        if form["ytd"]:
            return Period(words, midnight(date(year, 1, 1), zone), min(now, midnight(date(year + 1, 1, 1), zone)))
        first, last = _dates(year, form)
    except (ValueError, OverflowError):
        raise PeriodError(f"period: there is no such date (got {words!r})") from None
    return Period(words, midnight(first, zone), midnight(last, zone))


def _dates(year: int, form: re.Match[str]) -> tuple[date, date]:
    if form["day"]:
        day = date(year, int(form["month"]), int(form["day"]))
        return day, day + timedelta(days=1)
    if form["month"]:
        first_day = date(year, int(form["month"]), 1)
        return first_day, next_month(first_day)
    first, months = 1, 12
    if form["half"]:
        first, months = 6 * int(form["half"]) - 5, 6
    elif form["quarter"]:
        first, months = 3 * int(form["quarter"]) - 2, 3
    begin = end = date(year, first, 1)
    for _ in range(months):
        end = next_month(end)
    return begin, end


def next_month(day: date) -> date:
    """The first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def local_year(instant: int, zone: tzinfo) -> int:
    """The calendar year of a local clock at `instant`."""
    return datetime.fromtimestamp(instant // 1000, zone).year


def year_begin(instant: int, zone: tzinfo) -> int:
    """The first instant of the local calendar year in which `instant` lies."""
    return midnight(date(local_year(instant, zone), 1, 1), zone)


def year_to_date(period: Period, zone: tzinfo) -> Period:
    """From 1 January of the year in which the period begins to the period's end."""
    return Period(f"{local_year(period.begin, zone)}-ytd", year_begin(period.begin, zone), period.end)


def is_year(period: Period, zone: tzinfo) -> bool:
    """Whether it is a calendar year, or one so far."""
    year = local_year(period.begin, zone)
    return period.name in {str(year), f"{year}-ytd"}


def months(begin: int, end: int, zone: tzinfo) -> Iterator[tuple[int, int]]:
    """The local calendar months, whole, that share time with [begin, end)."""
    local = datetime.fromtimestamp(begin // 1000, zone)
    first = date(local.year, local.month, 1)
    while (start := midnight(first, zone)) < end:
        after = next_month(first)
        yield start, midnight(after, zone)
        first = after


def days(begin: int, end: int, zone: tzinfo) -> Iterator[tuple[date, int, int]]:
    """The local days, whole, that share time with [begin, end)."""
    day = datetime.fromtimestamp(begin // 1000, zone).date()
    while (start := midnight(day, zone)) < end:
        after = day + timedelta(days=1)
        yield day, start, midnight(after, zone)
        day = after
