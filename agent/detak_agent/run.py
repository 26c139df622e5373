"""One run: what the agent knows of its own life, from memory to the commits that make it durable.

It does no input or output and asks no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detak_agent.exchanges import Stamps
from detak_agent.records import Commit, Loss
from detak_agent.spans import ALIVE, Book, Sample, reach
from detak_wire.messages import Exchange, Gap, RunOpening, Span, StopReason


@dataclass(frozen=True, slots=True)
class Durable:
    """What the journal holds of this run for certain: only this may be sent."""

    tick: int = 0
    last_number: int = 0
    open: Mapping[int, Span] = field(default_factory=dict)
    closed_so_far: int = 0
    edges: int = 0


class Run:
    """The spans, exchanges and gaps of one life of this process, under one numbering."""

    def __init__(self, identity: str, opening: RunOpening) -> None:
        self.identity = identity
        self.opening = opening
        reaches = {check.name: reach(check.interval_ms, check.timeout_ms) for check in opening.checks}
        self._book = Book({ALIVE: reach(opening.tick_ms, 0), **reaches})
        self._closed: list[Span | Exchange | Gap] = []
        self._contacts: dict[str, int] = {}
        self._tick = opening.opened_agent
        self._edges = 0
        self.durable = Durable()

    @property
    def last_number(self) -> int:
        """The highest number given so far, durable or not."""
        return self._book.last_number

    @property
    def reaches(self) -> Mapping[int, int]:
        """The last begin of each open span, durable or not."""
        return {span.number: span.last_begin for span in self._book.open.values()}

    def add(self, sample: Sample) -> bool:
        """Take a sample in; tells whether it is an edge, which wants to be known at once."""
        is_edge = self._book.is_edge(sample)
        self._edges += is_edge
        ended = self._book.add(sample)
        if ended is not None:
            self._closed.append(ended)
        return is_edge

    def tick(self, now: int) -> None:
        """The agent is alive at `now`."""
        self._tick = now
        self.add(Sample(ALIVE, now, now, "up"))

    def keep(self, stamps: Stamps) -> None:
        """An exchange becomes a fact."""
        self._closed.append(stamps.numbered(self._book.take_number()))

    def contact(self, collector: str, utc: int) -> None:
        """A collector has answered."""
        self._contacts[collector] = utc

    def discard(self, number: int, reason: str) -> bool:
        """An open span that a collector finds invalid gives way to a gap; False if it is not open (any more)."""
        if not self._book.remove(number):
            return False
        self.lose(Loss(number, number, reason))
        return True

    def lose(self, loss: Loss) -> None:
        """Records of this run are lost: a gap says so, and is durable before anything is dropped."""
        self._closed.append(Gap(self._book.take_number(), loss.first, loss.last, loss.reason))

    def take(self) -> Commit:
        """Everything that is not yet in the journal. Each call's commit must be made, in this order."""
        commit = Commit(
            run=self.identity,
            tick=self._tick,
            last_number=self.last_number,
            open=tuple(self._book.open.values()),
            opened_after=self.durable.last_number,
            closed=tuple(self._closed),
            edges=self._edges,
            contacts=dict(self._contacts),
        )
        self._closed = []
        return commit

    def end(self, reason: StopReason | None, now: int) -> Commit:
        """The run's last commit: every span closed, and why it ended."""
        self._closed.extend(self._book.close_all())
        commit = self.take()
        return Commit(
            run=commit.run,
            tick=commit.tick,
            last_number=commit.last_number,
            open=(),
            opened_after=commit.opened_after,
            closed=commit.closed,
            edges=commit.edges,
            contacts=commit.contacts,
            ended=True,
            stopped=reason,
            stopped_agent=None if reason is None else now,
        )

    def committed(self, commit: Commit) -> None:
        """The journal has it."""
        self.durable = Durable(
            tick=commit.tick,
            last_number=commit.last_number,
            open={span.number: span for span in commit.open},
            closed_so_far=self.durable.closed_so_far + len(commit.closed),
            edges=commit.edges,
        )
