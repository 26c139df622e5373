"""Service hours the slow and obvious way: every minute is asked whether it is open. Shares no code with the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from detak_collector.downtime.catalogue import Calendar, Week, Windows

MINUTE = 60_000
MARGIN = 3 * 24 * 60 * MINUTE


@dataclass
class WallClock:
    """What a wall clock shows at each minute from `begin` to `end` and some days around."""

    zone: tzinfo
    begin: int
    end: int
    shown: list[tuple[int, datetime]] = field(init=False)
    when: dict[datetime, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        minutes = range(self.begin - MARGIN, self.end + MARGIN, MINUTE)
        self.shown = [(t, datetime.fromtimestamp(t / 1000, self.zone).replace(tzinfo=None)) for t in minutes]
        self.when = {}
        for t, wall in self.shown:
            self.when.setdefault(wall, []).append(t)

    def first(self, wall: datetime) -> int:
        return self.when[wall][0] if wall in self.when else self._after(wall)

    def last(self, wall: datetime) -> int:
        return self.when[wall][-1] if wall in self.when else self._after(wall)

    def _after(self, wall: datetime) -> int:
        return next(t for t, shown in self.shown if shown > wall)


def open_minutes(calendar: Calendar, begin: int, end: int) -> set[int]:
    """The first millisecond of every minute in [begin, end) in which the calendar is open."""
    clock = WallClock(calendar.zone, begin, end)
    spans: dict[tuple[date, tuple[int, int]], tuple[int, int]] = {}
    found = set()
    for t in range(begin, end, MINUTE):
        today = datetime.fromtimestamp(t / 1000, calendar.zone).date()
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            for window in _windows(calendar, day, _week(calendar, t)):
                if (day, window) not in spans:
                    opens, closes = _walls(day, window)
                    spans[day, window] = clock.first(opens), clock.last(closes)
                opened, closed = spans[day, window]
                if opened <= t < closed:
                    found.add(t)
    return found


def _walls(day: date, window: tuple[int, int]) -> Iterator[datetime]:
    for minute in window:
        yield datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - a wall clock


def _week(calendar: Calendar, t: int) -> Week:
    for season in calendar.seasons:
        if season.since <= t < season.until:
            return season.weekly
    return calendar.weekly


def _windows(calendar: Calendar, day: date, week: Week) -> Windows:
    for exception, windows in calendar.exceptions:
        if exception == day:
            return windows
    if any(holiday.day == day for holiday in calendar.holidays):
        return ()
    return week[day.weekday()]
