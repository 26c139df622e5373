"""The store as the deriving process uses it: it reads by itself, and leaves every writing to the serving process.

So one process alone decides whether the disk can be relied on, whose turn it is to give numbers, and when to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from detak_collector.clocks import Reading
from detak_collector.deriving.messages import Errand, Note, Number, Outcome, Put
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found
from detak_collector.store import facts as fact_rows
from detak_collector.store.base import DerivedMonth
from detak_collector.store.database import Connection, Database
from detak_collector.store.derived import SqlDerived
from detak_collector.store.noted import Since
from detak_collector.store.outages import SqlOutages

MONTHS_AT_ONCE = 20
"""Unpacking more of them at once would keep the serving process from its beats."""

Ask = Callable[[Errand], Outcome]
"""Has an errand done by the serving process; raises StoreError as the store does there."""


class WrittenElsewhereError(Exception):
    """What was asked would have to write."""


class ReadingDatabase:
    """A database that is only read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self.shared = database.shared

    @property
    def lacks_standby(self) -> bool:
        """As the seam says."""
        return self._database.lacks_standby

    def connect(self, *, durable: bool = True) -> Connection:
        """As the seam says."""
        return self._database.connect(durable=durable)

    def close(self) -> None:
        """As the seam says."""
        self._database.close()

    def reading(self) -> AbstractContextManager[Connection]:
        """As the seam says."""
        return self._database.reading()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Raises WrittenElsewhereError."""
        raise WrittenElsewhereError
        yield


class StoredFacts:
    """The facts of a store, without what receiving them needs in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(
        self,
        begin_utc: int,
        end_utc: int,
        now: Reading,
        checks: Collection[str] | None = None,
        *,
        known_at: int | None = None,
    ) -> Facts:
        """As EvidenceStore says."""
        return fact_rows.facts(self._database, begin_utc, end_utc, now, checks, known_at)


class MonthsKeptElsewhere(SqlDerived):
    """Closed months, read here and kept by the serving process."""

    def __init__(self, database: ReadingDatabase, ask: Ask) -> None:
        super().__init__(database)
        self._ask = ask

    def note(self, since: Since) -> int:
        """As SqlDerived says: what was found here is written there."""
        touched = self._ask(Note(since))
        assert isinstance(touched, int)
        return touched

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        """As the seam says. What thousands of facts bear upon is looked at here, once for all of the months."""
        known, sound = self.still_sound(months, mark)
        parts = [sound[at : at + MONTHS_AT_ONCE] for at in range(0, len(sound), MONTHS_AT_ONCE)]
        were_kept = [self._put(part, known) for part in parts]
        return all(were_kept) and len(sound) == len(months)

    def _put(self, part: Sequence[DerivedMonth], mark: int) -> bool:
        known, sound = self.still_sound(part, mark)
        return bool(self._ask(Put(tuple(sound), known))) and len(sound) == len(part)


class NumberedElsewhere(SqlOutages):
    """The register of outages, read here; a new number is given by the serving process."""

    def __init__(self, database: ReadingDatabase, ask: Ask) -> None:
        super().__init__(database)
        self._ask = ask

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int | None, ...]:  # type: ignore[override]
        """As the seam says."""
        try:
            return super().number(found, window, now)
        except WrittenElsewhereError:
            numbers = self._ask(Number(tuple(found), window, now))
            assert isinstance(numbers, tuple)
            return numbers
