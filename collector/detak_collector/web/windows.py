"""The windows of a timeline: a minute, an hour, a day, a week, a month or a year of the organisation's zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from detak_collector.downtime.periods import local_instant, midnight, next_month
from detak_collector.translation.language import Language, mark

ZOOM_WORDS = {
    "minute": mark("minute"), "hour": mark("hour"), "day": mark("day"), "week": mark("week"), "month": mark("month"),
    "year": mark("year"),
}  # fmt: skip
ZOOMS = tuple(ZOOM_WORDS)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
SHORTEST_MS = {"minute": MINUTE_MS, "hour": HOUR_MS}
_HOLDS_MS = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": 31 * DAY_MS}
_FORM = re.compile(r"(20\d\d)-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d))?)?")
_NAMES = {"minute": "%Y-%m-%dT%H:%M", "hour": "%Y-%m-%dT%H"}


@dataclass(frozen=True, slots=True)
class Tick:
    """A place of the axis in percent of its width. `minor`: left out where there is little room."""

    percent: float
    label: str
    minor: bool


@dataclass(frozen=True, slots=True)
class Window:
    """[begin, end) in UTC ms. `at` names it, `before` and `after` its neighbours, in local time."""

    zoom: str
    begin: int
    end: int
    at: str
    before: str
    after: str
    wall: datetime

    def ticks(self, language: Language, zone: ZoneInfo) -> tuple[Tick, ...]:
        """What is written along it."""
        return tuple(
            Tick(round(100 * (instant - self.begin) / (self.end - self.begin), 3), label, bool(index % 2))
            for index, (instant, label) in enumerate(self._marks(language, zone))
        )

    def _marks(self, language: Language, zone: ZoneInfo) -> list[tuple[int, str]]:
        wall, clock = self.wall, language.clock
        if self.zoom == "minute":
            return [(self.begin + step * 10_000, f"{wall:%H}{clock}{wall:%M}{clock}{step}0") for step in range(6)]
        if self.zoom == "hour":
            return [(self.begin + step * 600_000, f"{wall:%H}{clock}{step}0") for step in range(6)]
        if self.zoom == "day":
            hours = [wall + timedelta(hours=hour) for hour in range(0, 24, 3)]
            return [(local_instant(one, zone), f"{one:%H}{clock}00") for one in hours]
        if self.zoom == "year":
            firsts = [date(wall.year, month, 1) for month in range(1, 13)]
            return [(midnight(one, zone), language.short_month(one)) for one in firsts]
        step = 1 if self.zoom == "week" else 4
        first = wall.date()
        days = [first + timedelta(days=count) for count in range(0, 31, step)]
        return [(at, str(one.day)) for one in days if (at := midnight(one, zone)) < self.end]


def window(zoom: str, at: str, zone: ZoneInfo, now: int) -> Window | None:
    """The window that holds the local time `at` (`2026-11-24`, `2026-11-24T02`, `2026-11-24T02:14`), or now.

    None for no such time.
    """
    if zoom not in ZOOMS:
        return None
    wall = _wall(at) if at else datetime.fromtimestamp(now // 1_000, zone).replace(tzinfo=None)
    if wall is None:
        return None
    begin, before, end = _edges(zoom, wall)
    first, last = local_instant(begin, zone), local_instant(end, zone)
    last = max(last, first + SHORTEST_MS.get(zoom, 0))
    return Window(zoom, first, last, _name(zoom, begin), _name(zoom, before), _name(zoom, end), begin)


def _wall(at: str) -> datetime | None:
    """A wall clock's reading; None where there is no such."""
    form = _FORM.fullmatch(at)
    if form is None:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in form.groups())
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - it has no zone of its own
    except ValueError:
        return None


def _edges(zoom: str, wall: datetime) -> tuple[datetime, datetime, datetime]:
    """Where it begins on the wall clock, where the one before it does, and where it ends."""
    if zoom == "minute":
        begin = wall.replace(second=0, microsecond=0)
        return begin, begin - timedelta(minutes=1), begin + timedelta(minutes=1)
    if zoom == "hour":
        begin = wall.replace(minute=0, second=0, microsecond=0)
        return begin, begin - timedelta(hours=1), begin + timedelta(hours=1)
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if zoom == "day":
        return day, day - timedelta(days=1), day + timedelta(days=1)
    if zoom == "week":
        begin = day - timedelta(days=day.weekday())
        return begin, begin - timedelta(days=7), begin + timedelta(days=7)
    if zoom == "month":
        begin = day.replace(day=1)
        after = next_month(begin.date())
        return begin, (begin - timedelta(days=1)).replace(day=1), begin.replace(year=after.year, month=after.month)
    begin = day.replace(month=1, day=1)
    return begin, begin.replace(year=begin.year - 1), begin.replace(year=begin.year + 1)


def _name(zoom: str, wall: datetime) -> str:
    return wall.strftime(_NAMES.get(zoom, "%Y-%m-%d"))


def around(begin: int, end: int, zone: ZoneInfo) -> tuple[str, str]:
    """The zoom that shows [begin, end) (UTC ms) closest, and the name of the window in which it begins."""
    zoom = next((zoom for zoom, length in _HOLDS_MS.items() if end - begin <= length), "year")
    wall = datetime.fromtimestamp(begin // 1_000, zone).replace(tzinfo=None)
    return zoom, _name("minute", wall)
