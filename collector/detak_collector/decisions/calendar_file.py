"""An iCalendar file (RFC 5545) read into records of exclusions, and written from them. Pure: it is given bytes.

A file is taken whole or refused whole, with everything that is wrong in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event, vRecur
from icalendar.timezone import tzp

from detak_collector.catalogue.corrections import Entered, read_exclusion
from detak_collector.catalogue.place import CatalogueError, Place
from detak_collector.catalogue.recurrence import MOST_WINDOWS, Recurrence
from detak_collector.decisions.calendar_events import (
    CATEGORY,
    DOCUMENT,
    SCOPE,
    Defaults,
    Reader,
    is_sound,
    local_day,
)
from detak_collector.decisions.corrections import is_drill, read_record
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.periods import EPOCH
from detak_collector.report.numbers import iso_utc

MOST_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 1_000
LONGEST_UID = 500
DRILL = "DRILL"
"""The category of planned work that is a drill."""
PRODUCT = "-//Detak//detak-collector//EN"
_PARSING = Lock()


@dataclass(frozen=True, slots=True)
class Planned:
    """What the file has under one UID: a record, or None where it was called off there."""

    uid: str
    label: str
    record: dict[str, Any] | None


def read_calendar(content: bytes, file: str, defaults: Defaults, catalogue: Catalogue) -> list[Planned]:
    """The events in the order of the file; raises CatalogueError with every problem in it."""
    top = Place(file, [])
    events = _events(content, top)
    reading = _Reading(Reader(defaults, ZoneInfo(catalogue.timezone)), catalogue)
    singles = [one for one in events if "RECURRENCE-ID" not in one]
    for number, event in enumerate(singles, start=1):
        reading.take(event, _place(event, top, number))
    for number, event in enumerate((one for one in events if "RECURRENCE-ID" in one), start=len(singles) + 1):
        reading.replace_one(event, _place(event, top, number))
    reading.check()
    top.settle()
    return [one.planned for one in reading.found.values()]


@dataclass(slots=True)
class _Read:
    planned: Planned
    place: Place


class _Reading:
    """What was read so far, by UID."""

    def __init__(self, reader: Reader, catalogue: Catalogue) -> None:
        self._reader = reader
        self._catalogue = catalogue
        self._refused: set[str] = set()
        self.found: dict[str, _Read] = {}

    def take(self, event: Event, place: Place) -> None:
        """An event that is not a changed one of a series."""
        uid = str(event.get("UID", "")).strip()
        if not uid or len(uid) > LONGEST_UID:
            place.key("UID").say(f"required, of at most {LONGEST_UID} characters: by it the event is known again")
            return
        if uid in self.found or uid in self._refused:
            place.key("UID").refuse("each may be used once", uid)
            return
        if not is_sound(event, place):
            self._refused.add(uid)
            return
        if _is_cancelled(event):
            self.found[uid] = _Read(Planned(uid, place.file, None), place)
            return
        record = self._reader.record(event, place)
        if record is None:
            self._refused.add(uid)
            return
        self.found[uid] = _Read(Planned(uid, place.file, record), place)
        self._leave_out(uid, list(self._reader.exceptions(event)))

    def replace_one(self, event: Event, place: Place) -> None:
        """An event that stands in the place of one of its series, or says that this one does not take place."""
        uid = str(event.get("UID", "")).strip()
        if not is_sound(event, place) or uid in self._refused:
            return
        series = self.found.get(uid)
        if series is None or (series.planned.record is not None and "recurrence" not in series.planned.record):
            place.key("RECURRENCE-ID").say("the series that it belongs to is not in the file, or does not recur")
            return
        instant = self._reader.replaced(event, place)
        if instant is None:
            return
        self._leave_out(uid, [instant])
        is_off = series.planned.record is None or _is_cancelled(event)
        record = None if is_off else self._reader.record(event, place)
        if is_off or record is not None:
            own = f"{uid}/{iso_utc(instant)}"
            self.found[own] = _Read(Planned(own, place.file, record), place)

    def _leave_out(self, uid: str, gone: Sequence[int | date]) -> None:
        """Notes which windows of a series do not take place; what is none of its windows says nothing."""
        record = self.found[uid].planned.record
        if record is None or not gone or "recurrence" not in record:
            return
        again = self._recurrence({key: value for key, value in record.items() if key != "except"})
        if again is None:
            return
        zone, ahead = ZoneInfo(record["timezone"]), timedelta(days=2) // timedelta(milliseconds=1)
        instants = [one if isinstance(one, int) else _ms(one) + ahead for one in gone]
        begins = islice(again.begins(max(instants) + 1), MOST_WINDOWS)
        left_out = {one for one in begins if one in gone or local_day(one, zone) in gone}
        known = set(record.get("except", ())) | {iso_utc(one) for one in left_out}
        if known:
            record["except"] = sorted(known)

    def _recurrence(self, record: dict[str, Any]) -> Recurrence | None:
        try:
            return self._entered(record, "").again
        except CatalogueError:
            return None

    def check(self) -> None:
        """Checks every record against the catalogue."""
        for one in self.found.values():
            if one.planned.record is not None:
                try:
                    self._entered(one.planned.record, one.place.file)
                except CatalogueError as error:
                    one.place.lines.extend(error.lines)

    def _entered(self, record: dict[str, Any], what: str) -> Entered:
        whole = {**record, "id": "x1", "proposed_by": "-", "proposed_at": record["from"]}
        return read_exclusion(whole, ZoneInfo("UTC"), self._catalogue, what)


def _events(content: bytes, top: Place) -> list[Event]:
    if len(content) > MOST_BYTES:
        top.say(f"longer than {MOST_BYTES} bytes")
    top.settle()
    try:
        with _PARSING:
            # The library keeps a file's own zones by their names, and would read the next file by them.
            tzp.use_zoneinfo()
            calendars: Sequence[Component] = Calendar.from_ical(content, multiple=True)
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, OSError, RecursionError) as error:
        # What the library raises where a component is ended by another's END or a zone's name is endless, among others.
        top.say(f"not an iCalendar file: {error}")
        calendars = []
    top.settle()
    events = [one for calendar in calendars for one in calendar.walk("VEVENT") if isinstance(one, Event)]
    if not events:
        top.say("no VEVENT in it")
    if len(events) > MOST_EVENTS:
        top.say(f"more than {MOST_EVENTS} events")
    top.settle()
    return events


def _place(event: Event, top: Place, number: int) -> Place:
    """Where an event is told of: by its summary, else its UID, else its number."""
    called = next((text for name in ("SUMMARY", "UID") if (text := str(event.get(name, "")).strip())), f"#{number}")
    line = " ".join(called.split())[:60]
    return Place(f"{top.file}: event {line!r}", top.lines)


def _is_cancelled(event: Event) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _ms(day: date) -> int:
    return (day - EPOCH.date()) // timedelta(milliseconds=1)


def uid_of(matter: Matter, register: Register) -> str:
    """By which UID an exclusion is known in calendars: that of the event it came from, or one of its own."""
    first = register.root_of(matter).matters[0].proposal
    return matter.proposal.body.uid or f"{first.name}@{first.entry.collector}"


def write_calendar(register: Register, shown: Iterable[Matter]) -> bytes:
    """The exclusions as a calendar: those in force confirmed, pending ones tentative."""
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    for matter in shown:
        event = _event(matter, uid_of(matter, register))
        if event is not None:
            calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(matter: Matter, uid: str) -> Event | None:
    try:
        read = read_record(matter.proposal)
    except CatalogueError:
        return None
    if not isinstance(read, Entered):
        return None
    one, record = read.first, matter.proposal.body.record or {}
    zone = ZoneInfo(record.get("timezone", "UTC"))
    event = Event()
    event.add("UID", uid)
    event.add("DTSTAMP", _moment(one.proposed_at, ZoneInfo("UTC")))
    event.add("DTSTART", _moment(one.begin, zone))
    event.add("DTEND", _moment(one.end, zone))
    if read.again is not None:
        event.add("RRULE", vRecur.from_ical(record["recurrence"]))
        if read.again.without:
            event.add("EXDATE", [_moment(each, zone) for each in sorted(read.again.without)])
    event.add("SUMMARY", one.reason)
    event.add("STATUS", "CONFIRMED" if matter.state is State.IN_FORCE else "TENTATIVE")
    event.add(CATEGORY, one.category)
    event.add(SCOPE, f"{one.scope_kind}:{one.scope}" if one.scope else one.scope_kind)
    event.add(DOCUMENT, one.document)
    event.add("X-DETAK-ID", matter.name)
    if is_drill(matter):
        event.add("CATEGORIES", [DRILL])
    return event


def _moment(instant: int, zone: ZoneInfo) -> Any:  # noqa: ANN401 - what the library takes
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
