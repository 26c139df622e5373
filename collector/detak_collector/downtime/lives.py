"""The lives of one node's agent in order, each on its clock, and what each check was seen to be in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detak_collector.downtime.clocks import Clock, clock_of
from detak_collector.downtime.facts import ALIVE, Facts, Node, Run, Settings, Span
from detak_collector.downtime.intervals import Intervals, at_least

GOOD = frozenset({"up", "degraded"})


@dataclass(frozen=True, slots=True)
class Life:
    """One run on the clock of its segment: of its boot, or of what of it followed a restored snapshot."""

    run: Run
    clock: Clock
    segment: str

    def settings(self, check: str) -> Settings | None:
        """How this run ran the check, or None where it did not."""
        if check == ALIVE:
            return Settings(ALIVE, ALIVE, self.run.tick_ms, 0)
        return next((one for one in self.run.checks if one.name == check), None)

    @property
    def last_tick(self) -> int:
        """The last tick that has arrived, in agent time."""
        ticks = [span.last_begin for span in self.run.spans if span.check == ALIVE]
        return max(ticks, default=self.run.opened)

    @property
    def since_surely(self) -> int:
        """UTC from which on this run surely lived."""
        return self.clock.latest(self.run.opened)

    @property
    def until_surely(self) -> int:
        """UTC until which it surely did."""
        return self.clock.earliest(self.last_tick)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A span of one check, in the life it belongs to (`place` counts the node's lives)."""

    span: Span
    settings: Settings
    life: Life
    place: int

    @property
    def reference(self) -> str:
        """The identity of its span."""
        return f"{self.life.run.run}/{self.span.number}"

    @property
    def good(self) -> bool:
        return self.span.state in GOOD

    @property
    def first(self) -> int:
        """UTC of its first sample's begin, as counted."""
        return self.life.clock.middle(self.span.first_begin)

    @property
    def last(self) -> int:
        """UTC of its last sample's begin, as counted."""
        return self.life.clock.middle(self.span.last_begin)

    @property
    def first_surely(self) -> int:
        """From here on it surely was in this state."""
        return self.life.clock.latest(self.span.first_end)

    @property
    def last_surely(self) -> int:
        """Until here it surely was in this state."""
        return self.life.clock.earliest(self.span.last_begin)

    @property
    def first_possibly(self) -> int:
        """UTC before which nothing of its first sample can lie."""
        return self.life.clock.earliest(self.span.first_begin)

    @property
    def first_over(self) -> int:
        """UTC by which its first sample was over."""
        return self.life.clock.latest(self.span.first_end)

    @property
    def last_over(self) -> int:
        """UTC by which its last sample was over."""
        return self.life.clock.latest(self.span.last_end)


def lives_of(node: Node, facts: Facts) -> tuple[Life, ...]:
    """The node's runs in the order in which they lived; a run whose clock nothing bounds cannot be placed."""
    lives = [
        Life(run, clock, segment)
        for segment, runs in _segments(node.runs).items()
        if (clock := clock_of(runs, facts)) is not None
        for run in runs
    ]  # fmt: skip
    return tuple(sorted(lives, key=lambda life: (life.clock.middle(life.run.opened), life.run.opened)))


def _segments(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs that share a clock: those of one boot, parted where agent time ran backwards (a snapshot was restored)."""
    segments: dict[str, list[Run]] = {}
    current: dict[str, str] = {}
    reached: dict[str, int] = {}
    for run in runs:
        previous = run.previous
        went_back = previous is not None and previous.boot == run.boot and run.opened < previous.last_tick
        if run.boot not in current or went_back or run.opened < reached[run.boot]:
            current[run.boot] = f"{run.boot}/{run.run}" if run.boot in current else run.boot
            reached[run.boot] = run.opened
        segments.setdefault(current[run.boot], []).append(run)
        reached[run.boot] = max([reached[run.boot], *(span.last_begin for span in run.spans)])
    return segments


def doubled(lives: Sequence[Life]) -> Intervals:
    """Where two agents surely spoke as this node at once: nobody can tell which of them was it."""
    return at_least(2, [Intervals.span(life.since_surely, life.until_surely) for life in lives])


@dataclass(frozen=True, slots=True)
class History:
    """All that a node's agents ever saw, laid out once for every check: lives in order, sightings by check."""

    node: Node
    lives: tuple[Life, ...]
    seen: Mapping[str, tuple[Sighting, ...]]


def history_of(node: Node, facts: Facts) -> History:
    """The node's history."""
    lives = lives_of(node, facts)
    seen: dict[str, list[Sighting]] = {}
    for place, life in enumerate(lives):
        settings = {one.name: one for one in life.run.checks}
        settings[ALIVE] = Settings(ALIVE, ALIVE, life.run.tick_ms, 0)
        for span in sorted(life.run.spans, key=_in_time):
            if span.check in settings:
                seen.setdefault(span.check, []).append(Sighting(span, settings[span.check], life, place))
    return History(node, lives, {check: tuple(found) for check, found in seen.items()})


def _in_time(span: Span) -> tuple[int, int]:
    return span.first_begin, span.number
