"""What a file's rows say was down, of which service and from when to when. Pure; what is wrong is said at its line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from detak_collector.catalogue.place import Place, resembling, shown
from detak_collector.downtime.intervals import Intervals
from detak_collector.past.instants import Instant, Times
from detak_collector.past.mapping import OUTAGES, Mapping
from detak_collector.past.rows import Row, TooManyError, at_line, read_rows

MOST_OUTAGES = 2_000
MOST_MINUTES = 60 * 24 * 366
REASON_CHARACTERS = 300
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class PastOutage:
    """One outage, the line that tells of its begin, and what was said of it."""

    line: int
    service: str
    begin: int
    end: int
    what: str
    reason: str


@dataclass(slots=True)
class Found:
    """What a file says. `notes` are what a proposer should look at; the counts are of rows that are no outage."""

    outages: list[PastOutage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    filtered: int = 0
    others: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which services outages are read. `everything` is the service of whatever the mapping names none for.

    `ignoring`: what belongs to no service is left out, and not refused. `zone`: of times that name none.
    """

    services: Collection[str]
    everything: str | None
    ignoring: bool
    zone: ZoneInfo


def read_outages(content: bytes, file: str, mapping: Mapping, wanted: Wanted, now: int) -> Found:
    """All that the file says was down and over by now; raises CatalogueError with every line that is wrong."""
    top = Place(file, [])
    reader = _Reader(mapping, wanted, now, top)
    try:
        rows = reader.kept(read_rows(content, mapping, top))
        (reader.rows if mapping.rows == OUTAGES else reader.events)(rows)
    except TooManyError:
        _settle(top, f"{file}: and more that is wrong: these first")
    if len(reader.found.outages) > MOST_OUTAGES:
        top.say(f"more than {MOST_OUTAGES} outages (got {len(reader.found.outages)}): split it, and import its parts")
    _settle(top)
    reader.found.outages.sort(key=lambda one: (one.begin, one.line))
    return reader.found


class _Reader:
    def __init__(self, mapping: Mapping, wanted: Wanted, now: int, top: Place) -> None:
        self._mapping, self._wanted, self._now, self._top = mapping, wanted, now, top
        self._times = Times(mapping.times, ZoneInfo(mapping.timezone) if mapping.timezone else wanted.zone)
        self.found = Found()

    def kept(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are asked for."""
        only = self._mapping.only
        missing = [column for column in only if rows and column not in rows[0].told]
        if missing:
            has = ", ".join(map(shown, rows[0].told))
            self._top.say(f"no column {', '.join(map(shown, missing))}, by which rows are chosen; it has {has}")
            self._top.settle()
        kept = [row for row in rows if all(row.told[column].strip() in values for column, values in only.items())]
        self.found.filtered = len(rows) - len(kept)
        return kept

    def rows(self, rows: Iterable[Row]) -> None:
        """A row is an outage."""
        columns = self._mapping.columns
        for row in rows:
            service = self._service(row)
            if service is None:
                continue
            begin = self._time(row, columns.begin)
            end = self._minutes_later(row, begin) if columns.minutes else self._end(row)
            if begin is not None and end is not None:
                self._add(row, service, begin, end)

    def events(self, rows: Iterable[Row]) -> None:
        """A row says how something was from then on."""
        by_object: dict[str, list[tuple[Instant, str, Row]]] = {}
        services: dict[str, str] = {}
        for row in rows:
            service, state = self._service(row), self._state(row)
            at = self._time(row, self._mapping.columns.time) if service is not None and state else None
            if service is not None and state and at is not None:
                what = self._said(row, self._mapping.columns.object)
                services[what] = service
                by_object.setdefault(what, []).append((at, state, row))
        for what, events in by_object.items():
            self._one_after_another(services[what], sorted(events, key=lambda one: one[0].first))

    def _one_after_another(self, service: str, events: Iterable[tuple[Instant, str, Row]]) -> None:
        since: tuple[Instant, Row] | None = None
        for at, state, row in events:
            if state == "down" and since is None:
                since = at, row
            elif state == "up" and since is not None:
                self._add(since[1], service, since[0], at)
                since = None
        if since is not None:
            place = at_line(self._top, since[1].line, self._mapping.columns.state)
            place.say("it went down and no later line says that it was up again: add the rest of the file, or a line "
                      "with the end")  # fmt: skip

    def _add(self, row: Row, service: str, begin: Instant, end: Instant) -> None:
        column = self._mapping.columns.end or self._mapping.columns.minutes or self._mapping.columns.time
        place = at_line(self._top, row.line, column)
        notes = dict.fromkeys(one.note for one in (begin, end) if one.note)
        self.found.notes += [f"{self._top.file}:{row.line}: {note}" for note in notes]
        if end.last < begin.first:
            place.say("its end lies before its begin: correct one of them, or leave the line out")
        elif end.last > self._now:
            place.say("its end lies ahead: only what is over can be imported")
        elif end.last == begin.first:
            self.found.empty += 1
        else:
            columns = self._mapping.columns
            what, reason = self._said(row, columns.object), self._said(row, columns.reason)
            self.found.outages.append(PastOutage(row.line, service, begin.first, end.last, what, reason))

    def _service(self, row: Row) -> str | None:
        what = self._said(row, self._mapping.columns.object)
        service = self._mapping.service_of(what) or self._wanted.everything
        column = " ".join(self._mapping.columns.object)
        if service is None and self._wanted.ignoring:
            self.found.others += 1
        elif service is None:
            at_line(self._top, row.line, column).refuse(
                "which service that is must be said: map it to one (--map), name one for all that is not mapped "
                "(--service), or leave such lines out (--ignore-others)", what)  # fmt: skip
        elif service not in self._wanted.services:
            hint = resembling(service, self._wanted.services)
            at_line(self._top, row.line, column).refuse(f"mapped to no service of the catalogue{hint}", service)
            return None
        return service

    def _state(self, row: Row) -> str:
        states, told = self._mapping.states, row.told[self._mapping.columns.state].strip()
        named = {"down": states.down, "up": states.up, "keep": states.keep}
        for state, names in named.items():
            if told in names:
                return state
        known = ", ".join(one for names in named.values() for one in names)
        at_line(self._top, row.line, self._mapping.columns.state).refuse(
            f"one of {known}; the [states] of a mapping of your own name others", told)  # fmt: skip
        return ""

    def _time(self, row: Row, column: str) -> Instant | None:
        return self._times.read(row.told[column], at_line(self._top, row.line, column))

    def _end(self, row: Row) -> Instant | None:
        column = self._mapping.columns.end
        if not row.told[column].strip():
            at_line(self._top, row.line, column).say(
                "nothing there, as of an outage that still goes on: enter its end, or leave the line out"
            )
            return None
        return self._time(row, column)

    def _minutes_later(self, row: Row, begin: Instant | None) -> Instant | None:
        column = self._mapping.columns.minutes
        told = row.told[column].strip()
        try:
            minutes = Decimal(told.replace(",", "."))
        except InvalidOperation:
            minutes = Decimal(-1)
        if not minutes.is_finite() or not 0 <= minutes <= MOST_MINUTES:
            place = at_line(self._top, row.line, column)
            place.refuse(f"a number of minutes, at most {MOST_MINUTES}, without thousands", told)
            return None
        length = int(minutes * MINUTE_MS)
        return None if begin is None else Instant(begin.first + length, begin.first + length)

    @staticmethod
    def _said(row: Row, columns: Sequence[str]) -> str:
        joined = " ".join(" ".join(row.told[column].split()) for column in columns)
        return "".join(letter if letter.isprintable() else "?" for letter in joined)[:REASON_CHARACTERS].strip()


Observed = Callable[[str, int, int], Intervals]
"""Of a service and a stretch of time [begin, end): when in it any of its checks was observed."""


def refuse_observed(found: Found, file: str, observed: Observed, local: Callable[[int], str]) -> None:
    """Raises CatalogueError where an outage lies in time that was observed: there evidence says what was."""
    top = Place(file, [])
    try:
        for one in found.outages:
            seen = observed(one.service, one.begin, one.end)
            if seen:
                (begin, _), *_ = seen
                at_line(top, one.line).say(
                    f"checks of {one.service} were observed from {local(begin)} on, and say themselves what was down: "
                    "only time that nobody watched can be imported; cut the outage short, or leave the line out"
                )
    except TooManyError:
        _settle(top, f"{file}: and more that is wrong: these first")
    _settle(top)


def _settle(top: Place, last: str = "") -> None:
    """Raises what was noted, in the order of the lines of the file."""

    def line_of(said: str) -> int:
        number = said.removeprefix(f"{top.file}:").partition(":")[0]
        return int(number) if number.isdecimal() else 0

    top.lines.sort(key=line_of)
    if last:
        top.lines.append(last)
    top.settle()
