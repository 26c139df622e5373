"""Calendars of service hours: weekly windows, seasons, single days, holiday tables. Checked here, in force later."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from detak_collector.catalogue.dated import window
from detak_collector.catalogue.moments import FIRST_YEAR, LAST_YEAR, Zone, day, zone_name
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Reading, Table, table
from detak_collector.catalogue.values import distinct, name, one_of, text, whole
from detak_collector.downtime.catalogue import ALWAYS_OPEN

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
HOLIDAY_COLUMNS = ["date", "name", "kind", "decree"]
HOLIDAY_KINDS = ("national", "joint-leave")

Beside = Callable[[str], str | None]
"""The text of a file that lies beside services.toml; None where there is none."""

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)", re.ASCII)


def refuse_calendar(entry: Table, zone: Zone, beside: Beside) -> None:
    """A [[calendar]]."""
    before = len(entry.place.lines)
    key = entry.required("id", name)
    if key == ALWAYS_OPEN:
        entry.place.key("id").refuse("the name of hours without end; choose another", key)
    own_zone = entry.optional("timezone", zone_name)
    zone = Zone(ZoneInfo(own_zone)) if own_zone else zone
    entry.required("weekly", _weekly)
    _exceptions(entry.tables("exceptions"))
    _seasons(entry.tables("seasons"), zone)
    entry.optional("holidays", _holidays(beside))
    entry.optional("joint_leave_none", distinct(whole(FIRST_YEAR, LAST_YEAR)))
    entry.finish()
    if len(entry.place.lines) == before:
        entry.place.not_yet("calendar", entry.content)


def _weekly(value: object, place: Place) -> bool | None:
    """Days, or ranges of days, and their windows; no day twice."""
    entry = table(value, place, 'a table such as { mon-fri = "07:30-17:00" }')
    if entry is None:
        return None
    taken: set[str] = set()
    for key in entry.content:
        days = _days(key)
        if not days:
            place.key(key).refuse(f"a day, or a range that runs forward, of {', '.join(DAYS)}", key)
        for twice in sorted(taken.intersection(days), key=DAYS.index):
            place.key(key).say(f"{twice} has its windows already")
        taken.update(days)
        entry.required(key, windows)
    return True


def _days(key: str) -> tuple[str, ...]:
    first, _, last = key.partition("-")
    if first not in DAYS or (last or first) not in DAYS or key.endswith("-"):
        return ()
    return DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]


def windows(value: object, place: Place) -> tuple[tuple[int, int], ...] | None:
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


def _exceptions(entries: list[Table]) -> None:
    taken: set[date] = set()
    for entry in entries:
        when = entry.required("date", day)
        if when in taken:
            entry.place.key("date").refuse("each day may have one exception", when)
        if when is not None:
            taken.add(when)
        entry.required("hours", windows)
        entry.finish()


def _seasons(entries: list[Table], zone: Zone) -> None:
    begins: list[tuple[int, int, Place]] = []
    for entry in entries:
        for key in ("from", "until"):
            if entry.raw(key) is None:
                entry.place.key(key).refuse("required")
        since, until = window(entry, zone)
        entry.required("weekly", _weekly)
        entry.finish()
        if since is not None and until is not None:
            begins.append((since, until, entry.place))
    for earlier, later in pairwise(sorted(begins, key=lambda season: season[:2])):
        if later[0] < earlier[1]:
            later[2].key("from").say(f"begins before the season that ends on {zone.said(earlier[1])}")


def _holidays(beside: Beside) -> Reading[str]:
    def read(value: object, place: Place) -> str | None:
        called = text(value, place)
        if called is None:
            return None
        if "/" in called or called.startswith("."):
            place.refuse("the name of a file beside this one", value)
            return None
        content = beside(called)
        if content is None:
            place.refuse("a readable text file beside this one", value)
            return None
        _check_holidays(content, Place(called, place.lines))
        return called

    return read


def _check_holidays(content: str, file: Place) -> None:
    rows = csv.reader(content.splitlines())
    if next(rows, None) != HOLIDAY_COLUMNS:
        file.say(f"the first line must be {','.join(HOLIDAY_COLUMNS)}")
        return
    for row in rows:
        at = Place(f"{file.file}:{rows.line_num}", file.lines)
        if len(row) != len(HOLIDAY_COLUMNS):
            at.say(f"needs {len(HOLIDAY_COLUMNS)} values, as its first line says, but has {len(row)}")
            continue
        entry = Table(dict(zip(HOLIDAY_COLUMNS, row, strict=True)), at)
        entry.required("date", day)
        entry.required("name", text)
        entry.required("kind", one_of(HOLIDAY_KINDS))
        entry.required("decree", text)
