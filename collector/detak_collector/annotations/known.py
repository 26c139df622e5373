"""What was said of outages as the log has it now, read again only when something was entered. It writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from detak_collector.annotations.bodies import KINDS
from detak_collector.annotations.told import ToldOfAll
from detak_collector.pair.entry import Entry
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import SqlEntries, entries_of
from detak_collector.store.outages import merged_of


class TellsOfOutages(Protocol):
    """What was said of outages, now or as of an earlier moment (UTC ms)."""

    def told(self, moment: int | None = None) -> ToldOfAll:
        """All of it."""
        ...


def log_of(connection: Connection) -> list[Entry]:
    """All entries that say something of outages."""
    return [one for kind in KINDS for one in entries_of(connection, kind)]


@dataclass(slots=True)
class KnownAnnotations:
    """Any thread may ask it."""

    database: Database
    _known: tuple[int, list[Entry]] = field(default=(-1, []), init=False)
    _told: tuple[int, dict[int, int], ToldOfAll] | None = field(default=None, init=False)

    def told(self, moment: int | None = None) -> ToldOfAll:
        """What was said, now or as of an earlier moment."""
        mark = SqlEntries(self.database).mark()
        known = self._known
        with self.database.reading() as connection:
            if known[0] != mark:
                known = self._known = (mark, log_of(connection))
            merged = merged_of(connection) if known[1] else {}
        if moment is not None:
            return ToldOfAll.of(known[1], merged, moment)
        told = self._told
        if told is None or told[0] != known[0] or told[1] != merged:
            told = self._told = (known[0], merged, ToldOfAll.of(known[1], merged))
        return told[2]
