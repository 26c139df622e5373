"""What was seen, durable before it is sent: runs, ticks and closed records, on one connection.

All calls block until the disk has it and are made one after another (see `journal_thread`). A failed commit is
never retried.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from detak_agent.failures import CouldNotError, DiskFullError
from detak_agent.journal_file import checksum, connect, is_intact, transaction
from detak_agent.journal_reserve import Reserve
from detak_agent.outbox import Outbox
from detak_agent.records import Commit, Kept, Loss, Reached, TickRow, kind_of
from detak_agent.retention import Retention
from detak_agent.rows import CORRUPT, Rows
from detak_wire.codec import InvalidMessageError, decode, encode
from detak_wire.messages import Gap, PreviousRun, RunOpening, Span

DEFAULT_MAX_BYTES = 64 * 1024 * 1024
_ROOM_EVERY = 64
_RESERVE_EVERY = 600

_T = TypeVar("_T", bound=msgspec.Struct)


class Journal:
    """The journal of one agent. `outbox` says what each collector is still owed."""

    def __init__(
        self, connection: sqlite3.Connection, max_bytes: int = DEFAULT_MAX_BYTES, reserve: Reserve | None = None
    ) -> None:
        self._connection = connection
        self._reserve = reserve
        self._losses: list[Loss] = []
        self._rows = Rows(connection, self._losses)
        self._retention = Retention(connection, self._rows, max_bytes)
        self._commits = 0
        self.outbox = Outbox(connection, self._rows)

    @classmethod
    def open(cls, directory: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> Journal:
        """The journal in this directory; raises CouldNotError."""
        reserve = Reserve(directory)
        try:
            connection = connect(directory)
        except CouldNotError:
            # A full disk has no room for the index of the log, and SQLite calls that an I/O error.
            if not reserve.spend_where_full():
                raise
            connection = connect(directory)
        journal = cls(connection, max_bytes, reserve)
        journal.look_after_reserve()
        return journal

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def close_previous(self, now_utc: int) -> PreviousRun | None:
        """Close whatever an earlier process left open as at its last durable tick, and say how that run ended."""
        self._with_reserve(lambda: self._close_all(now_utc), now_utc)
        last = self._connection.execute(
            "SELECT run, boot, last_tick, last_number, stopped, stopped_agent FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if last is None or last[2] is None:
            return None
        return PreviousRun(*last)

    def _close_all(self, now_utc: int) -> None:
        with transaction(self._connection):
            left = self._connection.execute("SELECT id, run FROM run WHERE NOT ended").fetchall()
            for row, run in left:
                self._close_run(row, run, now_utc)

    def begin_run(self, run: str, opening: RunOpening, now_utc: int) -> None:
        """A run opens; its opening is record 0, owed to every collector."""
        self._with_reserve(lambda: self._open_run(run, opening, now_utc), now_utc)

    def _open_run(self, run: str, opening: RunOpening, now_utc: int) -> None:
        with transaction(self._connection):
            row = self._connection.execute(
                "INSERT INTO run (run, boot, tick_ms) VALUES (?, ?, ?)", (run, opening.boot, opening.tick_ms)
            ).lastrowid
            assert row is not None
            self._rows.insert(row, 0, "opening", encode(opening), now_utc)

    def commit(self, commit: Commit, now_utc: int) -> list[Loss]:
        """One tick, durable: how far each open span reaches, and what was closed. Raises JournalError.

        Returns what of this run the next commit is to name as lost; only with that commit is it dropped.
        """
        self._with_reserve(lambda: self._write(commit, now_utc), now_utc)
        self._commits += 1
        if commit.closed or self._commits % _ROOM_EVERY == 0:
            self._retention.make_room(now_utc)
        if self._commits % _RESERVE_EVERY == 0:
            self.look_after_reserve()
        losses = list(self._losses)
        self._losses.clear()
        return losses

    def _with_reserve(self, write: Callable[[], None], now_utc: int) -> None:
        """Write; on a full disk, once more with the space that was set aside for that."""
        try:
            write()
        except DiskFullError:
            if self._reserve is None or not self._reserve.spend():
                raise
            self._retention.tighten(now_utc)
            write()

    def look_after_reserve(self) -> None:
        """Set the reserve aside again as soon as there is room for it."""
        if self._reserve is not None and self._reserve.hold():
            self._retention.loosen()

    def _write(self, commit: Commit, now_utc: int) -> None:
        with transaction(self._connection):
            row = self._connection.execute("SELECT id FROM run WHERE run = ?", (commit.run,)).fetchone()[0]
            self._write_opened(row, commit)
            for record in commit.closed:
                self._drop_lost(row, record)
                self._connection.execute("DELETE FROM opened WHERE run = ? AND number = ?", (row, record.number))
                self._rows.insert(row, record.number, kind_of(record), encode(record), now_utc)
            self._write_tick(row, commit)
            if commit.ended:
                self._end(row, commit)

    def _drop_lost(self, row: int, record: Kept) -> None:
        if isinstance(record, Gap):
            for deletion in (
                "DELETE FROM opened WHERE run = ? AND number BETWEEN ? AND ?",
                "DELETE FROM record WHERE run = ? AND number BETWEEN ? AND ?",
            ):
                self._connection.execute(deletion, (row, record.first_number, record.last_number))

    def _write_opened(self, row: int, commit: Commit) -> None:
        for span in commit.open:
            if span.number > commit.opened_after:
                body = encode(span)
                self._connection.execute(
                    "INSERT INTO opened VALUES (?, ?, ?, ?)", (row, span.number, body, checksum(body))
                )

    def _write_tick(self, row: int, commit: Commit) -> None:
        reached = [
            Reached(span.number, span.last_begin, span.last_end, span.samples, span.largest_gap) for span in commit.open
        ]
        body = encode(TickRow(commit.tick, commit.last_number, reached, dict(commit.contacts)))
        self._connection.execute("REPLACE INTO tick VALUES (?, ?, ?)", (row, body, checksum(body)))

    def _end(self, row: int, commit: Commit) -> None:
        self._connection.execute(
            "UPDATE run SET ended = 1, last_tick = ?, last_number = ?, stopped = ?, stopped_agent = ? WHERE id = ?",
            (commit.tick, commit.last_number, commit.stopped, commit.stopped_agent, row),
        )

    def _close_run(self, row: int, run: str, now_utc: int) -> None:
        tick = self._last_tick(row, run)
        reached = {} if tick is None else {one.number: one for one in tick.reached}
        opened = self._connection.execute("SELECT number, body, checksum FROM opened WHERE run = ?", (row,)).fetchall()
        self._connection.execute(
            "UPDATE run SET ended = 1, last_tick = ?, last_number = ? WHERE id = ?",
            (None if tick is None else tick.tick, self._highest_number(row), row),
        )
        for number, body, check in opened:
            span = self._read(run, number, body, check, Span)
            if span is None:
                self._rows.lose(row, Loss(number, number, CORRUPT), now_utc)
            else:
                self._rows.insert(row, number, "span", encode(_ended(span, reached.get(number))), now_utc)
        self._connection.execute("DELETE FROM opened WHERE run = ?", (row,))

    def _last_tick(self, row: int, run: str) -> TickRow | None:
        kept = self._connection.execute("SELECT body, checksum FROM tick WHERE run = ?", (row,)).fetchone()
        return None if kept is None else self._read(run, 0, kept[0], kept[1], TickRow)

    def _highest_number(self, row: int) -> int:
        numbers = "SELECT run, number FROM record UNION SELECT run, number FROM opened"
        query = f"SELECT max(number) FROM ({numbers}) WHERE run = ?"  # noqa: S608 - no input
        return int(self._connection.execute(query, (row,)).fetchone()[0] or 0)

    def _read(self, run: str, number: int, body: bytes, check: int, kind: type[_T]) -> _T | None:
        if is_intact(body, check):
            try:
                return decode(body, kind)
            except InvalidMessageError:
                pass
        self._rows.quarantine(run, number, body, CORRUPT)
        return None


def _ended(span: Span, reached: Reached | None) -> Span:
    """The span as at the last durable tick."""
    if reached is None:
        return msgspec.structs.replace(span, closed=True)
    return msgspec.structs.replace(
        span,
        last_begin=reached.last_begin,
        last_end=reached.last_end,
        samples=reached.samples,
        largest_gap=reached.largest_gap,
        closed=True,
    )
