"""Rows of closed records, as every part of the journal writes them; always within a transaction of the caller."""

from __future__ import annotations

import logging
import sqlite3

from detak_agent.journal_file import checksum
from detak_agent.records import Loss
from detak_wire.codec import encode
from detak_wire.messages import Gap

_log = logging.getLogger("detak_agent")

CORRUPT = "the journal's row was corrupt"
_QUARANTINE_ROWS = 100


class Rows:
    """Writes records, gaps and what is set aside. Losses of the running run are collected for its next commit."""

    def __init__(self, connection: sqlite3.Connection, losses: list[Loss]) -> None:
        self._connection = connection
        self._losses = losses

    def insert(self, run: int, number: int, kind: str, body: bytes, now_utc: int) -> None:
        """A closed record, owed to every collector."""
        sequence = self._connection.execute(
            "INSERT INTO record (run, number, kind, body, checksum, recorded_utc) VALUES (?, ?, ?, ?, ?, ?)",
            (run, number, kind, body, checksum(body), now_utc),
        ).lastrowid
        self._connection.execute("INSERT INTO owed SELECT id, ? FROM collector", (sequence,))

    def lose(self, run: int, loss: Loss, now_utc: int) -> bool:
        """Name records as lost. True if the gap stands in the journal, False if the run itself has yet to write it."""
        ended = self._connection.execute("SELECT last_number FROM run WHERE id = ? AND ended", (run,)).fetchone()
        if ended is None:
            self._losses.append(loss)
            return False
        number = (ended[0] or 0) + 1
        self._connection.execute("UPDATE run SET last_number = ? WHERE id = ?", (number, run))
        self.insert(run, number, "gap", encode(Gap(number, loss.first, loss.last, loss.reason)), now_utc)
        return True

    def quarantine(self, run: str, number: int, body: bytes, reason: str) -> None:
        """Keep what could not be used, for a person to look at."""
        _log.error("journal: record %d of run %s is set aside: %s", number, run, reason)
        self._connection.execute(
            "INSERT INTO quarantine (run, number, body, reason) VALUES (?, ?, ?, ?)", (run, number, body, reason)
        )
        self._connection.execute(
            "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (_QUARANTINE_ROWS,)
        )
