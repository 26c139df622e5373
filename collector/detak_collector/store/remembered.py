"""The seams of what is remembered beside evidence: the numbers of outages, and what people entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detak_collector.clocks import Reading
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found, Known


class OutageRegister(Protocol):
    """The numbers of outages, and what operators ruled about incidents. Any thread may ask; nothing is ever deleted."""

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int | None, ...]:
        """The number of each outage found, in the order given, as `numbering.match` says; new ones are kept durably.

        None where it is another collector that gives numbers, and has not told of this one yet.
        """
        ...

    def recall(self, found: Sequence[Found], window: Interval) -> tuple[int | None, ...]:
        """The same for a view that must keep nothing: None where an outage has no number yet."""
        ...

    def known(self, number: int) -> Known | None:
        """The outage of that number, also where it was merged into another one."""
        ...

    def merged(self) -> dict[int, int]:
        """For each number that was merged away, the one that took its time."""
        ...

    def rule(self, ruling: Ruling) -> Ruling:
        """Keeps a ruling and returns it with its id; raises StoreError where an outage or a ruling is not known."""
        ...

    def rulings(self) -> list[Ruling]:
        """All rulings in order."""
        ...


class PublishedFigures(Protocol):
    """The published figures of earlier years, in the order of entry. Any thread may ask; an entry never changes."""

    def add(self, entry: Published) -> Published:
        """Keeps an entry and returns it with its id."""
        ...

    def entries(self) -> list[Published]:
        """All entries, those that later ones correct included."""
        ...
