"""Keeps the journal within its bound. What must go leaves a gap record behind, so that loss never looks like up."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass

from detak_agent.journal_file import transaction, used_bytes
from detak_agent.records import Loss
from detak_agent.rows import Rows

_log = logging.getLogger("detak_agent")

KEEP_MS = 7 * 24 * 3_600_000
"""How long a record stays that every collector has, while there is room."""

_TIDY_EVERY_MS = 600_000
_BATCH = 500
_FULL_PERCENT = 90
_ROOMY_PERCENT = 80

_DROPPABLE = """
SELECT sequence, run, number,
    (SELECT group_concat(collector) FROM owed WHERE owed.sequence = record.sequence)
FROM record WHERE number > 0 AND {condition} ORDER BY sequence LIMIT ?
"""
_OWED_TO_NOBODY = "sequence NOT IN (SELECT sequence FROM owed)"
_HELD_BY_SOMEBODY = (
    "(SELECT count(*) FROM owed WHERE owed.sequence = record.sequence) < (SELECT count(*) FROM collector) "
    "AND sequence IN (SELECT sequence FROM owed) AND kind != 'gap'"
)
_ANY = "kind != 'gap'"

_DROP_OLD = f"DELETE FROM record WHERE number > 0 AND recorded_utc < ? AND {_OWED_TO_NOBODY}"  # noqa: S608 - no input
_EMPTY_RUNS = f"""
SELECT id FROM run WHERE ended AND id < (SELECT max(id) FROM run) AND NOT EXISTS (
    SELECT 1 FROM record
    WHERE record.run = run.id AND (number > 0 OR recorded_utc >= ? OR NOT {_OWED_TO_NOBODY})
)
"""  # noqa: S608 - no input
_DROP_RUN = (
    "DELETE FROM record WHERE run = ?",
    "DELETE FROM tick WHERE run = ?",
    "DELETE FROM run WHERE id = ?",
)


@dataclass(slots=True)
class _Stretch:
    """Neighbouring numbers of one run that are to be dropped, and whom they are owed to."""

    run: int
    first: int
    last: int
    owed: str
    sequences: list[int]


class Retention:
    """Drops first what every collector has, then what some collector has, then what is oldest."""

    def __init__(self, connection: sqlite3.Connection, rows: Rows, max_bytes: int) -> None:
        self._connection = connection
        self._rows = rows
        self._allowed_bytes = self._max_bytes = max_bytes
        self._tidied_utc: int | None = None

    def make_room(self, now_utc: int) -> None:
        """Tidy up now and then; drop what must be dropped."""
        if self._tidied_utc is None or abs(now_utc - self._tidied_utc) >= _TIDY_EVERY_MS:
            self._tidied_utc = now_utc
            self._tidy(now_utc)
        if self._fills(_FULL_PERCENT):
            for condition in (_OWED_TO_NOBODY, _HELD_BY_SOMEBODY, _ANY):
                while self._fills(_ROOMY_PERCENT) and self._drop(condition, now_utc):
                    pass

    def tighten(self, now_utc: int) -> None:
        """The disk is full: from now on the journal takes no more than it takes already."""
        self._max_bytes = min(self._max_bytes, used_bytes(self._connection))
        self.make_room(now_utc)

    def loosen(self) -> None:
        """There is room again."""
        self._max_bytes = self._allowed_bytes

    def _fills(self, percent: int) -> bool:
        return used_bytes(self._connection) * 100 > self._max_bytes * percent

    def _tidy(self, now_utc: int) -> None:
        old_utc = now_utc - KEEP_MS
        with transaction(self._connection):
            self._connection.execute(_DROP_OLD, (old_utc,))
            empty = self._connection.execute(_EMPTY_RUNS, (old_utc,)).fetchall()
            for deletion in _DROP_RUN:
                self._connection.executemany(deletion, empty)

    def _drop(self, condition: str, now_utc: int) -> bool:
        """One batch, oldest first; False when nothing can be won that way for now."""
        rows = self._connection.execute(_DROPPABLE.format(condition=condition), (_BATCH,)).fetchall()
        won = 0
        with transaction(self._connection):
            for stretch in _stretches(rows):
                won += self._drop_stretch(stretch, now_utc)
        return won > 0

    def _drop_stretch(self, stretch: _Stretch, now_utc: int) -> int:
        """How many rows that wins. What is owed goes only once a gap names it, in the same transaction."""
        if stretch.owed:
            if len(stretch.sequences) == 1:
                return 0
            lost = Loss(stretch.first, stretch.last, "the journal was full")
            if not self._rows.lose(stretch.run, lost, now_utc):
                return 0
            _log.warning("journal: full; %d records that a collector lacks are dropped", len(stretch.sequences))
        self._connection.executemany(
            "DELETE FROM record WHERE sequence = ?", [(sequence,) for sequence in stretch.sequences]
        )
        return len(stretch.sequences) - (1 if stretch.owed else 0)


def _stretches(rows: list[tuple[int, int, int, str | None]]) -> list[_Stretch]:
    """Neighbours of one run that are owed to the same collectors, joined."""
    stretches: list[_Stretch] = []
    for sequence, run, number, owed in sorted(rows, key=lambda row: (row[1], row[2])):
        before = stretches[-1] if stretches else None
        if before is not None and (before.run, before.last + 1, before.owed) == (run, number, owed or ""):
            before.last = number
            before.sequences.append(sequence)
        else:
            stretches.append(_Stretch(run, number, number, owed or "", [sequence]))
    return stretches
