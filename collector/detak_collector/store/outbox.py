"""The outbox in one database: who sends a mail has claimed it, and what was handed over never waits again by itself.

What was handed over is also an entry of the log, so the other collector of a pair knows it too. Any thread may use it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from detak_collector.mail.letter import CLAIM_MS, CLOSED, Letter, Standing
from detak_collector.pair.entry import MAIL
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import append, entries_of
from detak_collector.store.instance import of_connection

RESTORED = "made before the store was restored or moved: it may have been sent since"
INTERRUPTED = "broken off after the server had agreed to take it: it may have arrived"
ELSEWHERE = "the other collector has sent it"
AUTHOR = "the collector"
AFTER_DIGITS = "~"
"""What stands behind every digit of a key, in any database's order."""

_COLUMNS = (
    "key, purpose, title, recipient, covers, content, made_utc, head, epoch, state, state_utc, tries, due_utc, said"
)
_INSERT = f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_SELECT = f"SELECT {_COLUMNS} FROM outbox"  # noqa: S608 - constants
_CLOSE = "UPDATE outbox SET state = ?, state_utc = ?, said = ?, claim = '' WHERE "
_MINE = "key = ? AND claim = ?"
_EMPTIED = "UPDATE outbox SET content = NULL WHERE content IS NOT NULL AND state IN ('sent', 'dropped')"


@dataclass(frozen=True, slots=True)
class Box:
    """How the outbox stands: how many mails wait, the oldest since when (UTC ms), and how many somebody must see to."""

    waiting: int = 0
    since_utc: int | None = None
    troubled: int = 0


class SqlOutbox:
    """Mails with how they stand. Times are UTC milliseconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told(self) -> frozenset[str]:
        """The keys of all that somebody was told, or will be by a mail that waits; also by the other collector."""
        with self._database.reading() as connection:
            return frozenset(_told(connection))

    def add(self, letters: Iterable[Letter]) -> int:
        """Takes the mails that tell of something not told yet, all at once; how many those were."""
        with self._database.writing() as connection:
            told, epoch = set(_told(connection)), of_connection(connection).epoch
            added = 0
            for one in letters:
                if told.isdisjoint(one.covers):
                    connection.execute(_INSERT, _values(one, epoch))
                    told.update(one.covers)
                    added += 1
            return added

    def settle(self, now_utc: int) -> None:
        """What a process that is no more has left: before the server agreed it waits again, after that it is unsure."""
        with self._database.writing() as connection:
            back = "UPDATE outbox SET state = 'waiting', claim = '' WHERE state = 'sending' AND due_utc <= ?"
            connection.execute(back, (now_utc,))
            unsure = (str(Standing.UNSURE), now_utc)
            connection.execute(f"{_CLOSE}state = 'handed over' AND due_utc <= ?", (*unsure, INTERRUPTED, now_utc))
            epoch = of_connection(connection).epoch
            connection.execute(f"{_CLOSE}state = 'waiting' AND epoch <> ?", (*unsure, RESTORED, epoch))
            _leave_to_the_other(connection, now_utc)
            connection.execute(_EMPTIED)

    def due(self, now_utc: int) -> list[str]:
        """The keys of what is to be sent now, what has waited longest first."""
        query = "SELECT key FROM outbox WHERE state = 'waiting' AND due_utc <= ? ORDER BY due_utc, made_utc, key"
        with self._database.reading() as connection:
            return [key for (key,) in connection.execute(query, (now_utc,))]

    def claim(self, key: str, now_utc: int) -> tuple[Letter, str] | None:
        """Takes a mail to send it: the mail, and what proves that it was taken. None where another process has it."""
        proof = secrets.token_hex(8)
        with self._database.writing() as connection:
            query = (
                "UPDATE outbox SET state = 'sending', state_utc = ?, claim = ?, due_utc = ?, tries = tries + 1 "
                "WHERE key = ? AND state = 'waiting' AND due_utc <= ?"
            )
            taken = connection.execute(query, (now_utc, proof, now_utc + CLAIM_MS, key, now_utc)).rowcount
            letter = _found(connection, key) if taken == 1 else None
        return None if letter is None else (letter, proof)

    def hand_over(self, letter: Letter, proof: str, now_utc: int) -> bool:
        """The server agreed to take it: from here on it is not sent again by itself. False: it must not be sent."""
        with self._database.writing() as connection:
            query = f"UPDATE outbox SET state = 'handed over', state_utc = ? WHERE {_MINE} AND state = 'sending'"  # noqa: S608
            is_mine = connection.execute(query, (now_utc, letter.key, proof)).rowcount == 1
            if is_mine:
                append(connection, MAIL, _body(letter), AUTHOR, now_utc)
            return is_mine

    def wait(self, key: str, proof: str, due_utc: int, said: str, now_utc: int) -> None:
        """The server has not taken it; it is tried again then."""
        with self._database.writing() as connection:
            query = "UPDATE outbox SET state = 'waiting', state_utc = ?, claim = '', due_utc = ?, said = ? WHERE "
            connection.execute(f"{query}{_MINE}", (now_utc, due_utc, said, key, proof))

    def close(self, key: str, proof: str, standing: Standing, said: str, now_utc: int) -> None:
        """It is not tried again. What was settled meanwhile as unsure is, if this knows better, what this says."""
        with self._database.writing() as connection:
            late = "(claim = ? OR (claim = '' AND state = 'unsure'))"
            connection.execute(f"{_CLOSE}key = ? AND {late}", (str(standing), now_utc, said, key, proof))
            connection.execute(_EMPTIED)

    def drop(self, key: str, now_utc: int) -> None:
        """Somebody says that it is not to be sent, or that what became of it is seen to."""
        with self._database.writing() as connection:
            states = "('waiting', 'refused', 'unsure')"
            connection.execute(f"{_CLOSE}key = ? AND state IN {states}", (str(Standing.DROPPED), now_utc, "", key))
            connection.execute(_EMPTIED)

    def again(self, key: str, now_utc: int) -> None:
        """Somebody says that what was refused, or may have arrived, is to be sent once more."""
        with self._database.writing() as connection:
            query = (
                "UPDATE outbox SET state = 'waiting', state_utc = ?, made_utc = ?, due_utc = ?, tries = 0, epoch = ? "
                "WHERE key = ? AND state IN ('refused', 'unsure', 'waiting')"
            )
            connection.execute(query, (now_utc, now_utc, now_utc, of_connection(connection).epoch, key))

    def find(self, beginning: str) -> list[Letter]:
        """The mails whose key begins so."""
        with self._database.reading() as connection:
            query = f"{_SELECT} WHERE key >= ? AND key < ? ORDER BY key"
            return [_letter(row) for row in connection.execute(query, (beginning, f"{beginning}{AFTER_DIGITS}"))]

    def with_keys(self, keys: Iterable[str]) -> list[Letter]:
        """Those of these that are here."""
        with self._database.reading() as connection:
            return [one for key in sorted(keys) if (one := _found(connection, key)) is not None]

    def box(self) -> Box:
        """What is not sent, counted."""
        query = (
            "SELECT sum(CASE WHEN state IN ('waiting', 'sending') THEN 1 ELSE 0 END), "
            "min(CASE WHEN state IN ('waiting', 'sending') THEN made_utc END), "
            "sum(CASE WHEN state IN ('refused', 'unsure') THEN 1 ELSE 0 END) FROM outbox"
        )
        with self._database.reading() as connection:
            waiting, since, troubled = connection.execute(query).fetchone()
        return Box(int(waiting or 0), since, int(troubled or 0))

    def listing(self, since_utc: int) -> list[Letter]:
        """All that is not closed, or is trouble, and what was closed since then; the latest last."""
        closed = ", ".join(f"'{one}'" for one in sorted(CLOSED - {Standing.UNSURE, Standing.REFUSED}))
        query = f"{_SELECT} WHERE state NOT IN ({closed}) OR state_utc >= ? ORDER BY made_utc, recipient, key"
        with self._database.reading() as connection:
            return [_letter(row) for row in connection.execute(query, (since_utc,))]


def _told(connection: Connection) -> Iterator[str]:
    for (covers,) in connection.execute("SELECT covers FROM outbox"):
        yield from json.loads(covers)
    for entry in entries_of(connection, MAIL):
        yield from entry.told.get("covers", ())


def _leave_to_the_other(connection: Connection, now_utc: int) -> None:
    """What waits here and was handed over by the other collector of the pair is not sent twice."""
    waiting = connection.execute("SELECT key, covers FROM outbox WHERE state = 'waiting' AND tries = 0").fetchall()
    if not waiting:
        return
    (here,) = connection.execute("SELECT identity FROM collector").fetchone()
    others = {key for one in entries_of(connection, MAIL) if one.collector != here for key in one.told["covers"]}
    for key, covers in waiting:
        if not others.isdisjoint(json.loads(covers)):
            connection.execute(f"{_CLOSE}key = ?", (str(Standing.SENT), now_utc, ELSEWHERE, key))


def _body(letter: Letter) -> dict[str, Any]:
    """What the log keeps: no address, since what is in the log stays for good."""
    return {"key": letter.key, "purpose": letter.purpose, "covers": list(letter.covers), "head": letter.head}


def _values(one: Letter, epoch: int) -> tuple[Any, ...]:
    return (
        one.key, one.purpose, one.title, one.recipient, json.dumps(one.covers), one.content, one.made_utc, one.head,
        epoch, str(one.standing), one.made_utc, one.tries, one.made_utc, one.said,
    )  # fmt: skip


def _found(connection: Connection, key: str) -> Letter | None:
    row = connection.execute(f"{_SELECT} WHERE key = ?", (key,)).fetchone()
    return None if row is None else _letter(row)


def _letter(row: tuple[Any, ...]) -> Letter:
    key, purpose, title, recipient, covers, content, made, head, epoch, state, state_utc, tries, due, said = row
    return Letter(
        key, purpose, title, recipient, tuple(json.loads(covers)), bytes(content or b""), made, head, epoch,
        Standing(state), state_utc, tries, due, said,
    )  # fmt: skip
