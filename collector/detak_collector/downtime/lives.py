"""The lives of one node's agent in order, each on its clock, and what each check was seen to be in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from detak_collector.downtime.clocks import Clock, clock_of
from detak_collector.downtime.facts import ALIVE, Facts, Node, Run, Settings, Span
from detak_collector.downtime.intervals import Intervals, at_least

GOOD = frozenset({"up", "degraded"})


@dataclass(frozen=True, slots=True)
class Life:
    """One run on the clock of its segment: of its boot, or of what of it followed a restored snapshot.

    `last_tick` is the last that has arrived, in agent time; `checks` are how it ran each.
    """

    run: Run
    clock: Clock
    segment: str
    last_tick: int
    checks: Mapping[str, Settings]

    def settings(self, check: str) -> Settings | None:
        """How this run ran the check, or None where it did not."""
        return self.checks.get(check)

    @property
    def since_surely(self) -> int:
        """UTC from which on this run surely lived."""
        return self.clock.latest(self.run.opened)

    @property
    def until_surely(self) -> int:
        """UTC until which it surely did."""
        return self.clock.earliest(self.last_tick)


WAITS_MS = 1_000
"""What takes longer to answer than this has waited for what it asks: that was not up before, or the answer had come.

It is a constant, not what good samples took before, so that an edge needs no evidence but its own and never moves."""


class Sighting(NamedTuple):
    """A span of one check, in the life it belongs to (`place` counts the node's lives)."""

    span: Span
    settings: Settings
    life: Life
    place: int

    @property
    def reference(self) -> str:
        """The identity of its first record."""
        return f"{self.life.run.run}/{self.span.number}"

    @property
    def last_reference(self) -> str:
        """The identity of its last record."""
        return f"{self.life.run.run}/{self.span.last}"

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
    def first_answered(self) -> int:
        """UTC from which its first sample, a good one, is counted as up: one that waited says more by its end."""
        waited = self.span.first_end - self.span.first_begin - WAITS_MS
        return self.life.clock.middle(self.span.first_begin + max(0, waited))

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
        Life(run, clock, segment, _last_tick(run), _settings(run))
        for segment, runs in _segments(node.runs).items()
        if (clock := clock_of(runs, facts)) is not None
        for run in runs
    ]  # fmt: skip
    lives.sort(key=lambda life: (life.clock.middle(life.run.opened), life.run.opened))
    return tuple(_set_back(lives))


def _set_back(lives: Sequence[Life]) -> Iterator[Life]:
    """The lives; where a machine was set back, its clock begins after the last that was heard of its newer self.

    It may have been set back again before its first exchange, or have stood still: no exchange tells.
    """
    begun: dict[str, Clock] = {}
    latest: Life | None = None
    for life in lives:
        if life.segment not in begun:
            follows = latest is not None and latest.run.boot == life.run.boot
            heard = latest.until_surely if latest is not None and follows else None
            opened = life.run.opened
            begun[life.segment] = life.clock if heard is None else life.clock.beginning_after(opened, heard)
        latest = life if begun[life.segment] is life.clock else replace(life, clock=begun[life.segment])
        yield latest


def _settings(run: Run) -> dict[str, Settings]:
    return {one.name: one for one in (*run.checks, Settings(ALIVE, ALIVE, run.tick_ms, 0))}


def _last_tick(run: Run) -> int:
    return max((span.last_begin for span in run.spans if span.check == ALIVE), default=run.opened)


def _segments(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs that share a clock: those of one boot, parted where a snapshot of the machine was restored.

    That is where agent time ran backwards, or the virtual machine is of another generation.
    """
    segments: dict[str, list[Run]] = {}
    generations: dict[str, str | None] = {}
    current: dict[str, str] = {}
    reached: dict[str, int] = {}
    for run in _in_order(runs):
        previous = run.previous
        went_back = previous is not None and previous.boot == run.boot and run.opened < previous.last_tick
        is_another = run.generation != generations.setdefault(run.boot, run.generation)
        if run.boot not in current or went_back or is_another or run.opened < reached[run.boot]:
            current[run.boot] = f"{run.boot}/{run.run}" if run.boot in current else run.boot
            reached[run.boot], generations[run.boot] = run.opened, run.generation
        segments.setdefault(current[run.boot], []).append(run)
        reached[run.boot] = max([reached[run.boot], *(span.last_begin for span in run.spans)])
    return segments


def _in_order(runs: Sequence[Run]) -> list[Run]:
    """Runs as they followed each other, by their own exchanges: agent time does not tell where it ran backwards."""
    offsets: dict[str, int] = {}
    for run in sorted(runs, key=lambda run: run.opened):
        if run.exchanges:
            offsets[run.run] = run.exchanges[0].answered_utc - run.exchanges[0].received
        elif run.previous is not None and run.previous.boot == run.boot and run.previous.run in offsets:
            offsets[run.run] = offsets[run.previous.run]
        else:
            offsets[run.run] = run.claim.utc - run.claim.at
    return sorted(runs, key=lambda run: run.opened + offsets[run.run])


@dataclass(frozen=True, slots=True)
class History:
    """All that a node's agents ever saw, laid out once for every check: lives in order, sightings by check.

    `doubled` is where two agents surely spoke as this node at once: nobody can tell which of them was it.
    """

    node: Node
    lives: tuple[Life, ...]
    seen: Mapping[str, tuple[Sighting, ...]]
    doubled: Intervals

    @property
    def doubtful(self) -> bool:
        """Whether more than samples tells of it: two agents at once, contradictions, a clock that stood or jumped."""
        return bool(self.doubled) or any(
            life.run.contradicted or life.clock.freezes or life.clock.disputes for life in self.lives
        )


def history_of(node: Node, facts: Facts) -> History:
    """The node's history."""
    lives = lives_of(node, facts)
    seen: dict[str, list[Sighting]] = {}
    for place, life in enumerate(lives):
        for span in sorted(life.run.spans, key=_in_time):
            if span.check in life.checks:
                seen.setdefault(span.check, []).append(Sighting(span, life.checks[span.check], life, place))
    at_once = at_least(2, [Intervals.span(life.since_surely, life.until_surely) for life in lives])
    return History(node, lives, {check: tuple(found) for check, found in seen.items()}, at_once)


def _in_time(span: Span) -> tuple[int, int]:
    return span.first_begin, span.number
