"""The lives of one node's agent in order, each on its clock, and what each check was seen to be in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_collector.downtime.clocks import Clock, clock_of
from detak_collector.downtime.facts import ALIVE, Facts, Node, Run, Settings, Span

GOOD = frozenset({"up", "degraded"})


@dataclass(frozen=True, slots=True)
class Life:
    """One run on the clock of its boot."""

    run: Run
    clock: Clock

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


@dataclass(frozen=True, slots=True)
class Sighting:
    """A span of one check, in the life it belongs to (`place` counts the node's lives)."""

    span: Span
    settings: Settings
    life: Life
    place: int

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
    boots: dict[str, list[Run]] = {}
    for run in node.runs:
        boots.setdefault(run.boot, []).append(run)
    lives = [
        Life(run, clock)
        for runs in boots.values()
        if (clock := clock_of(runs, facts)) is not None
        for run in runs
    ]  # fmt: skip
    return tuple(sorted(lives, key=lambda life: (life.clock.middle(life.run.opened), life.run.opened)))


def sightings(check: str, lives: tuple[Life, ...]) -> Iterator[Sighting]:
    """Every span of the check, in order."""
    for place, life in enumerate(lives):
        settings = life.settings(check)
        if settings is None:
            continue
        for span in sorted(life.run.spans, key=lambda one: (one.first_begin, one.number)):
            if span.check == check:
                yield Sighting(span, settings, life, place)
