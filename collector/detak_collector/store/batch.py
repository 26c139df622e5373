"""What a batch of messages adds to the store, held apart until it is known to be valid and then until it is durable."""

from __future__ import annotations

from dataclasses import dataclass, field

from detak_collector.clocks import Reading
from detak_collector.ingest.merge import Closed
from detak_collector.store.base import Arrival
from detak_collector.store.records import NewRecord
from detak_collector.store.runs import KnownRun
from detak_wire.messages import RunOpening

RunKey = tuple[int, str]
"""Node and run."""


@dataclass(slots=True)
class Pending:
    """What one batch adds, until it is committed."""

    now: Reading
    sequence: int
    writer: int = 0
    """The number of the database's transaction, where others write to it too."""

    runs: dict[RunKey, KnownRun] = field(default_factory=dict)
    records: list[NewRecord] = field(default_factory=list)
    closed: dict[tuple[int, int], Closed] = field(default_factory=dict)

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


@dataclass(slots=True)
class Message:
    """What one message adds, until it is known to be valid as a whole."""

    arrival: Arrival
    node: int
    runs: dict[str, KnownRun] = field(default_factory=dict)
    openings: dict[str, RunOpening] = field(default_factory=dict)
    other_openings: list[tuple[str, RunOpening]] = field(default_factory=list)
    closed: list[tuple[str, Closed]] = field(default_factory=list)
    conflicts: list[tuple[str, Closed]] = field(default_factory=list)
    heard: bool = False
    news: bool = False
