"""The register of outage numbers, and the rulings in the log. It writes only when a number or an extent is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from detak_collector.clocks import Reading
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found, Known, Match, as_known, match
from detak_collector.pair.entry import RULING, Entry
from detak_collector.store.base import StoreError
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import append, entries_of

LIVE = """
    SELECT number, service, begin_utc, end_utc, running FROM outage
    WHERE merged_into IS NULL AND begin_utc <= :end AND end_utc >= :begin
    UNION ALL
    SELECT number, service, begin_utc, end_utc, running FROM outage
    WHERE merged_into IS NULL AND begin_utc <= :end AND end_utc < :begin AND running = 1
    ORDER BY number
"""
ONE = "SELECT number, service, begin_utc, end_utc, running, merged_into FROM outage WHERE number = ?"
LISTED = "SELECT number, service, begin_utc, end_utc, running, merged_into FROM outage WHERE merged_into IS NULL"
GREATEST = 2**53
"""No number is greater, whatever somebody asks for; neither database takes one of any size."""

AT_ONCE = 2_000
"""So many rows are read until enough of them are wanted."""
LASTING = "SELECT number FROM outage WHERE merged_into IS NULL AND (running = 1 OR end_utc > ?)"
NEXT_CHANGE = "(SELECT coalesce(max(changed), 0) + 1 FROM outage)"
"""Every change has a number, in the order of time: the other collector asks for what came after the last one it saw."""

NEW = f"""
    INSERT INTO outage (number, service, begin_utc, end_utc, running, merged_into, first_derived_utc, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, {NEXT_CHANGE})
"""  # noqa: S608 - of constants
CHANGE = f"""
    UPDATE outage SET begin_utc = ?, end_utc = ?, running = ?, merged_into = ?, changed = {NEXT_CHANGE}
    WHERE number = ?
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Sought:
    """Which outages of the register are wanted: what is empty, or None, leaves nothing out.

    `span` is UTC ms, which they touch. `only` and `without` are numbers.
    """

    service: str = ""
    span: Interval | None = None
    running: bool | None = None
    only: frozenset[int] | None = None
    without: frozenset[int] = frozenset()

    def is_wanted(self, number: int) -> bool:
        """Whether the outage of that number is, as far as numbers tell."""
        return number not in self.without and (self.only is None or number in self.only)


EVERYTHING = Sought()
Place = tuple[int, int]
"""Where an outage stands in a list: when it began (UTC ms), and its number."""


class SqlOutages:
    """The register in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int, ...]:
        """As the seam says."""
        with self._database.reading() as connection:
            seen = _match(connection, found, window)
        if seen.new or seen.changed:
            with self._database.writing() as connection:
                seen = _match(connection, found, window)
                _write(connection, seen, now)
        return seen.numbers

    def recall(self, found: Sequence[Found], window: Interval) -> tuple[int | None, ...]:
        """As the seam says."""
        with self._database.reading() as connection:
            seen = _match(connection, found, window)
        new = {one.number for one in seen.new}
        return tuple(None if number in new else number for number in seen.numbers)

    def known(self, number: int) -> Known | None:
        """As the seam says."""
        with self._database.reading() as connection:
            return known_of(connection, number)

    def merged(self) -> dict[int, int]:
        """As the seam says."""
        with self._database.reading() as connection:
            return merged_of(connection)

    def latest(self, most: int, sought: Sought = EVERYTHING, before: Place | None = None) -> list[Known]:
        """The outages that began last, or last before a place, the latest first; not those that are part of another."""
        return self._walked(before, most, sought, "<")

    def following(self, most: int, sought: Sought, after: Place) -> list[Known]:
        """Those that began next after a place, the latest first."""
        return self._walked(after, most, sought, ">")[::-1]

    def _walked(self, place: Place | None, most: int, sought: Sought, way: Literal["<", ">"]) -> list[Known]:
        found: list[Known] = []
        with self._database.reading() as connection:
            while True:
                rows = connection.execute(*_listed(place, sought, way)).fetchall()
                known = [_known(row) for row in rows]
                found += [one for one in known if sought.is_wanted(one.number)]
                if len(found) >= most or len(rows) < AT_ONCE:
                    return found[:most]
                place = known[-1].begin, known[-1].number

    def lasting(self, since_utc: int) -> set[int]:
        """The numbers of the outages that are running, or have ended since."""
        with self._database.reading() as connection:
            return {number for (number,) in connection.execute(LASTING, (since_utc,))}

    def rule(self, ruling: Ruling) -> Ruling:
        """As the seam says."""
        with self._database.writing() as connection:
            before = _rulings(connection)
            undone = None if ruling.undoes is None else _undone(ruling.undoes, before)
            for number in ruling.outages:
                if connection.execute(ONE, (number,)).fetchone() is None:
                    raise StoreError(f"{self._database.place}: no outage has number {number}")
            body = {
                "kind": ruling.kind,
                "number": 1 + max((one.id for one, _ in before), default=0),
                "outages": sorted(ruling.outages),
                "reason": ruling.reason,
                "undoes": None if undone is None else undone.id,
            }
            made = append(connection, RULING, body, ruling.ruled_by, ruling.ruled_at)
            return next(one for one, entry in _rulings(connection) if entry.id == made.id)

    def rulings(self) -> list[Ruling]:
        """As the seam says."""
        with self._database.reading() as connection:
            return [one for one, _ in _rulings(connection)]


def _listed(place: Place | None, sought: Sought, way: Literal["<", ">"]) -> tuple[str, list[int | str]]:
    conditions: list[tuple[str, list[int | str]]] = []
    if place is not None:
        conditions.append((f"(begin_utc, number) {way} (?, ?)", [*place]))
    if sought.service:
        conditions.append(("service = ?", [sought.service]))
    if sought.span is not None:
        conditions.append(("begin_utc < ? AND (end_utc > ? OR running = 1)", [sought.span[1], sought.span[0]]))
    if sought.running is not None:
        conditions.append(("running = ?", [int(sought.running)]))
    order = "DESC" if way == "<" else "ASC"
    text = " AND ".join([LISTED, *(text for text, _ in conditions)])
    values = [value for _, values in conditions for value in values]
    return f"{text} ORDER BY begin_utc {order}, number {order} LIMIT {AT_ONCE}", values


def merged_of(connection: Connection) -> dict[int, int]:
    """As `SqlOutages.merged` says, in a view of the caller's."""
    return dict(connection.execute("SELECT number, merged_into FROM outage WHERE merged_into IS NOT NULL"))


def known_of(connection: Connection, number: int) -> Known | None:
    """As `SqlOutages.known` says, in a view of the caller's."""
    row = connection.execute(ONE, (number,)).fetchone() if 0 < number <= GREATEST else None
    return None if row is None else _known(row)


def _match(connection: Connection, found: Sequence[Found], window: Interval) -> Match:
    last: int = connection.execute("SELECT coalesce(max(number), 0) FROM outage").fetchone()[0]
    rows = connection.execute(LIVE, {"begin": window[0], "end": window[1]}).fetchall()
    numbers = as_known({(service, begin, end, running): number for number, service, begin, end, running in rows}, found)
    if numbers is not None:
        return Match(numbers, new=(), changed=())
    known = [Known(number, service, begin, end, running == 1) for number, service, begin, end, running in rows]
    least = connection.execute("SELECT least FROM numbering").fetchone() or (1,)
    return match(known, found, window, max(last + 1, *least))


def _known(row: tuple[int, str, int, int, int, int | None]) -> Known:
    number, service, begin, end, running, merged_into = row
    return Known(number, service, begin, end, bool(running), merged_into)


def _write(connection: Connection, seen: Match, now: Reading) -> None:
    connection.executemany(NEW, [(*_row(one), now.utc) for one in seen.new])
    connection.executemany(CHANGE, [(*_row(one)[2:], one.number) for one in seen.changed])


def _row(one: Known) -> tuple[int, str, int, int, int, int | None]:
    return one.number, one.service, one.begin, one.end, int(one.running), one.merged_into


def _undone(number: int, rulings: Sequence[tuple[Ruling, Entry]]) -> Entry:
    if any(ruling.undoes == number for ruling, _ in rulings):
        raise StoreError(f"ruling {number} was taken back already")
    found = next((entry for ruling, entry in rulings if ruling.id == number), None)
    if found is None:
        raise StoreError(f"there is no ruling {number}")
    return found


def _rulings(connection: Connection) -> list[tuple[Ruling, Entry]]:
    """All rulings, each with its entry, in order; numbers that two collectors gave at once move up."""
    entries = entries_of(connection, RULING)
    numbers: dict[str, int] = {}
    last = 0
    for one in entries:
        last = numbers[one.id] = max(one.told["number"], last + 1)
    return [(_ruling(one, numbers), one) for one in entries]


def _ruling(entry: Entry, numbers: Mapping[str, int]) -> Ruling:
    told = entry.told
    undoes = None if told["undoes"] is None else numbers.get(told["undoes"])
    return Ruling(
        numbers[entry.id],
        told["kind"],
        tuple(told["outages"]),
        undoes,
        told["reason"],
        entry.author,
        entry.recorded_utc,
    )
