"""One event of an iCalendar file (RFC 5545) as the record of an exclusion. Pure; what cannot be one is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from detak_collector.catalogue.place import Place
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.downtime.periods import EPOCH, local_instant, midnight, to_ms
from detak_collector.report.numbers import iso_utc

CATEGORY, SCOPE, DOCUMENT = "X-DETAK-CATEGORY", "X-DETAK-SCOPE", "X-DETAK-DOCUMENT"
ODD = "is of another kind than it should be"
_UNDERSTOOD_NOT = ("RDATE", "EXRULE")
_ONCE = {
    "UID": None,
    "SUMMARY": None,
    "STATUS": None,
    "RRULE": None,
    "DTSTART": date,
    "DTEND": date,
    "RECURRENCE-ID": date,
    "DURATION": timedelta,
}
"""What may stand once in an event, and of what kind its time is."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an event is taken to say where it does not say it itself."""

    category: str | None = None
    scope: dict[str, Any] | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """When an event is. `zone` has its name where the calendar gives one; `days`: it is whole days."""

    begin: int
    end: int
    zone: ZoneInfo | None


def is_sound(event: Event, place: Place) -> bool:
    """Whether all that stands in it can be understood; what cannot is said."""
    before = len(place.lines)
    for name, told in event.errors:
        place.key(str(name)).say(str(told))
    for name in _UNDERSTOOD_NOT:
        if name in event:
            place.key(name).say("not understood; write what it says as events of their own")
    if len(place.lines) > before:
        return False
    for name, kind in _ONCE.items():
        value = _value(event, name)
        if isinstance(value, list):
            place.key(name).say("stands twice")
        elif value is not None and kind is not None and not isinstance(getattr(value, "dt", None), kind):
            place.key(name).say(ODD)
    if not all(isinstance(each.dt, date) for one in _exdates(event) for each in getattr(one, "dts", ())):
        place.key("EXDATE").say(ODD)
    return len(place.lines) == before


class Reader:
    """Reads events in the civil time of `zone`, unless they name another one."""

    def __init__(self, defaults: Defaults, zone: ZoneInfo) -> None:
        self._defaults = defaults
        self._zone = zone

    def record(self, event: Event, place: Place) -> dict[str, Any] | None:
        """The record, without the exceptions of its rule; None where something was refused."""
        before = len(place.lines)
        times = self._times(event, place)
        record = self._said(event, place)
        rule = self._rule(event)
        if times is None or len(place.lines) > before:
            return None
        record |= {"from": iso_utc(times.begin), "to": iso_utc(times.end)}
        if rule:
            if times.zone is None:
                place.key("DTSTART").say("it recurs in a time zone that has no name that this machine knows")
                return None
            record |= {"recurrence": rule, "timezone": times.zone.key}
        return record

    def exceptions(self, event: Event) -> Iterator[int | date]:
        """The begins of the windows that do not take place; a date means those of that day."""
        for one in _exdates(event):
            for each in one.dts:
                zone = _tzid(one)
                yield self._instant(each.dt, zone) if isinstance(each.dt, datetime) else each.dt

    def replaced(self, event: Event, place: Place) -> int | None:
        """Of an event that stands in place of one of its series: when that one begins."""
        value = _value(event, "RECURRENCE-ID")
        if value.params.get("RANGE"):
            place.key("RECURRENCE-ID").say("it changes all that follow; end the series, and begin another one")
            return None
        moment = value.dt
        if not isinstance(moment, datetime):
            return midnight(moment, self._zone)
        return self._instant(moment, _tzid(value))

    def _times(self, event: Event, place: Place) -> Times | None:
        start = _value(event, "DTSTART")
        if start is None:
            place.key("DTSTART").say("required")
            return None
        if isinstance(start.dt, datetime) and start.dt.tzinfo is None and _tzid(start) is not None:
            place.key("DTSTART").say(f"no such time zone (got TZID={_tzid(start)})")
            return None
        begin = self._instant(start.dt, _tzid(start))
        until = self._end(event, start.dt, _tzid(start))
        if until is None:
            place.key("DTEND").say("required: DTEND, or DURATION")
            return None
        if until <= begin:
            place.key("DTEND").say("not later than DTSTART")
            return None
        return Times(begin, until, self._named_zone(start.dt, _tzid(start)))

    def _end(self, event: Event, start: date, tzid: str | None) -> int | None:
        """When it ends. Of a duration days are those of a calendar, and hours are as long as they are."""
        if "DTEND" in event:
            end = _value(event, "DTEND")
            return self._instant(end.dt, _tzid(end))
        if "DURATION" in event:
            length: timedelta = _value(event, "DURATION").dt
            days = timedelta(days=length.days)
            return self._instant(start + days, tzid) + (length - days) // timedelta(milliseconds=1)
        return None if isinstance(start, datetime) else self._instant(start + timedelta(days=1), tzid)

    def _instant(self, moment: date, tzid: str | None) -> int:
        """When it is: a day from its midnight, a time without a zone in the organisation's."""
        if not isinstance(moment, datetime):
            return midnight(moment, self._zone)
        zone = self._named_zone(moment, tzid)
        if zone is None:
            return to_ms(moment)
        return local_instant(moment.replace(tzinfo=None), zone)

    def _named_zone(self, moment: date, tzid: str | None) -> ZoneInfo | None:
        """The zone by its name; None where the file alone says what it is."""
        zone: tzinfo | None = moment.tzinfo if isinstance(moment, datetime) else None
        if zone is None:
            return self._zone
        if isinstance(zone, ZoneInfo):
            return zone
        for called in _names(tzid or ""):
            if called in available_timezones():
                return ZoneInfo(called)
        return ZoneInfo("UTC") if zone.utcoffset(None) == timedelta(0) and not tzid else None

    def _said(self, event: Event, place: Place) -> dict[str, Any]:
        defaults = self._defaults
        told = {
            "category": _category(event) or defaults.category,
            "scope": _scope(event) or defaults.scope,
            "document": _text(event, DOCUMENT) or defaults.document,
            "reason": _text(event, "SUMMARY"),
        }
        options = {"category": ("--category", CATEGORY), "document": ("--document", DOCUMENT)}
        options["scope"] = ("--service or another scope", SCOPE)
        for key, (option, name) in options.items():
            if told[key] is None:
                place.say(f"says no {key}: give {option}, or {name} in the event")
        if told["reason"] is None:
            place.key("SUMMARY").say("required: why the time is to be excluded")
        return dict(told)

    @staticmethod
    def _rule(event: Event) -> str:
        rule = _value(event, "RRULE")
        if rule is None:
            return ""
        return "" if rule.get("COUNT") == [1] else str(rule.to_ical().decode())


def local_day(instant: int, zone: ZoneInfo) -> date:
    """The local day of an instant."""
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(zone).date()


def _value(event: Event, name: str) -> Any:  # noqa: ANN401 - of one of many types of the library's, by the name
    """A property: None where there is none, a list where there are several."""
    return event.get(name)


def _exdates(event: Event) -> list[Any]:
    """Each line of them."""
    found = _value(event, "EXDATE")
    return found if isinstance(found, list) else [] if found is None else [found]


def _tzid(value: Any) -> str | None:  # noqa: ANN401 - a property of the library's
    tzid = value.params.get("TZID")
    return None if tzid is None else str(tzid)


def _names(tzid: str) -> Iterator[str]:
    """By which names a zone may be known: Windows has its own, and some programs put a prefix before."""
    yield tzid
    if tzid in WINDOWS_TO_OLSON:
        yield WINDOWS_TO_OLSON[tzid]
    yield "/".join(tzid.split("/")[-2:])


def _category(event: Event) -> str | None:
    own = _text(event, CATEGORY)
    if own is not None:
        return own
    found = _value(event, "CATEGORIES")
    named = [str(cat) for one in (found if isinstance(found, list) else [found] if found else []) for cat in one.cats]
    words = [one.strip().casefold().replace(" ", "_").replace("-", "_") for one in named]
    return next((one for one in words if one in EXCLUSION_CATEGORIES), None)


def _scope(event: Event) -> dict[str, Any] | None:
    told = _text(event, SCOPE)
    if told is None:
        return None
    kind, _, target = told.partition(":")
    return {kind: True if kind == "all" else target}


def _text(event: Event, name: str) -> str | None:
    value = _value(event, name)
    text = "" if value is None or isinstance(value, list) else str(value).strip()
    return text or None
