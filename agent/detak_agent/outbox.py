"""What each collector has not acknowledged: kept as one small row for each record and collector.

A record is owed until a collector says that it holds it, and owed again to one that
has lost it (restored from a backup).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from detak_agent.journal_file import is_intact, transaction
from detak_agent.records import RECORD_TYPES, Loss, Owed
from detak_agent.rows import CORRUPT, Rows
from detak_wire import limits
from detak_wire.codec import InvalidMessageError, decode
from detak_wire.messages import Exchange, Gap, Part, RunOpening, Span, Stored

_UNDELIVERED_BYTES = 1024 * 1024
_RUNS_PER_MESSAGE = limits.PARTS_PER_MESSAGE - 2

_RECORDS = """
SELECT record.sequence, run.id, run.run, record.number, record.kind, record.body, record.checksum, recorded_utc
FROM record JOIN run ON run.id = record.run
"""
_OWED = f"{_RECORDS} JOIN owed USING (sequence) WHERE owed.collector = ?"


@dataclass(slots=True)
class _Gathered:
    """The records of one run that go into one message."""

    opening: RunOpening | None = None
    spans: list[Span] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def take(self, record: RunOpening | Span | Exchange | Gap) -> None:
        if isinstance(record, RunOpening):
            self.opening = record
        elif isinstance(record, Span):
            self.spans.append(record)
        elif isinstance(record, Exchange):
            self.exchanges.append(record)
        else:
            self.gaps.append(record)


class _Row(NamedTuple):
    """A record as the journal has it."""

    sequence: int
    run: int
    run_name: str
    number: int
    kind: str
    body: bytes
    checksum: int
    recorded_utc: int


class Outbox:
    """The cursors of all collectors. Every method blocks; changes are durable when it returns."""

    def __init__(self, connection: sqlite3.Connection, rows: Rows) -> None:
        self._connection = connection
        self._rows = rows

    def configure(self, urls: Sequence[str]) -> None:
        """These are the collectors from now on: a new one is owed everything, one that is gone nothing."""
        with transaction(self._connection):
            known = {url for (url,) in self._connection.execute("SELECT url FROM collector")}
            for url in known - set(urls):
                self._connection.execute("DELETE FROM collector WHERE url = ?", (url,))
            for url in sorted(set(urls) - known):
                row = self._connection.execute("INSERT INTO collector (url) VALUES (?)", (url,)).lastrowid
                self._connection.execute("INSERT INTO owed SELECT ?, sequence FROM record", (row,))

    def runs(self) -> dict[str, int]:
        """The lowest number still kept of each run, newest run first; the one after the last where none is."""
        query = """
            SELECT run.run, coalesce(min(record.number), run.last_number + 1, 1)
            FROM run LEFT JOIN record ON record.run = run.id AND record.number > 0
            GROUP BY run.id ORDER BY run.id DESC LIMIT ?
        """
        return dict(self._connection.execute(query, (limits.RANGES,)).fetchall())

    def owed(self, url: str, most: int) -> Owed:
        """The newest records that this collector lacks, with the openings of their runs, and how many remain."""
        collector = self._collector(url)
        rows = self._connection.execute(
            f"{_OWED} AND record.number > 0 ORDER BY owed.sequence DESC LIMIT ?", (collector, most)
        )
        gathered: dict[str, _Gathered] = {}
        records = self._gather(rows, gathered)
        openings = self._connection.execute(
            f"{_OWED} AND record.number = 0 ORDER BY owed.sequence DESC LIMIT ?",
            (collector, _RUNS_PER_MESSAGE),
        )
        self._gather(openings, gathered)
        parts = tuple(
            Part(run, opening=one.opening, spans=one.spans, exchanges=one.exchanges, gaps=one.gaps)
            for run, one in gathered.items()
        )
        return Owed(parts, records, self._count(collector) - records)

    def acknowledge(self, url: str, stored: Mapping[str, Stored]) -> bool:
        """What the collector says it holds; True if it holds less than it had said before, and is owed that again."""
        collector = self._collector(url)
        has_lost = False
        with transaction(self._connection):
            for run, now in stored.items():
                row = self._connection.execute("SELECT id FROM run WHERE run = ?", (run,)).fetchone()
                if row is not None:
                    has_lost |= self._acknowledge_run(collector, row[0], now)
        return has_lost

    def forget(self, url: str, run: str) -> None:
        """The collector does not know this run: it is owed all of it again."""
        self.acknowledge(url, {run: Stored(opened=False, mark=0)})

    def set_aside(self, run: str, number: int, reason: str) -> bool:
        """A record that was found invalid gives way to a gap that names it; False if there is no such record."""
        found = self._connection.execute(
            f"{_RECORDS} WHERE record.number = ? AND run.run = ?", (number, run)
        ).fetchone()
        if found is None:
            return False
        with transaction(self._connection):
            self._set_aside(_Row(*found), reason)
        return True

    def _collector(self, url: str) -> int:
        row = self._connection.execute("SELECT id FROM collector WHERE url = ?", (url,)).fetchone()
        assert row is not None, "configure() comes first"
        return int(row[0])

    def _count(self, collector: int) -> int:
        query = "SELECT count(*) FROM owed JOIN record USING (sequence) WHERE collector = ? AND number > 0"
        return int(self._connection.execute(query, (collector,)).fetchone()[0])

    def _gather(self, rows: sqlite3.Cursor, gathered: dict[str, _Gathered]) -> int:
        taken = size = 0
        for row in map(_Row._make, rows.fetchall()):
            if row.run_name not in gathered and len(gathered) >= _RUNS_PER_MESSAGE:
                break
            record = self._read(row)
            if record is not None:
                gathered.setdefault(row.run_name, _Gathered()).take(record)
                taken += 1
                size += len(row.body)
            if size > _UNDELIVERED_BYTES:
                break
        return taken

    def _read(self, row: _Row) -> RunOpening | Span | Exchange | Gap | None:
        if is_intact(row.body, row.checksum) and row.kind in RECORD_TYPES:
            try:
                return decode(row.body, RECORD_TYPES[row.kind])
            except InvalidMessageError:
                pass
        with transaction(self._connection):
            self._set_aside(row, CORRUPT)
        return None

    def _set_aside(self, row: _Row, reason: str) -> None:
        self._rows.quarantine(row.run_name, row.number, row.body, reason)
        if row.number == 0:
            self._connection.execute("DELETE FROM owed WHERE sequence = ?", (row.sequence,))
            return
        self._connection.execute("DELETE FROM record WHERE sequence = ?", (row.sequence,))
        if row.kind != "gap":
            loss = Loss(row.number, row.number, reason[: limits.MESSAGE_CHARACTERS])
            self._rows.lose(row.run, loss, row.recorded_utc)

    def _acknowledge_run(self, collector: int, run: int, now: Stored) -> bool:
        before = self._stored(collector, run)
        now = Stored(opened=now.opened, mark=now.mark, ranges=now.ranges)
        if before == now:
            return False
        self._connection.execute(
            "REPLACE INTO stored VALUES (?, ?, ?, ?, ?)",
            (collector, run, now.opened, now.mark, msgspec.json.encode(now.ranges)),
        )
        for first, last in _held(now):
            self._connection.execute(
                "DELETE FROM owed WHERE collector = ? AND sequence IN "
                "(SELECT sequence FROM record WHERE run = ? AND number BETWEEN ? AND ?)",
                (collector, run, first, last),
            )
        has_lost = _has_lost(before, now)
        if has_lost:
            self._owe_again(collector, run, now)
        return has_lost

    def _stored(self, collector: int, run: int) -> Stored | None:
        row = self._connection.execute(
            "SELECT opened, mark, ranges FROM stored WHERE collector = ? AND run = ?", (collector, run)
        ).fetchone()
        if row is None:
            return None
        return Stored(opened=bool(row[0]), mark=row[1], ranges=msgspec.json.decode(row[2], type=list[tuple[int, int]]))

    def _owe_again(self, collector: int, run: int, now: Stored) -> None:
        held = list(_held(now))
        kept = self._connection.execute("SELECT sequence, number FROM record WHERE run = ?", (run,)).fetchall()
        lacking = [
            (collector, sequence)
            for sequence, number in kept
            if not any(first <= number <= last for first, last in held)
        ]
        self._connection.executemany("INSERT OR IGNORE INTO owed VALUES (?, ?)", lacking)


def _held(stored: Stored) -> Iterable[tuple[int, int]]:
    if stored.opened:
        yield (0, 0)
    if stored.mark:
        yield (1, stored.mark)
    yield from stored.ranges


def _has_lost(before: Stored | None, now: Stored) -> bool:
    if before is None:
        return False
    held = list(_held(now))
    return any(not any(low <= first and last <= high for low, high in held) for first, last in _held(before))
