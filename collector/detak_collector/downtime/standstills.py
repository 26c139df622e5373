"""When a machine stood still while time went on: a guest that was frozen, a machine that was suspended.

Nothing of the gap is certain. A guest that was set back while nobody heard it looks the same as a frozen one, and
several short suspends add up to the same length as a long one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.lives import Life


@dataclass(frozen=True, slots=True)
class Standstill:
    """Within `gap` it stood still, and is counted at its end, or is not where a step of UTC may look the same."""

    gap: Interval
    counted: Interval | None


def standstills(lives: Sequence[Life], steps: Sequence[int]) -> Iterator[Standstill]:
    """Those that exchanges show and those that the agent told; `steps` are those of the collector, in UTC."""
    for life in {one.segment: one for one in lives}.values():
        yield from _frozen(life, steps)
    for before, after in pairwise(lives):
        if before.segment == after.segment and before.run.suspended_ms < after.run.suspended_ms:
            yield _suspended(before, after)


def _frozen(life: Life, steps: Sequence[int]) -> Iterator[Standstill]:
    """The collector's clock ran ahead of agent time, which does not go on while a guest is frozen."""
    for freeze in life.clock.freezes:
        gap = life.clock.earliest(freeze.after), life.clock.latest(freeze.before)
        if freeze.most_ms == 0 or any(gap[0] <= step <= gap[1] for step in steps):
            yield Standstill(gap, None)
            continue
        end = life.clock.after(freeze.before)
        yield Standstill(gap, (end - (freeze.least_ms + freeze.most_ms) // 2, end))


def _suspended(before: Life, after: Life) -> Standstill:
    """BOOTTIME ran ahead of MONOTONIC: agent time went on, and a new run began when the machine was awake again."""
    begin, end = before.clock.middle(before.last_tick), after.clock.middle(after.run.opened)
    length = after.run.suspended_ms - before.run.suspended_ms
    return Standstill((before.until_surely, after.since_surely), (max(begin, end - length), end))
