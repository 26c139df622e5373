"""Where UTC and agent time part by more than drift explains, and by whose fault.

A guest that stood still, or a machine that was set back unheard, finds UTC ahead of its own time for good. A collector
whose own UTC was off for a while comes back to where it was: agent time tells, since UTC can never fall behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from detak_collector.downtime.facts import Facts

BOUNDLESS = 2**62

Bound = tuple[int, int]
"""(least, greatest) theta in milliseconds."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """The guest stood still, its clock with it, somewhere between two agent times; how long, at least and at most.

    With a most of 0 it is in doubt: a collector's UTC was off, which may have hidden a freeze.
    """

    after: int
    before: int
    least_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """Between two exchanges that agree lie others that do not: theta is within the hull of them all."""

    begin: int
    end: int
    bound: Bound


@dataclass(slots=True)
class Levels:
    """Anchors taken in one after another, in the order of agent time; `at` and `measured` are those that agree.

    `carried` is what all up to each of them allow; it begins anew where the level changed for good.
    """

    drift_ppm: int
    allowance_ms: int
    at: list[int] = field(default_factory=list)
    measured: list[Bound] = field(default_factory=list)
    carried: list[Bound] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    doubts: list[Freeze] = field(default_factory=list)
    _rises: list[int] = field(default_factory=list)
    _falls: list[int] = field(default_factory=list)

    @staticmethod
    def of(anchors: Sequence[tuple[int, Bound]], facts: Facts) -> Levels:
        """The levels of these anchors."""
        levels = Levels(facts.drift_ppm, facts.freeze_allowance_ms)
        for moment, bound in anchors:
            levels.take(moment, bound)
        return levels

    def take(self, moment: int, bound: Bound) -> None:
        """One more anchor. Nearly all agree with what is carried, and a year has many: that is done here at once."""
        if not self.at:
            self._append(moment, bound, bound)
            return
        low, high = bound
        drift = -((self.at[-1] - moment) * self.drift_ppm // 1_000_000)
        least, greatest = self.carried[-1]
        least, greatest = least - drift, greatest + drift
        if least <= low and high <= greatest:
            self._append(moment, bound, bound)
            return
        allowed = least, greatest
        if self._agree(allowed, bound):
            self._add(moment, bound, allowed)
        elif bound[0] > allowed[1]:
            self._jump(moment, bound, self._rises, self._falls)
        else:
            self._jump(moment, bound, self._falls, self._rises)

    def freezes(self) -> Iterator[Freeze]:
        """Where UTC ran ahead and stayed there, and where it may have."""
        yield from self.doubts
        for place in self._rises:
            least, greatest = self._allowed(place, self.at[place])
            ahead, most = self.measured[place][0] - greatest, self.measured[place][1] - least
            yield Freeze(self.at[place - 1], self.at[place], ahead, most)

    def _jump(self, moment: int, bound: Bound, same: list[int], opposite: list[int]) -> None:
        """The level changes: back to where it was before an earlier, opposite change, or for good."""
        for place in reversed(opposite):
            if self._agree(self._allowed(place, moment), bound):
                self._return_to(place, moment, bound)
                return
        same.append(len(self.at))
        self._add(moment, bound, self._allowed(len(self.at), moment))

    def _return_to(self, place: int, moment: int, bound: Bound) -> None:
        """All anchors from `place` on were off; this one agrees with those before."""
        begin, off = self.at[place - 1], self.measured[place - 1 :]
        drift = drifted(moment - begin, self.drift_ppm) + self.allowance_ms
        least, greatest = hull([*off, bound])
        self.disputes.append(Dispute(begin, moment, (least - drift, greatest + drift)))
        if bound[0] > self.carried[-1][1]:
            self.doubts.append(Freeze(self.at[-1], moment, 0, 0))
        self.doubts += [Freeze(self.at[rise - 1], self.at[rise], 0, 0) for rise in self._rises if rise >= place]
        self._rises = [rise for rise in self._rises if rise < place]
        self._falls = [fall for fall in self._falls if fall < place]
        for kept in (self.at, self.measured, self.carried):
            del kept[place:]
        self._add(moment, bound, self._allowed(place, moment))

    def _add(self, moment: int, bound: Bound, allowed: Bound) -> None:
        least, greatest = max(allowed[0], bound[0]), min(allowed[1], bound[1])
        self._append(moment, bound, (least, greatest) if least <= greatest else bound)

    def _append(self, moment: int, bound: Bound, carried: Bound) -> None:
        self.at.append(moment)
        self.measured.append(bound)
        self.carried.append(carried)

    def _agree(self, allowed: Bound, bound: Bound) -> bool:
        """Whether drift and a freeze too short to notice explain it after those before."""
        return allowed[0] <= bound[1] and bound[0] - allowed[1] <= self.allowance_ms

    def _allowed(self, place: int, moment: int) -> Bound:
        """What the anchors before `place` allow at a moment after them."""
        if place == 0:
            return -BOUNDLESS, BOUNDLESS
        drift = drifted(moment - self.at[place - 1], self.drift_ppm)
        return self.carried[place - 1][0] - drift, self.carried[place - 1][1] + drift


def drifted(distance_ms: int, drift_ppm: int) -> int:
    """How far a clock may drift over a distance, rounded up."""
    return -(-distance_ms * drift_ppm // 1_000_000)


def hull(bounds: Sequence[Bound]) -> Bound:
    """The least bound that holds all of these."""
    return min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
