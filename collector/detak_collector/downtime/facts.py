"""What the engine is given: evidence as the agents saw it, in agent time, or as a person wrote it, in UTC.

Nothing here is weighed or mapped yet. All times are integer milliseconds; `_utc` says UTC, everything else in a
`Span`, `Run` or `Exchange` is agent time of that run's boot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from detak_collector.downtime.intervals import EMPTY, Intervals, intersection

ALIVE = "alive"
"""The check every node has: its samples are the agent's own ticks."""


@dataclass(frozen=True, slots=True)
class Span:
    """One check in one state from its first sample to its last, without a gap between samples.

    It may stand for several records in a row that say the same: for `number` to `through`.
    """

    check: str
    number: int
    state: str
    first_begin: int
    first_end: int
    last_begin: int
    last_end: int
    samples: int = 1
    largest_gap: int = 0
    closed: bool = True
    message: str = ""
    marks: tuple[tuple[str, str], ...] = ()
    through: int | None = None

    @property
    def last(self) -> int:
        """The number of its last record."""
        return self.number if self.through is None else self.through


@dataclass(frozen=True, slots=True)
class Lost:
    """Records `first` to `last` of a run are not there. `told`: a gap record says so, and they will never come.

    A run numbers its records as they begin, so these began between two agent times, as far as those are known:
    `after`, when the nearest record before them began, and `before`, when the first sample of the nearest one
    after them was over.
    """

    first: int
    last: int
    after: int | None = None
    before: int | None = None
    told: bool = False

    def may_begin_in(self, begin: int, end: int) -> bool:
        """Whether any of them can have begun between these two agent times."""
        return (self.after is None or self.after <= end) and (self.before is None or begin <= self.before)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A stretch of agent time of which one run says two things: of one check, or where that is None of all."""

    check: str | None
    begin: int
    end: int


class Exchange(NamedTuple):
    """Four timestamps that bound UTC minus agent time: `answered - received <= theta <= arrived - sent`."""

    sent: int
    arrived_utc: int
    answered_utc: int
    received: int


@dataclass(frozen=True, slots=True)
class Settings:
    """One check as a run ran it. `target` is told without secrets, `digest` is that of all its settings: for people."""

    name: str
    kind: str
    interval_ms: int
    timeout_ms: int
    remote: bool = False
    confirm: int = 1
    target: str = ""
    digest: str = ""

    @property
    def reach_ms(self) -> int:
        """How far apart, begin to begin, two samples may lie and still speak for the time between them."""
        return self.interval_ms + self.interval_ms // 2 + self.timeout_ms


@dataclass(frozen=True, slots=True)
class Previous:
    """How a run's predecessor ended, as the node's journal tells; its times are of the predecessor's boot."""

    run: str
    boot: str
    last_tick: int
    last_number: int
    stopped: str | None = None
    stopped_at: int | None = None
    slowest_stop_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The node's own clock when the run opened. `error_ms` is None where it was not synchronised."""

    at: int
    utc: int
    error_ms: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """One life of one agent process. `spans` are in the order of their numbers, open ones included."""

    run: str
    boot: str
    opened: int
    init_started: int
    tick_ms: int
    claim: Claim
    checks: tuple[Settings, ...]
    spans: tuple[Span, ...]
    exchanges: tuple[Exchange, ...] = ()
    watchdog_ms: int | None = None
    previous: Previous | None = None
    stopped: str | None = None
    stopped_at: int | None = None
    complete_to: int = 0
    """Up to this number each record has arrived, closed or open, or is among `lost`; what is beyond has not arrived."""
    lost: tuple[Lost, ...] = ()
    contradicted: tuple[Contradiction, ...] = ()
    suspended_ms: int = 0
    """How long its machine had been suspended in this boot when it opened."""
    generation: str | None = None
    """Of the virtual machine, where there is one: another in the same boot tells of a restored snapshot."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact in absolute time, as in a hand-written bundle. Facts of one check that share an edge are exact there."""

    check: str
    state: str
    first_utc: int
    last_utc: int
    remote: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """All evidence of one node. `heard_utc` is when this collector last received growth of its `alive` span."""

    name: str
    runs: tuple[Run, ...] = ()
    stated: tuple[Stated, ...] = ()
    heard_utc: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The evidence of all nodes, and the time for which the collector itself was there to hear it.

    `unheard` tells of every node that was ever heard, whether its evidence is asked for or not: from when it was
    heard last until it was heard again, for each time that this was long.
    """

    nodes: Mapping[str, Node]
    watched: Intervals = field(default=EMPTY)
    stepped_utc: tuple[int, ...] = ()
    """When this collector's own UTC stepped: such a jump is not a node's freeze."""
    down_after_ms: int = 15_000
    drift_ppm: int = 100
    freeze_allowance_ms: int = 100
    utc_error_ms: int = 50
    """How wrong a collector's UTC may be; it must be kept by NTP or better."""
    unheard: Mapping[str, Intervals] = field(default_factory=dict)
    whole_from: int | None = None
    """Evidence from before this instant was disposed of; None where none was."""

    def silences(self, node: str) -> Intervals:
        """When the node was unheard beyond the deadline, each time from when it was heard last."""
        every = self.unheard.get(node, EMPTY)
        return Intervals.of(part for part in every if part[1] - part[0] > self.down_after_ms)

    def unless_cut_off(self, references: Sequence[str]) -> Facts:
        """The same, where all of this collector's references were silent at once taken as time it did not watch."""
        if not references:
            return self
        return replace(self, watched=self.watched - intersection([self.silences(node) for node in references]))
