"""Service hours: calendars laid out in local civil time, day by day, and which of them are in force for a service.

It reads no table and no clock, and computes nothing where the joint leave of a year is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from detak_collector.downtime.catalogue import ALWAYS_OPEN, Calendar, Catalogue, Dated, Week, Windows
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.periods import EPOCH, local_instant, to_ms

UNKNOWN = (
    "calendar[{calendar}].holidays: {file} has no joint-leave rows for {year}; run `detak-collector calendar fill "
    "{calendar} --year {year}` and check them against the decree, or write joint_leave_none = [{year}] if it grants "
    "none"
)
Hours = Mapping[Dated[str], tuple[Intervals, ...]]
"""By what a service says of its hours: what they are in each of the cells that were asked for."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A year in which hours of a calendar rest on joint leave of which its table says nothing."""

    calendar: Calendar
    year: int

    @property
    def line(self) -> str:
        """What is wrong, where, and the command that mends it."""
        return UNKNOWN.format(**self.named)

    @property
    def named(self) -> dict[str, str]:
        """What stands in the braces of UNKNOWN."""
        return {"calendar": self.calendar.id, "file": self.calendar.holidays_file or "", "year": str(self.year)}


class JointLeaveUnknownError(Exception):
    """Hours that cannot be known: a figure that rests on them would be wrong."""

    def __init__(self, unknown: Iterable[Unknown]) -> None:
        self.unknown = tuple(unknown)
        self.lines = tuple(one.line for one in self.unknown)
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class Layout:
    """The hours of one calendar. `undecided` are those that joint leave, if it were known, might take away."""

    hours: Intervals
    undecided: Intervals


def hours_in_force(catalogue: Catalogue, cells: Sequence[Interval]) -> Hours:
    """The hours of all services in neighbouring cells, of which there is at least one."""
    asked = dict.fromkeys(service.hours for service in catalogue.services)
    begin, end = cells[0][0], cells[-1][1]
    laid = _laid_out(catalogue, begin, end)
    whole = {
        one: union(_entries(one, {key: layout.hours for key, layout in laid.items()}, begin, end)) for one in asked
    }
    return {one: tuple(hours.clip(*cell) for cell in cells) for one, hours in whole.items()}


def refuse_unknown(catalogue: Catalogue, cells: Sequence[Interval]) -> None:
    """Raises JointLeaveUnknownError where any hours are unknown in the cells, which are neighbours."""
    unknown = unknown_hours(catalogue, cells[0][0], cells[-1][1]) if cells else ()
    if unknown:
        raise JointLeaveUnknownError(unknown)


def unknown_hours(catalogue: Catalogue, begin: int, end: int) -> tuple[Unknown, ...]:
    """Each calendar and year for which the hours of some service in [begin, end) are unknown."""
    return _unknown(catalogue, _laid_out(catalogue, begin, end), begin, end)


def without_joint_leave(catalogue: Catalogue, unknown: Iterable[Unknown]) -> Catalogue:
    """The catalogue as if the unknown years had none: for what shows states and no figure."""
    years: dict[str, list[int]] = {}
    for one in unknown:
        years.setdefault(one.calendar.id, []).append(one.year)
    return replace(
        catalogue,
        calendars=tuple(
            replace(one, joint_leave_none=(*one.joint_leave_none, *years.get(one.id, ())))
            for one in catalogue.calendars
        ),
    )


def _laid_out(catalogue: Catalogue, begin: int, end: int) -> dict[str, Layout]:
    """Every calendar that a service uses, once."""
    used = {key for service in catalogue.services for _, _, key in service.hours.entries}
    laid = {one.id: lay_out(one, begin, end) for one in catalogue.calendars if one.id in used}
    return {ALWAYS_OPEN: Layout(Intervals.span(begin, end), EMPTY), **laid}


def _unknown(catalogue: Catalogue, laid: Mapping[str, Layout], begin: int, end: int) -> tuple[Unknown, ...]:
    undecided = {key: layout.undecided for key, layout in laid.items()}
    found: dict[Unknown, None] = {}
    for calendar in catalogue.calendars:
        alone = {calendar.id: undecided.get(calendar.id, EMPTY)}
        for hours in dict.fromkeys(service.hours for service in catalogue.services):
            for where in _entries(hours, alone, begin, end):
                found.update((Unknown(calendar, year), None) for year in _years(where, calendar.zone))
    return tuple(found)


def _years(where: Intervals, zone: tzinfo) -> Iterator[int]:
    return (_local(begin, zone).year for begin, _ in where)


def _entries(hours: Dated[str], sets: Mapping[str, Intervals], begin: int, end: int) -> Iterator[Intervals]:
    """Of the set that each entry names, the part in which the entry is in force."""
    for since, until, key in hours.entries:
        if key in sets:
            yield sets[key].clip(begin if since is None else since, end if until is None else until)


def lay_out(calendar: Calendar, begin: int, end: int) -> Layout:
    """The calendar's hours inside [begin, end)."""
    days = _Days.of(calendar)
    hours: list[Interval] = []
    undecided: list[Interval] = []
    for since, until, week in _weeks(calendar, begin, end):
        for day in _dates(since, until, calendar.zone):
            windows = Intervals.of(_instants(day, days.windows(day, week), calendar.zone)).clip(since, until)
            (hours if days.decided(day) else undecided).extend(windows)
    return Layout(Intervals.of(hours), Intervals.of(undecided))


@dataclass(frozen=True, slots=True)
class _Days:
    """What a calendar says of single days."""

    exceptions: Mapping[date, Windows]
    closed: frozenset[date]
    years: frozenset[int] | None

    @staticmethod
    def of(calendar: Calendar) -> _Days:
        joint_leave = {one.day.year for one in calendar.holidays if one.kind == "joint-leave"}
        return _Days(
            exceptions=dict(calendar.exceptions),
            closed=frozenset(one.day for one in calendar.holidays),
            years=None if calendar.holidays_file is None else frozenset(joint_leave.union(calendar.joint_leave_none)),
        )

    def windows(self, day: date, week: Week) -> Windows:
        if day in self.exceptions:
            return self.exceptions[day]
        return () if day in self.closed else week[day.weekday()]

    def decided(self, day: date) -> bool:
        """Whether no joint leave that is still unknown could close it."""
        return self.years is None or day.year in self.years or day in self.exceptions


def _weeks(calendar: Calendar, begin: int, end: int) -> Iterator[tuple[int, int, Week]]:
    """[begin, end) in pieces, each with the week in force. Seasons do not overlap."""
    seasons = [(Intervals.span(one.since, one.until).clip(begin, end), one.weekly) for one in calendar.seasons]
    usual = Intervals.span(begin, end) - union(where for where, _ in seasons)
    for where, week in ((usual, calendar.weekly), *seasons):
        yield from ((since, until, week) for since, until in where)


def _dates(begin: int, end: int, zone: tzinfo) -> Iterator[date]:
    """The local days of [begin, end) and their neighbours: clocks put back over midnight show two days in turn."""
    first, last = _local(begin, zone).toordinal() - 1, _local(end, zone).toordinal() + 1
    return (date.fromordinal(number) for number in range(max(first, 1), last + 1))


def _instants(day: date, windows: Windows, zone: tzinfo) -> Iterator[Interval]:
    """Windows open when the wall clock first shows their begin, and close when it last shows their end."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock's reading
    for begin, end in windows:
        opens, closes = midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
        yield local_instant(opens, zone), _last_instant(closes, zone)


def _last_instant(wall: datetime, zone: tzinfo) -> int:
    """When a local wall clock shows `wall` for the last time; where it never does, the end of the gap."""
    return max(local_instant(wall, zone), to_ms(wall.replace(tzinfo=zone, fold=1)))


def _local(instant: int, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
