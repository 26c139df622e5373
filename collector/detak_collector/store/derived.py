"""Keeps derived months, and leaves out those that facts recorded since have touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from detak_collector.downtime.days import DayTotals
from detak_collector.downtime.months import ServiceMonth
from detak_collector.store.base import CaughtUp, DerivedMonth, News, Wanted
from detak_collector.store.database import Connection, Database
from detak_collector.store.disposed import kept_months
from detak_collector.store.noted import FEW, MARGIN_MS, Since, last_touched, mark_of, note, since_mark
from detak_collector.store.touched import Touch, fact_after, last_sequence, said_since, touched_between, touched_checks

_pack = msgspec.msgpack.Encoder().encode
_month = msgspec.msgpack.Decoder(ServiceMonth).decode


class _Shown(msgspec.Struct, array_like=True):
    """What pages show of a month beside its sums."""

    days: tuple[DayTotals, ...]
    lanes: bytes


_shown = msgspec.msgpack.Decoder(_Shown).decode

AHEAD = 5
"""So often what came meanwhile is looked through before the store is locked, where it was not few."""

MOST = 2 * FEW
"""Where more has come all the same, nothing is kept: to look at it while the store is locked would hold up beats."""

_LOAD = "SELECT begin_utc, service, digest, sequence, month, days FROM derived WHERE begin_utc BETWEEN ? AND ?"
_LOAD_WITHOUT_DAYS = _LOAD.replace(", days", "")
_KEEP = """
    INSERT INTO derived (service, begin_utc, end_utc, digest, sequence, month, days) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (begin_utc, service) DO UPDATE SET end_utc = excluded.end_utc, digest = excluded.digest,
        sequence = excluded.sequence, month = excluded.month, days = excluded.days
"""


class SqlDerived:
    """The months kept in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def catch_up(self) -> CaughtUp:
        """As the seam says. Most facts bear on no month that is kept: then nothing is written, but now and then."""
        goal: int | None = None
        while True:
            with self._database.reading() as connection:
                goal = last_sequence(connection) if goal is None else goal
                since, touched = since_mark(connection, goal), last_touched(connection)
            if since.is_worth_noting:
                touched = self.note(since)
            if since.latest >= goal:
                return CaughtUp(since.latest, touched)

    def note(self, since: Since) -> int:
        """Writes down what was found of facts, for all; the greatest number under which anything is written down."""
        with self._database.writing() as connection:
            note(connection, since)
            return last_touched(connection)

    def news(self, since: int) -> News:
        """As the seam says."""
        with self._database.reading() as connection:
            return News(last_sequence(connection), touched_checks(connection, since), said_since(connection, since))

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        """As the seam says."""
        asked = {(one.begin, one.service): one for one in wanted}
        if not asked:
            return []
        first, last = min(one.begin for one in wanted), max(one.begin for one in wanted)
        found = []
        with self._database.reading() as connection:
            touched = _Touched.of(connection)
            rows = connection.execute(_LOAD if days else _LOAD_WITHOUT_DAYS, (first, last))
            for begin, service, digest, sequence, month, *beside in rows:
                one = asked.get((begin, service))
                if one is not None and digest == one.digest and not touched.bear_on(one, sequence):
                    found.append(_read(one, month, *beside))
        return found

    def disposed(self, wanted: Sequence[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        """As the seam says."""
        with self._database.reading() as connection:
            return kept_months(connection, wanted, known_at)

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        """As the seam says."""
        known, sound = self.still_sound(months, mark)
        return self.put(sound, known) and len(sound) == len(months)

    def still_sound(self, months: Sequence[DerivedMonth], mark: int) -> tuple[int, Sequence[DerivedMonth]]:
        """Those on which no fact since the mark bears, up to a later mark, which few facts follow if that can be.

        Of an estate that has just come there are thousands: to look at them takes seconds, in which beats must go on.
        """
        nodes = {check.partition("/")[0] for one in months for check in one.of.checks}
        for _ in range(AHEAD):
            self.catch_up()
            with self._database.reading() as connection:
                latest = last_sequence(connection)
                if latest - mark < FEW:
                    break
                touched = _Touched.by(latest, touched_between(connection, mark, latest, nodes))
            months = [one for one in months if not touched.bear_on(one.of, mark)]
            mark = latest
        return mark, months

    def put(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        """Keeps those on which no fact since the mark bears, while the store is locked, and tells whether all were."""
        nodes = {check.partition("/")[0] for one in months for check in one.of.checks}
        with self._database.writing() as connection:
            latest = last_sequence(connection)
            if fact_after(connection, min(mark, mark_of(connection)), MOST + 1) is not None:
                return False
            since = since_mark(connection, latest)
            note(connection, since)
            touched = _Touched.by(latest, touched_between(connection, mark, latest, nodes))
            sound = [one for one in months if not touched.bear_on(one.of, mark)]
            rows = [
                (
                    one.of.service,
                    one.of.begin,
                    one.of.until,
                    one.of.digest,
                    since.latest,
                    _pack(one.month),
                    _pack(_Shown(one.days, one.lanes)),
                )
                for one in sound
            ]
            connection.executemany(_KEEP, rows)
            return len(sound) == len(months)


def _read(one: Wanted, month: bytes, beside: bytes | None = None) -> DerivedMonth:
    shown = _Shown((), b"") if beside is None else _shown(beside)
    return DerivedMonth(one, _month(month), shown.days, shown.lanes)


@dataclass(frozen=True, slots=True)
class _Touched:
    """The touches, by check (`node/check`, or `node/` for all of a node), each with the fact up to which it speaks."""

    by_check: dict[str, list[tuple[int, int, int]]]

    @staticmethod
    def of(connection: Connection) -> _Touched:
        """Those that are noted."""
        rows = connection.execute('SELECT sequence, node, "check", from_utc, to_utc FROM touched')
        return _Touched._made((sequence, Touch(*touch)) for sequence, *touch in rows)

    @staticmethod
    def by(sequence: int, touches: Iterable[Touch]) -> _Touched:
        """Those of the facts up to this one."""
        return _Touched._made((sequence, one) for one in touches)

    @staticmethod
    def _made(touches: Iterable[tuple[int, Touch]]) -> _Touched:
        by_check: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for sequence, one in touches:
            by_check[f"{one.node}/{one.check}"].append((sequence, one.begin - MARGIN_MS, one.end + MARGIN_MS))
        return _Touched(dict(by_check))

    def bear_on(self, one: Wanted, since: int) -> bool:
        """Whether any fact later than `since` bears on the month."""
        if not self.by_check:
            return False
        keys = {*one.checks, *(f"{check.partition('/')[0]}/" for check in one.checks)}
        return any(
            since < sequence and begin < one.until and one.since < end
            for key in keys
            for sequence, begin, end in self.by_check.get(key, ())
        )
