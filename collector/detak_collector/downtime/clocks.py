"""From agent time to UTC: an interval, never a guess.

Each exchange bounds theta = UTC - agent time at its own moment; with distance the bound widens by the oscillator's
drift. `Clock` intersects all exchanges of one boot. See RFC 5905 for the four timestamps. Drift is written out where it
is asked for tens of thousands of times in each report, as `drifted` has it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from detak_collector.downtime.facts import Claim, Exchange, Facts, Run
from detak_collector.downtime.jumps import BOUNDLESS, Bound, Dispute, Freeze, Levels, drifted, hull


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one boot. `forward` and `backward`: the bounds at each anchor, from its past and from its future."""

    at: tuple[int, ...]
    measured: tuple[Bound, ...]
    forward: tuple[Bound, ...]
    backward: tuple[Bound, ...]
    drift_ppm: int
    allowance_ms: int
    freezes: tuple[Freeze, ...] = ()
    """Where UTC ran ahead of agent time by more than drift and unnoticed short freezes explain."""
    disputes: tuple[Dispute, ...] = ()
    """Where exchanges between these anchors disagree with them: a collector's UTC was off."""
    floor: tuple[int, int] | None = None
    """An agent time before the first anchor, and the least theta there: later it may have grown by any freeze."""

    def theta(self, agent: int) -> Bound:
        """The bound on UTC - agent time at this agent time.

        A freeze too short to notice makes UTC run ahead as time goes on: what a later exchange says may have been
        less before, what an earlier one says may be more by now, and neither the other way round.
        """
        at, allowance = self.at, self.allowance_ms
        after = bisect_right(at, agent)
        least, greatest = -BOUNDLESS, BOUNDLESS
        if after:
            drift = -((at[after - 1] - agent) * self.drift_ppm // 1_000_000)
            low, high = self.forward[after - 1]
            least, greatest = low - drift, high + drift + allowance
        if after < len(at):
            drift = -((agent - at[after]) * self.drift_ppm // 1_000_000)
            low, high = self.backward[after]
            least, greatest = max(least, low - drift - allowance), min(greatest, high + drift)
        if not after and self.floor is not None:
            since, low = self.floor
            least = low - drifted(agent - since, self.drift_ppm)
        if least > greatest:
            least, greatest = hull(self.measured[max(after - 1, 0) : after + 1])
            least, greatest = least - self.allowance_ms, greatest + self.allowance_ms
        for dispute in self.disputes:
            if dispute.begin < agent < dispute.end:
                least, greatest = hull([(least, greatest), dispute.bound])
        return least, greatest

    def beginning_after(self, agent: int, utc: int) -> Clock:
        """The same, where its time began at this agent time, not before that UTC, and nothing tells of freezes since.

        Where all of them were too short to notice, or it cannot have begun so late since two ran at once, that says
        nothing new.
        """
        if agent >= self.at[0] or utc - agent >= self.theta(agent)[0]:
            return self
        doubt = Freeze(agent, self.at[0], 0, 0)
        return replace(self, floor=(agent, utc - agent), freezes=(doubt, *self.freezes))

    def earliest(self, agent: int) -> int:
        """The earliest UTC this agent time can have been."""
        return agent + self.theta(agent)[0]

    def latest(self, agent: int) -> int:
        """The latest UTC this agent time can have been."""
        return agent + self.theta(agent)[1]

    def middle(self, agent: int) -> int:
        """The UTC by which counted time is reckoned: amid the exchanges, without the one-sided allowance."""
        after = bisect_right(self.at, agent)
        least, greatest = self.forward[after - 1] if after else self.backward[after]
        if 0 < after < len(self.at):
            low, high = self.backward[after]
            least, greatest = max(least, low), min(greatest, high)
        if least > greatest:
            least, greatest = hull(self.measured[max(after - 1, 0) : after + 1])
        return agent + (least + greatest) // 2

    def after(self, agent: int) -> int:
        """The middle UTC of an agent time as the exchanges from there on have it, whatever was before."""
        least, greatest = self.backward[bisect_left(self.at, agent)]
        return agent + (least + greatest) // 2

    @property
    def uncertainty_ms(self) -> int:
        """Half the width of the latest bound."""
        least, greatest = self.theta(self.at[-1])
        return (greatest - least + 1) // 2


def clock_of(runs: Sequence[Run], facts: Facts) -> Clock | None:
    """The clock of the boot these runs share; None where nothing bounds it."""
    anchors = sorted(_anchors([exchange for run in runs for exchange in run.exchanges], facts))
    if not anchors:
        anchors = sorted(_claimed([run.claim for run in runs]))
    if not anchors:
        return None
    if is_steady(anchors, facts.drift_ppm):
        moments, bounds = zip(*anchors, strict=True)
        return Clock(moments, bounds, bounds, bounds, facts.drift_ppm, facts.freeze_allowance_ms)
    levels = Levels.of(anchors, facts)
    at, measured = levels.at, levels.measured
    backward = _carried([-moment for moment in reversed(at)], measured[::-1], facts.drift_ppm)[::-1]
    return Clock(
        tuple(at),
        tuple(measured),
        tuple(levels.carried),
        backward,
        facts.drift_ppm,
        facts.freeze_allowance_ms,
        tuple(levels.freezes()),
        tuple(levels.disputes),
    )


def is_steady(anchors: Sequence[tuple[int, Bound]], drift_ppm: int) -> bool:
    """Whether each bound lies within what the ones beside it allow: nearly all clocks are so, all the time.

    Then nothing is carried from any of them to the next, in either direction, and no level changes.
    """
    before, (least, greatest) = anchors[0]
    for moment, (low, high) in anchors:
        drift = -((before - moment) * drift_ppm // 1_000_000)
        if not (-drift <= low - least <= drift and -drift <= high - greatest <= drift):
            return False
        before, least, greatest = moment, low, high
    return True


def _anchors(exchanges: Iterable[Exchange], facts: Facts) -> Iterable[tuple[int, Bound]]:
    """What each exchange says, and its collector's own error may add: so two collectors need not agree to the last."""
    drift_ppm, error = facts.drift_ppm, facts.utc_error_ms
    return [
        (received, (answered - received - error, arrived - sent - ((sent - received) * drift_ppm // 1_000_000) + error))
        for sent, arrived, answered, received in exchanges
    ]


def _claimed(claims: Iterable[Claim]) -> Iterable[tuple[int, Bound]]:
    """The node's own claim, a stated assumption, used only where no exchange measured anything."""
    for claim in claims:
        if claim.error_ms is not None:
            yield claim.at, (claim.utc - claim.at - claim.error_ms, claim.utc - claim.at + claim.error_ms)


def _carried(at: Sequence[int], measured: Sequence[Bound], drift_ppm: int) -> tuple[Bound, ...]:
    """Each measured bound, intersected with what those before it still allow; begun anew where they disagree."""
    carried: list[Bound] = []
    least, greatest, before = -BOUNDLESS, BOUNDLESS, at[0]
    for moment, (low, high) in zip(at, measured, strict=True):
        drift = -((before - moment) * drift_ppm // 1_000_000)
        least, greatest, before = least - drift, greatest + drift, moment
        least, greatest = low if low > least else least, high if high < greatest else greatest  # noqa: FURB136
        if least > greatest:
            least, greatest = low, high
        carried.append((least, greatest))
    return tuple(carried)
