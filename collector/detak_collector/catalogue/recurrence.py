"""Recurring exclusions: a rule of RFC 5545 is checked, and laid out as windows in civil time. It reads no clock."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import chain, islice, pairwise, takewhile

from detak_collector.catalogue.moments import FIRST_YEAR, LAST_YEAR
from detak_collector.catalogue.place import Place
from detak_collector.downtime.periods import EPOCH, local_instant, to_ms

MOST_WINDOWS = 10_000
LONGEST_RULE = 500
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
TIMES_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
DAYS = "MO|TU|WE|TH|FR|SA|SU"

Parts = Mapping[str, str]
"""The parts of a rule by their names, such as FREQ."""

_EXPECTED = 'a rule of RFC 5545 such as "FREQ=WEEKLY;BYDAY=SU", without RRULE: before it'
_UNTIL = "a date such as 20261231, a local time such as 20261231T235959, or the same with Z for UTC"
_TRIED_WINDOWS = 400
MOST_OF_A_MONTH = 5
_FORESIGHT = timedelta(days=100 * 366)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When the windows of one exclusion begin: at `begin`, and then as `rule` (without COUNT and UNTIL) says.

    `count`: how many there are, if that is limited; `last`: the last instant at which one may begin, if there is one;
    `without`: the begins of those that do not take place, which `count` counts too.
    """

    rule: str
    zone: tzinfo
    begin: int
    count: int | None
    last: int | None
    without: frozenset[int] = frozenset()

    def begins(self, until: int) -> Iterator[int]:
        """The begins in order: the first, and others before `until`. A time that never comes is the end of the gap."""
        end = until if self.last is None else min(until, self.last + 1)
        later = (local_instant(wall, self.zone) + self.begin % 1_000 for wall in self.walls(_wall(end, self.zone)))
        every = chain((self.begin,), takewhile(lambda begin: begin < end, islice(later, 1, self.count)))
        yield from (begin for begin in every if begin not in self.without)

    def walls(self, last: datetime) -> Iterator[datetime]:
        """What the wall clock shows, in whole seconds, at each begin that the rule gives, to a day after `last`."""
        # Here, since who recomputes a packed bundle has no libraries, and needs none: its windows are laid out.
        from dateutil.rrule import rrulestr  # noqa: PLC0415

        first = _wall(self.begin, self.zone).replace(microsecond=0)
        bounded = f"{self.rule};UNTIL={last + timedelta(days=1):%Y%m%dT%H%M%S}"
        return iter(rrulestr(bounded, dtstart=first))


def read_parts(value: object, place: Place) -> Parts | None:
    """The parts of a rule, each of them right by itself and fit for its frequency."""
    if not isinstance(value, str) or len(value) > LONGEST_RULE or not all(map(_PART.fullmatch, value.split(";"))):
        place.refuse(_EXPECTED, value)
        return None
    pairs = [part.split("=") for part in value.split(";")]
    parts = dict(pairs)
    before = len(place.lines)
    if len(parts) < len(pairs):
        place.refuse("a rule in which no part stands twice", value)
    for name, content in parts.items():
        _check_part(name, content, place.key(name))
    if len(place.lines) == before:
        _check_fit(parts, place)
    return parts if len(place.lines) == before else None


def recurrence_of(parts: Parts, zone: tzinfo, begin: int, end: int, place: Place) -> Recurrence | None:
    """The recurrence of the window [begin, end); None where the rule does not fit it."""
    last = _last(parts["UNTIL"], zone) if "UNTIL" in parts else None
    if "UNTIL" in parts and (last is None or last < begin):
        place.key("UNTIL").refuse("not before from" if last is not None else _UNTIL, parts["UNTIL"])
        return None
    rule = ";".join(f"{name}={content}" for name, content in parts.items() if name not in {"COUNT", "UNTIL"})
    found = Recurrence(rule, zone, begin, int(parts["COUNT"]) if "COUNT" in parts else None, last)
    reason = _misfit(found, end)
    if reason:
        place.refuse(reason, ";".join(f"{name}={content}" for name, content in parts.items()))
    return None if reason else found


def excepting(found: Recurrence, without: Collection[int], place: Place) -> Recurrence | None:
    """The recurrence less the windows that begin at these instants; None where one is no window, or none is left."""
    begins = set(islice(found.begins(max(without) + 1), MOST_WINDOWS))
    for one in without:
        if one not in begins:
            place.refuse("when windows that the rule gives begin", _said(one))
            return None
    left = replace(found, without=frozenset(without))
    if next(left.begins(max(without) + _FORESIGHT // timedelta(milliseconds=1)), None) is None:
        place.say("no window is left; leave the whole exclusion out")
        return None
    return left


def _said(instant: int) -> str:
    return (EPOCH + timedelta(milliseconds=instant)).isoformat()


def _misfit(found: Recurrence, end: int) -> str:
    """Why the rule does not go with its first window, or nothing. Of many windows the first ones are tried."""
    first, over = _wall(found.begin, found.zone), _wall(end, found.zone)
    if not _may_begin(found.rule, first) or next(found.walls(first), None) != first.replace(microsecond=0):
        return f"a rule by which from, which is {first:%A} {first.isoformat()}, is the first window"
    foreseen = found.begin + _FORESIGHT // timedelta(milliseconds=1)
    begins = [_wall(begin, found.zone) for begin in islice(found.begins(foreseen), _TRIED_WINDOWS)]
    if len(begins) == 1:
        return "a rule that gives a second window; leave recurrence out where there is none"
    for one, other in pairwise(begins):
        if other - one < over - first:
            return f"a rule whose windows lie apart: the one of {other.isoformat()} begins before the last is over"
    return ""


def _may_begin(rule: str, first: datetime) -> bool:
    """Whether the rule names such a day. Were none of its days ever there, all years up to 9999 would be searched."""
    parts = dict(part.split("=") for part in rule.split(";"))
    month, year = monthrange(first.year, first.month)[1], 366 if isleap(first.year) else 365
    of_year = first.timetuple().tm_yday
    days = {"BYMONTH": {first.month}, "BYMONTHDAY": {first.day, first.day - month - 1},
            "BYYEARDAY": {of_year, of_year - year - 1}}  # fmt: skip
    named = all(numbers & set(map(int, parts[name].split(","))) for name, numbers in days.items() if name in parts)
    weekday = DAYS.split("|")[first.weekday()]
    return named and weekday in {one[-2:] for one in parts.get("BYDAY", weekday).split(",")}


def _wall(instant: int, zone: tzinfo) -> datetime:
    """What the wall clock shows. Beyond the years that can be written, the last that can be."""
    latest = to_ms(datetime(LAST_YEAR, 1, 1, tzinfo=zone))
    return (EPOCH + timedelta(milliseconds=min(instant, latest))).astimezone(zone).replace(tzinfo=None)


def _last(written: str, zone: tzinfo) -> int | None:
    """The last instant that UNTIL allows; a date is meant to its end."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    if moment.tzinfo is not None:
        return to_ms(moment)
    return local_instant(moment if "T" in written else moment + timedelta(days=1, milliseconds=-1), zone)


def _check_part(name: str, content: str, place: Place) -> None:
    if name in TIMES_OF_DAY:
        place.refuse("every window begins at the time of day of from; leave it out", content)
    elif name not in _CHECKS:
        place.refuse(f"not a part of a rule; known are {', '.join(_CHECKS)}", content)
    else:
        expected, is_right = _CHECKS[name]
        if not is_right(content):
            place.refuse(expected, content)


def _check_fit(parts: Parts, place: Place) -> None:
    """Parts that RFC 5545 does not let stand together."""
    frequency = parts.get("FREQ")
    if frequency is None:
        place.key("FREQ").refuse(f"required; one of {', '.join(FREQUENCIES)}")
        return
    for name, allowed in _ONLY_WITH.items():
        if name in parts and frequency not in allowed:
            place.key(name).refuse(f"only with FREQ {' or '.join(allowed)}", parts[name])
    numbered = re.search(r"\d", parts.get("BYDAY", ""))
    if numbered and (frequency not in {"MONTHLY", "YEARLY"} or "BYWEEKNO" in parts):
        place.key("BYDAY").refuse("days without numbers, unless with FREQ MONTHLY or YEARLY", parts["BYDAY"])
    within_a_month = frequency == "MONTHLY" or "BYMONTH" in parts
    if within_a_month and any(int(one) > MOST_OF_A_MONTH for one in re.findall(r"\d+", parts.get("BYDAY", ""))):
        place.key("BYDAY").refuse("numbers of at most 5, since no day comes more often in a month", parts["BYDAY"])
    if "COUNT" in parts and "UNTIL" in parts:
        place.key("COUNT").refuse("either COUNT or UNTIL, not both", parts["COUNT"])
    most = {"DAILY": 1, "WEEKLY": len(parts.get("BYDAY", "").split(","))}.get(frequency)
    if most is not None and any(abs(int(one)) > most for one in parts.get("BYSETPOS", "1").split(",")):
        place.key("BYSETPOS").refuse(f"numbers of at most {most}: there are no more in one of its days or weeks",
                                     parts["BYSETPOS"])  # fmt: skip
    if "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
        place.key("BYSETPOS").refuse("only with another part that begins with BY", parts["BYSETPOS"])


def _numbers(least: int, most: int, *, signed: bool = False, single: bool = False) -> tuple[str, Callable[[str], bool]]:
    """What a part with whole numbers must be, and whether a text is."""
    what = "a whole number" if single else "whole numbers"
    expected = f"{what} from {least} to {most}{', or as many from the end with -' if signed else ''}"

    def is_right(content: str) -> bool:
        entries = [content] if single else content.split(",")
        sign = r"[+-]?" if signed else ""
        return all(
            re.fullmatch(rf"{sign}\d{{1,5}}", one, re.ASCII) and least <= abs(int(one)) <= most for one in entries
        )

    return expected, is_right


def _matching(expected: str, pattern: str) -> tuple[str, Callable[[str], bool]]:
    compiled = re.compile(pattern, re.ASCII)
    return expected, lambda content: compiled.fullmatch(content) is not None


_PART = re.compile(r"[A-Z]+=[^;=]+", re.ASCII)
_DAY = rf"([+-]?([1-9]|[1-4]\d|5[0-3]))?({DAYS})"
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY",),
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
}
_CHECKS = {
    "FREQ": _matching(f"one of {', '.join(FREQUENCIES)}", "|".join(FREQUENCIES)),
    "INTERVAL": _numbers(1, 1_000, single=True),
    "COUNT": _numbers(2, MOST_WINDOWS, single=True),
    "UNTIL": _matching(_UNTIL, r"\d{8}(T\d{6}Z?)?"),
    "BYMONTH": _numbers(1, 12),
    "BYWEEKNO": _numbers(1, 53, signed=True),
    "BYYEARDAY": _numbers(1, 366, signed=True),
    "BYMONTHDAY": _numbers(1, 31, signed=True),
    "BYDAY": _matching("days such as MO,TH or, by the month or year, 1SU,-1SU", rf"{_DAY}(,{_DAY})*"),
    "BYSETPOS": _numbers(1, 366, signed=True),
    "WKST": _matching(f"one of {DAYS.replace('|', ', ')}", DAYS),
}
