"""From agent time to UTC: an interval, never a guess.

Each exchange bounds theta = UTC - agent time at its own moment; with distance the bound widens by the oscillator's
drift. `Clock` intersects all exchanges of one boot. See RFC 5905 for the four timestamps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from detak_collector.downtime.facts import Claim, Exchange, Facts, Run

_BOUNDLESS = 2**62

Bound = tuple[int, int]
"""(least, greatest) theta in milliseconds."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """The guest stood still, its clock with it, somewhere between two agent times; how long, at least and at most."""

    after: int
    before: int
    least_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one boot. `forward` and `backward`: the bounds at each anchor, from its past and from its future."""

    at: tuple[int, ...]
    measured: tuple[Bound, ...]
    forward: tuple[Bound, ...]
    backward: tuple[Bound, ...]
    drift_ppm: int
    allowance_ms: int
    utc_error_ms: int

    def theta(self, agent: int) -> Bound:
        """The bound on UTC - agent time at this agent time.

        A freeze too short to notice makes UTC run ahead as time goes on: what a later exchange says may have been
        less before, what an earlier one says may be more by now, and neither the other way round.
        """
        after = bisect_right(self.at, agent)
        least, greatest = -_BOUNDLESS, _BOUNDLESS
        if after:
            drift = _drift(agent - self.at[after - 1], self.drift_ppm)
            least = self.forward[after - 1][0] - drift
            greatest = self.forward[after - 1][1] + drift + self.allowance_ms
        if after < len(self.at):
            drift = _drift(self.at[after] - agent, self.drift_ppm)
            least = max(least, self.backward[after][0] - drift - self.allowance_ms)
            greatest = min(greatest, self.backward[after][1] + drift)
        if least > greatest:
            least, greatest = _hull(self.measured[max(after - 1, 0) : after + 1])
            least, greatest = least - self.allowance_ms, greatest + self.allowance_ms
        return least - self.utc_error_ms, greatest + self.utc_error_ms

    def earliest(self, agent: int) -> int:
        """The earliest UTC this agent time can have been."""
        return agent + self.theta(agent)[0]

    def latest(self, agent: int) -> int:
        """The latest UTC this agent time can have been."""
        return agent + self.theta(agent)[1]

    def middle(self, agent: int) -> int:
        """The UTC by which counted time is reckoned: amid the exchanges, without the one-sided allowance."""
        after = bisect_right(self.at, agent)
        bounds = [self.forward[after - 1]] if after else []
        bounds += [self.backward[after]] if after < len(self.at) else []
        least, greatest = max(bound[0] for bound in bounds), min(bound[1] for bound in bounds)
        if least > greatest:
            least, greatest = _hull(self.measured[max(after - 1, 0) : after + 1])
        return agent + (least + greatest) // 2

    def after(self, agent: int) -> int:
        """The middle UTC of an agent time as the exchanges from there on have it, whatever was before."""
        least, greatest = self.backward[bisect_left(self.at, agent)]
        return agent + (least + greatest) // 2

    def freezes(self) -> Iterator[Freeze]:
        """Where UTC ran ahead of agent time by more than drift and unnoticed short freezes explain."""
        for place in range(1, len(self.at)):
            carried = _widened(self.forward[place - 1], self.at[place] - self.at[place - 1], self.drift_ppm)
            least = self.measured[place][0] - carried[1] - 2 * self.utc_error_ms
            most = self.measured[place][1] - carried[0] + 2 * self.utc_error_ms
            if least > self.allowance_ms:
                yield Freeze(self.at[place - 1], self.at[place], least, most)

    @property
    def uncertainty_ms(self) -> int:
        """Half the width of the latest bound."""
        least, greatest = self.theta(self.at[-1])
        return (greatest - least + 1) // 2


def clock_of(runs: Sequence[Run], facts: Facts) -> Clock | None:
    """The clock of the boot these runs share; None where nothing bounds it."""
    anchors = sorted(_anchors([exchange for run in runs for exchange in run.exchanges], facts.drift_ppm))
    if not anchors:
        anchors = sorted(_claimed([run.claim for run in runs]))
    if not anchors:
        return None
    at = tuple(anchor[0] for anchor in anchors)
    measured = tuple(anchor[1] for anchor in anchors)
    backward = _carried([-moment for moment in reversed(at)], measured[::-1], facts.drift_ppm)[::-1]
    forward = _carried(at, measured, facts.drift_ppm)
    return Clock(at, measured, forward, backward, facts.drift_ppm, facts.freeze_allowance_ms, facts.utc_error_ms)


def _anchors(exchanges: Iterable[Exchange], drift_ppm: int) -> Iterable[tuple[int, Bound]]:
    for one in exchanges:
        slack = _drift(one.received - one.sent, drift_ppm)
        yield one.received, (one.answered_utc - one.received, one.arrived_utc - one.sent + slack)


def _claimed(claims: Iterable[Claim]) -> Iterable[tuple[int, Bound]]:
    """The node's own claim, a stated assumption, used only where no exchange measured anything."""
    for claim in claims:
        if claim.error_ms is not None:
            yield claim.at, (claim.utc - claim.at - claim.error_ms, claim.utc - claim.at + claim.error_ms)


def _carried(at: Sequence[int], measured: Sequence[Bound], drift_ppm: int) -> tuple[Bound, ...]:
    """Each measured bound, intersected with what those before it still allow; begun anew where they disagree."""
    carried: list[Bound] = []
    least, greatest, before = -_BOUNDLESS, _BOUNDLESS, at[0]
    for moment, (low, high) in zip(at, measured, strict=True):
        drift = _drift(moment - before, drift_ppm)
        least, greatest, before = max(least - drift, low), min(greatest + drift, high), moment
        if least > greatest:
            least, greatest = low, high
        carried.append((least, greatest))
    return tuple(carried)


def _drift(distance_ms: int, drift_ppm: int) -> int:
    return -(-distance_ms * drift_ppm // 1_000_000)


def _widened(bound: Bound, distance_ms: int, drift_ppm: int) -> Bound:
    drift = _drift(distance_ms, drift_ppm)
    return bound[0] - drift, bound[1] + drift


def _hull(bounds: Sequence[Bound]) -> Bound:
    return min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
