"""The windows of planned work and maintenance: what recurs laid out, by month and in a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from detak_collector.decisions.corrections import is_drill, windows_of
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Exclusion
from detak_collector.downtime.periods import midnight, next_month
from detak_collector.report.numbers import iso_utc, moment_of

MAINTENANCE = ("planned", "preventive")
MOST_IN_A_DAY = 4
DAYS_AHEAD = 92
AT_ONCE = 100
FIRST_YEAR, LAST_YEAR = 1971, 2999


@dataclass(frozen=True, slots=True)
class Planned:
    """One window. `approved`: it is in force, not only proposed."""

    one: Exclusion
    approved: bool
    drill: bool

    @property
    def name(self) -> str:
        """Of its exclusion."""
        return self.one.id


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a month's grid. `more`: how many windows are not shown."""

    date: date
    is_of_month: bool
    is_today: bool
    shown: tuple[Planned, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month in weeks from Monday on, with its neighbours as `2026-11`."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]
    before: str
    after: str

    @property
    def name(self) -> str:
        """As `2026-12`."""
        return f"{self.first:%Y-%m}"


def shown_in_calendars(register: Register) -> Iterator[Matter]:
    """The proposals of planned work and maintenance that are in force or pending."""
    for matter in register.about("exclusion"):
        record = matter.proposal.body.record or {}
        if matter.live and not matter.is_withdrawal and record.get("category") in MAINTENANCE:
            yield matter


def planned_between(register: Register, begin: int, end: int) -> list[Planned]:
    """The windows that share time with [begin, end), in order."""
    found = [
        Planned(one, matter.state is State.IN_FORCE, is_drill(matter))
        for matter in shown_in_calendars(register)
        for one in windows_of(matter, end)
        if isinstance(one, Exclusion) and one.begin < end and begin < one.end
    ]
    return sorted(found, key=lambda planned: (planned.one.begin, planned.name))


def first_of_month(written: str, zone: ZoneInfo, now: int) -> date | None:
    """The month that `2026-12` names, or the running one; None where there is no such."""
    if not written:
        return moment_of(now, zone).date().replace(day=1)
    year, _, month = written.partition("-")
    is_form = len(written) == 7 and year.isdigit() and month.isdigit() and written.isascii()
    if not is_form or not FIRST_YEAR <= int(year) <= LAST_YEAR or not 1 <= int(month) <= 12:
        return None
    return date(int(year), int(month), 1)


def edges(first: date, zone: ZoneInfo) -> tuple[int, int]:
    """From the Monday before a month to the Sunday after it, in UTC ms."""
    begin = first - timedelta(days=first.weekday())
    last = next_month(first)
    return midnight(begin, zone), midnight(last + timedelta(days=-last.weekday() % 7), zone)


def month_of(first: date, planned: Sequence[Planned], zone: ZoneInfo, now: int) -> Month:
    """The grid of a month, of the windows between its edges."""
    begin, end = edges(first, zone)
    day, last = moment_of(begin, zone).date(), moment_of(end, zone).date()
    days: list[Day] = []
    while day < last:
        days.append(_day(day, first, planned, zone, now))
        day += timedelta(days=1)
    weeks = tuple(tuple(days[at : at + 7]) for at in range(0, len(days), 7))
    return Month(first, weeks, f"{first - timedelta(days=1):%Y-%m}", f"{next_month(first):%Y-%m}")


def window_json(planned: Planned) -> Mapping[str, object]:
    """A window as the API tells it."""
    one = planned.one
    return {
        "id": one.id,
        "window": one.window,
        "category": one.category,
        "scope": {one.scope_kind: one.scope or True},
        "from": iso_utc(one.begin),
        "to": iso_utc(one.end),
        "document": one.document,
        "reason": one.reason,
        "approved": planned.approved,
        "drill": planned.drill,
    }


def _day(day: date, first: date, planned: Sequence[Planned], zone: ZoneInfo, now: int) -> Day:
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    there = [one for one in planned if one.one.begin < end and begin < one.one.end]
    is_of_month = (day.year, day.month) == (first.year, first.month)
    return Day(day, is_of_month, begin <= now < end, tuple(there[:MOST_IN_A_DAY]), max(0, len(there) - MOST_IN_A_DAY))
