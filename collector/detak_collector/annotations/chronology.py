"""A chronology as people type it, a line an event: `2026-11-28 10:05 What happened`, and back. Pure.

A line without a date goes on from the one before it: it is of the first such time since then, and the first line of the
time nearest to the outage's begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from detak_collector.annotations.bodies import Line
from detak_collector.annotations.faults import NO_EVENT, NO_SUCH_TIME, NO_TIME, TOO_MANY, Fault
from detak_collector.annotations.texts import fault_of
from detak_collector.downtime.periods import to_ms

FIELD = "chronology"
MOST_LINES = 100
MOST_CHARACTERS = 500
SHOWN = 40
FIRST_YEAR, LAST_YEAR = 2000, 2999
_LINE = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)[ T,]+)?"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?=\D|\Z)\s*(?:WIB|WITA|WIT)?\s*"
    "[-\N{EN DASH}:,]?"
    r"\s*(?P<text>.*)"
)


def parsed(typed: str, begin: int, zone: ZoneInfo) -> tuple[tuple[Line, ...], list[Fault]]:
    """The lines, in order of time, and what is wrong. `begin`: when the outage began, UTC ms; times are of `zone`."""
    found: list[Line] = []
    faults: list[Fault] = []
    before, is_first = datetime.fromtimestamp(begin // 1_000, zone), True
    for number, line in enumerate(typed.split("\n"), 1):
        if not line.strip():
            continue
        told = _read(line.strip(), number, before, is_first=is_first)
        if isinstance(told, Fault):
            faults.append(told)
            continue
        (before, text), is_first = told, False
        found.append(Line(to_ms(before), text))
    lines, more = checked(found)
    return lines, [*faults, *more]


def checked(lines: Iterable[Line]) -> tuple[tuple[Line, ...], list[Fault]]:
    """The lines in order of time, and what is wrong with their texts."""
    found = sorted(lines, key=lambda one: one.at)
    faults = [fault for one in found if (fault := fault_of(FIELD, one.text, MOST_CHARACTERS)) is not None]
    if len(found) > MOST_LINES:
        faults.append(Fault(FIELD, TOO_MANY, {"most": str(MOST_LINES)}))
    return tuple(found), faults


def _read(line: str, number: int, before: datetime, *, is_first: bool) -> tuple[datetime, str] | Fault:
    match, named = _LINE.fullmatch(line), {"line": str(number), "got": line[:SHOWN]}
    if match is None:
        return Fault(FIELD, NO_TIME, named)
    try:
        clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
        if match["year"]:
            at = datetime(int(match["year"]), int(match["month"]), int(match["day"]), tzinfo=before.tzinfo)
            at = datetime.combine(at.date(), clock, before.tzinfo)
        else:
            at = _near(clock, before) if is_first else _since(clock, before, exact=match["second"] is not None)
    except (ValueError, OverflowError):
        return Fault(FIELD, NO_SUCH_TIME, named)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return Fault(FIELD, NO_SUCH_TIME, named)
    if not match["text"].strip():
        return Fault(FIELD, NO_EVENT, named)
    return at, match["text"].strip()


def _near(clock: time, outage: datetime) -> datetime:
    """The first line may lie before the outage: of three days the one on which it is nearest to its begin."""
    days = [outage.date() + timedelta(days=shift) for shift in (-1, 0, 1)]
    return min((datetime.combine(day, clock, outage.tzinfo) for day in days), key=lambda one: abs(one - outage))


def _since(clock: time, before: datetime, *, exact: bool) -> datetime:
    """The first such time that is not before the line above; lines of one minute stay on one day."""
    at = datetime.combine(before.date(), clock, before.tzinfo)
    is_earlier = at < (before if exact else before.replace(second=0))
    return datetime.combine(before.date() + timedelta(days=1), clock, before.tzinfo) if is_earlier else at


def typed(lines: Iterable[Line], zone: ZoneInfo) -> str:
    """The lines as `parsed` reads them, each with its date."""
    return "\n".join(f"{_stamp(one.at, zone)} {one.text}" for one in lines)


def _stamp(at: int, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(at // 1_000, zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
