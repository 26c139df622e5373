"""Rules that can tell how they stood earlier, in a process that has only the database: for what is sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detak_collector.catalogue.register import Register
from detak_collector.decisions.corrections import Corrections, known
from detak_collector.decisions.recording import log_of
from detak_collector.rules import Rules
from detak_collector.store.database import Database
from detak_collector.store.entries import SqlEntries


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was proposed and decided, read from the log each time."""

    database: Database

    def as_of(self, moment: int) -> Corrections:
        """As it stood at a moment."""
        with self.database.reading() as connection:
            return known(log_of(connection), moment)


def with_past(rules: Rules, database: Database) -> Rules:
    """The same rules with their history out of the log."""
    standing = None if rules.versions is None else Register(SqlEntries(database)).standing()
    return replace(rules, decided=_Decided(database), versions=standing)
