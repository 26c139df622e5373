"""Texts that repeat (check names, messages, marks), kept once and referred to by number."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detak_collector.store.database import Connection

REMEMBERED = 50_000
"""How many are kept in memory; beyond it, all are forgotten and looked up again."""

_encode = msgspec.json.Encoder(order="sorted").encode


class Texts:
    """The table `text` behind a memory. What a rolled back transaction added must be forgotten by `forget`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of `text`, which is added if it is new."""
        known = self._numbers.get(text)
        if known is None:
            known = self._find(text) or self._add(text)
            if len(self._numbers) >= REMEMBERED:
                self._numbers.clear()
            self._numbers[text] = known
        return known

    def optional(self, text: str) -> int | None:
        """The same; nothing for nothing."""
        return self.number(text) if text else None

    def marks(self, marks: Mapping[str, str]) -> int | None:
        """The number of a set of continuity marks."""
        return self.number(_encode(marks).decode()) if marks else None

    def text(self, number: int) -> str:
        """The text of a number."""
        row = self._connection.execute("SELECT text FROM text WHERE id = ?", (number,)).fetchone()
        return str(row[0])

    def forget(self) -> None:
        """Empties the memory."""
        self._numbers.clear()

    def _find(self, text: str) -> int | None:
        found = self._connection.execute("SELECT id FROM text WHERE text = ?", (text,)).fetchall()
        return found[0][0] if found else None

    def _add(self, text: str) -> int:
        (added,) = self._connection.execute("INSERT INTO text (text) VALUES (?) RETURNING id", (text,)).fetchone()
        return int(added)
