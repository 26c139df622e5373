"""Calendars of service hours: weekly windows, seasons, single days, holiday tables. It lays out no hours."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from detak_collector.catalogue.dated import window
from detak_collector.catalogue.holiday_table import parse_holidays
from detak_collector.catalogue.moments import FIRST_YEAR, LAST_YEAR, Zone, day, zone_name
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Reading, Table, table
from detak_collector.catalogue.values import distinct, name, text, whole
from detak_collector.downtime.catalogue import ALWAYS_OPEN, Calendar, Holiday, Season, Week, Windows

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"

Beside = Callable[[str], str | None]
"""The text of a file that lies beside services.toml; None where there is none."""

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)", re.ASCII)


def read_calendar(entry: Table, zone: Zone, beside: Beside) -> Calendar | None:
    """A [[calendar]], in the organisation's zone unless it names its own."""
    before = len(entry.place.lines)
    key = entry.required("id", name)
    if key == ALWAYS_OPEN:
        entry.place.key("id").refuse("the name of hours without end; choose another", key)
    own_zone = entry.optional("timezone", zone_name)
    zone = Zone(ZoneInfo(own_zone)) if own_zone else zone
    weekly = entry.required("weekly", _weekly)
    exceptions = _exceptions(entry.tables("exceptions"))
    seasons = _seasons(entry.tables("seasons"), zone)
    file, holidays = entry.optional("holidays", _holidays(beside, key), (None, ()))
    none = entry.optional("joint_leave_none", distinct(whole(FIRST_YEAR, LAST_YEAR)), ())
    entry.finish()
    if len(entry.place.lines) > before or key is None or weekly is None:
        return None
    return Calendar(key, zone.rules, weekly, seasons, exceptions, file, holidays, none)


def _weekly(value: object, place: Place) -> Week | None:
    """Days, or ranges of days, and their windows; no day twice. A day that is not named is closed."""
    entry = table(value, place, 'a table such as { mon-fri = "07:30-17:00" }')
    if entry is None:
        return None
    week: dict[str, Windows] = {}
    for key in entry.content:
        days = _days(key)
        if not days:
            place.key(key).refuse(f"a day, or a range that runs forward, of {', '.join(DAYS)}", key)
        for twice in sorted(week.keys() & set(days), key=DAYS.index):
            place.key(key).say(f"{twice} has its windows already")
        week.update(dict.fromkeys(days, entry.required(key, windows, ())))
    return tuple(week.get(day, ()) for day in DAYS)


def _days(key: str) -> tuple[str, ...]:
    first, _, last = key.partition("-")
    if first not in DAYS or (last or first) not in DAYS or key.endswith("-"):
        return ()
    return DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]


def windows(value: object, place: Place) -> Windows | None:
    """One window or several, as minutes of the day, or "closed"; in order, apart, and none across midnight."""
    if value == CLOSED:
        return ()
    written = value if isinstance(value, list) and value else [value]
    found = [_window(one) for one in written]
    right = tuple(one for one in found if one is not None)
    if len(right) < len(found):
        place.refuse(
            'a window such as "07:30-17:00" that does not cross midnight, an array of them, or "closed"',
            written[found.index(None)],
        )
        return None
    if any(later[0] < earlier[1] for earlier, later in pairwise(right)):
        place.refuse("windows in order that do not overlap", value)
        return None
    return right


def _window(value: object) -> tuple[int, int] | None:
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    begin, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return (begin, end) if begin < end <= 24 * 60 else None


def _exceptions(entries: list[Table]) -> tuple[tuple[date, Windows], ...]:
    found: dict[date, Windows] = {}
    for entry in entries:
        when = entry.required("date", day)
        hours = entry.required("hours", windows, ())
        entry.finish()
        if when in found:
            entry.place.key("date").refuse("each day may have one exception", when)
        if when is not None:
            found[when] = hours
    return tuple(found.items())


def _seasons(entries: list[Table], zone: Zone) -> tuple[Season, ...]:
    found: list[tuple[Season, Place]] = []
    for entry in entries:
        for key in ("from", "until"):
            if entry.raw(key) is None:
                entry.place.key(key).refuse("required")
        since, until = window(entry, zone)
        weekly = entry.required("weekly", _weekly)
        entry.finish()
        if since is not None and until is not None and weekly is not None:
            found.append((Season(since, until, weekly), entry.place))
    found.sort(key=lambda one: (one[0].since, one[0].until))
    for (earlier, _), (later, place) in pairwise(found):
        if later.since < earlier.until:
            place.key("from").say(f"begins before the season that ends on {zone.said(earlier.until)}")
    return tuple(season for season, _ in found)


def _holidays(beside: Beside, calendar: str | None) -> Reading[tuple[str, tuple[Holiday, ...]]]:
    """The name of the table beside this file, and its rows."""

    def read(value: object, place: Place) -> tuple[str, tuple[Holiday, ...]] | None:
        called = text(value, place)
        if called is None:
            return None
        if "/" in called or called.startswith("."):
            place.refuse("the name of a file beside this one", value)
            return None
        content = beside(called)
        if content is None:
            mend = f"`detak-collector calendar fill {calendar} --year YEAR` makes it"
            place.refuse(f"a readable text file beside this one; {mend}", value)
            return None
        return called, parse_holidays(content, Place(called, place.lines))

    return read
