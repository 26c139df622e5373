"""The queue of notices in one database, and what each target was told. Any thread may use it.

What a target has taken is also an entry of the log, so the other collector of a pair knows it too, and a collector
that was restarted, or promoted, tells nothing again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from detak_collector.notify.items import Event, Item, Message
from detak_collector.notify.queue import KEPT_MS, Notice, Standing
from detak_collector.pair.entry import NOTICE
from detak_collector.store.database import Connection, Database
from detak_collector.store.duty import Duty
from detak_collector.store.entries import append
from detak_collector.store.instance import of_connection

AUTHOR = "the collector"
FORGOTTEN_MS = 30 * 86_400_000
"""So long after its end a matter is remembered."""

_INSERT = """
    INSERT INTO notice (key, target, place, message, made_utc, epoch, state, state_utc, due_utc)
    VALUES (?, ?, (SELECT coalesce(max(place), 0) + 1 FROM notice), ?, ?, ?, 'waiting', ?, ?)
    ON CONFLICT (key) DO NOTHING
"""
_SELECT = "SELECT message, state, state_utc, tries, due_utc, said FROM notice"
_SET = """
    UPDATE notice SET state = ?, state_utc = ?, tries = ?, due_utc = ?, said = ?
    WHERE key = ? AND state = 'waiting'
"""
_LEAVE = "UPDATE notice SET state = 'left', state_utc = ? WHERE state = 'waiting'"


class Taken(msgspec.Struct, frozen=True):
    """What the log keeps of a notice that a target has taken."""

    key: str
    target: str
    event: Event
    items: tuple[Item, ...]


class SqlNotices:
    """The queue. What is told under a duty is written only by who has it."""

    def __init__(self, database: Database, duty: Duty) -> None:
        self._database = database
        self._duty = duty
        self._read_to = 0
        self._taken: dict[str, dict[str, Item]] = {}

    def told(self, now_utc: int) -> dict[str, dict[str, Item]]:
        """By target and matter the latest item: taken, waiting to be sent, or given up. One caller at a time."""
        with self._database.reading() as connection:
            self._catch_up(connection, now_utc)
            told = {target: dict(items) for target, items in self._taken.items()}
            query = f"{_SELECT} WHERE state IN ('waiting', 'given up') ORDER BY place"
            for row in connection.execute(query):
                message = _notice(row).message
                _learn(told.setdefault(message.target, {}), message.items)
            return told

    def add(self, messages: Iterable[Message]) -> int:
        """Takes the messages that are not there yet, all at once and in order; how many those were."""
        with self._database.writing() as connection:
            self._duty.require(connection)
            epoch, added = of_connection(connection).epoch, 0
            for one in messages:
                encoded = msgspec.json.encode(one).decode()
                values = (one.key, one.target, encoded, one.made_utc, epoch, one.made_utc, one.made_utc)
                added += connection.execute(_INSERT, values).rowcount
            return added

    def settle(self, targets: Collection[str], now_utc: int, *, leads: bool) -> None:
        """Leaves what is not this collector's to send, or nobody's any more, and forgets what is long over."""
        with self._database.writing() as connection:
            if leads:
                connection.execute(f"{_LEAVE} AND epoch <> ?", (now_utc, of_connection(connection).epoch))
            else:
                connection.execute(_LEAVE, (now_utc,))
            for (name,) in connection.execute("SELECT DISTINCT target FROM notice WHERE state = 'waiting'").fetchall():
                if name not in targets:
                    connection.execute(f"{_LEAVE} AND target = ?", (now_utc, name))
            connection.execute("DELETE FROM notice WHERE state <> 'waiting' AND state_utc < ?", (now_utc - KEPT_MS,))

    def next(self, target: str, now_utc: int) -> Notice | None:
        """The first of a target's notices that waits, once it is due: none overtakes the one before it."""
        with self._database.reading() as connection:
            query = f"{_SELECT} WHERE target = ? AND state = 'waiting' ORDER BY place LIMIT 1"
            row = connection.execute(query, (target,)).fetchone()
        found = None if row is None else _notice(row)
        return found if found is not None and found.due_utc <= now_utc else None

    def take(self, notice: Notice, said: str, now_utc: int) -> None:
        """The target has it: durably, and in the log."""
        message = notice.message
        with self._database.writing() as connection:
            values = (str(Standing.SENT), now_utc, notice.tries + 1, now_utc, said, message.key)
            if connection.execute(_SET, values).rowcount == 1:
                items = tuple(one.compact for one in message.items)
                body = msgspec.to_builtins(Taken(message.key, message.target, message.event, items))
                append(connection, NOTICE, body, AUTHOR, now_utc)

    def put_off(self, notice: Notice, due_utc: int | None, said: str, now_utc: int) -> None:
        """The target has not taken it; it is tried again then, or not any more."""
        standing = Standing.GIVEN_UP if due_utc is None else Standing.WAITING
        due = now_utc if due_utc is None else due_utc
        with self._database.writing() as connection:
            values = (str(standing), now_utc, notice.tries + 1, due, said, notice.message.key)
            connection.execute(_SET, values)

    def listing(self) -> list[Notice]:
        """All that is kept, in order."""
        with self._database.reading() as connection:
            return [_notice(row) for row in connection.execute(f"{_SELECT} ORDER BY place")]

    def _catch_up(self, connection: Connection, now_utc: int) -> None:
        query = "SELECT number, body FROM entry WHERE kind = ? AND number > ? ORDER BY number"
        for number, body in connection.execute(query, (NOTICE, self._read_to)):
            self._read_to = int(number)
            taken = _taken(body)
            if taken is not None:
                _learn(self._taken.setdefault(taken.target, {}), taken.items)
        for items in self._taken.values():
            for matter in [matter for matter, one in items.items() if one.over and one.at < now_utc - FORGOTTEN_MS]:
                del items[matter]


def _learn(told: dict[str, Item], items: Iterable[Item]) -> None:
    for one in items:
        before = told.get(one.matter)
        if before is None or before.at <= one.at:
            told[one.matter] = one


def _taken(body: str) -> Taken | None:
    """What another version says in other words is left out."""
    try:
        return msgspec.json.decode(body, type=Taken)
    except msgspec.DecodeError:
        return None


def _notice(row: tuple[Any, ...]) -> Notice:
    message, state, state_utc, tries, due_utc, said = row
    told = msgspec.json.decode(message, type=Message)
    return Notice(told, Standing(state), state_utc, tries, due_utc, said)
