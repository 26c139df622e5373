"""Holds what a collector's figures say against the truth, as far as anybody could know it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detak_collector.downtime.facts import Exchange, Facts
from detak_collector.downtime.intervals import Intervals, union
from detak_collector.downtime.triple import Triple
from simulation.collector import NODES
from simulation.faults import Stretch
from simulation.host import Boot, Standstill
from simulation.machine import EPOCH_MS
from simulation.plan import too_short
from simulation.scenes import Subject
from simulation.stage import Excursion, Stage

UNNOTICED_MS = 200.0
"""A standstill that is shorter may stay unseen: what the engine allows for it and for a collector's UTC."""

SURELY_SEEN_MS = 1_000.0

APART_MS = 30_000.0
"""Between two jumps there was surely an exchange."""

_BEYOND_MS = 1e12


@dataclass(frozen=True)
class _Exchanges:
    """A node's exchanges, as a collector has them, by boot."""

    of_boot: dict[str, list[Exchange]]

    def before(self, boot: Boot, agent: float) -> bool:
        """Whether one was over by then."""
        return any(one.received <= agent for one in self.of_boot.get(boot.name, []))

    def after(self, boot: Boot, agent: float, moment: float) -> bool:
        """Whether one was begun then or later: after that agent time, and after that moment of the world."""
        least = EPOCH_MS + moment - UNNOTICED_MS
        return any(one.sent >= agent and one.arrived_utc >= least for one in self.of_boot.get(boot.name, []))


class Judge:
    """Knows the truth of one history."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._least = stage.plan.pace.long_enough_ms

    def violations(self, subject: Subject, down: Triple, facts: Facts, until: int) -> Iterator[str]:
        """What is wrong of what a collector says of a subject up to some moment in UTC."""
        at, truth = int(self._stage.world.now), _utc(subject.down)
        pardoned = self.too_short(subject) | union(self._unknowable(node, facts) for node in subject.nodes)
        for begin, end in truth.clip(EPOCH_MS, until) - down.possible - pardoned:
            yield f"at {at}: {subject.name} down but not possible {begin - EPOCH_MS}..{end - EPOCH_MS}"
        for begin, end in down.certain.clip(EPOCH_MS, until) - truth - pardoned:
            yield f"at {at}: {subject.name} certain but not down {begin - EPOCH_MS}..{end - EPOCH_MS}"
        if not down.is_nested:
            yield f"at {at}: {subject.name}: the sets do not nest"

    def too_short(self, subject: Subject) -> Intervals:
        """The outages and recoveries, in UTC, that two samples may have between them."""
        stood_still = [[(one.begin, one.end) for one in host.standstills] for host in self._stage.hosts]
        short = union(
            too_short(down, self._least, blind)
            for down in (subject.down, *subject.seen)
            for blind in ([], *(stood_still[node] for node in subject.nodes))
        )
        return Intervals.of((EPOCH_MS + begin, EPOCH_MS + end) for begin, end in short)

    def unseen_standstills(self, facts: Facts) -> Iterator[str]:
        """Those of the boots that still run which, after all the quiet at the end, no exchange tells of."""
        for place, host in enumerate(self._stage.hosts):
            known = self._exchanges(place, facts)
            for still in host.standstills:
                boot, is_long = still.boot, still.end - still.begin > SURELY_SEEN_MS
                is_told = known.after(boot, still.agent, still.end) or still.is_undone
                if is_long and boot is host.boot and known.before(boot, still.agent) and not is_told:
                    yield f"no exchange of {NODES[place]} tells of the standstill at {still.begin:.0f}"

    def may_differ(self, facts: Facts) -> bool:
        """Whether two collectors may have been told different things that no later evidence settles.

        A machine that was set back has forgotten what it told one of them; and only the collector whose UTC stepped
        knows of it where no exchange of the same boot on the other side shows that.
        """
        return any(host.restores for host in self._stage.hosts) or any(
            self._stands_still(one, place) or not self._is_enclosed(one, place, self._exchanges(place, facts))
            for place in range(len(self._stage.hosts))
            for one in self._stage.excursions
        )

    def is_stepped(self, collector: int) -> bool:
        """Whether that collector's UTC is wrong at this moment."""
        return any(one.fault.where == collector and not one.ended for one in self._stage.excursions)

    def _unknowable(self, place: int, facts: Facts) -> Intervals:
        """The time whose UTC nobody can tell: no exchange of the same boot stands on the other side of a jump."""
        known = self._exchanges(place, facts)
        zones = [
            (still.boot.begin, still.boot.end)
            for still in self._stage.hosts[place].standstills
            if still.end - still.begin > UNNOTICED_MS and not self._is_bounded(still, known)
        ]
        for excursion in self._stage.excursions:
            if self._stands_still(excursion, place) or not self._is_enclosed(excursion, place, known):
                fault, off = excursion.fault, abs(excursion.fault.by_ms)
                zones.append((fault.at - off, fault.end + off))
        return _utc(zones, outward=True)

    def _stands_still(self, excursion: Excursion, place: int) -> bool:
        """Whether the guest stood still while the collector's UTC was off: then nobody can tell the two apart."""
        at, end = excursion.fault.at - APART_MS, excursion.fault.end + APART_MS
        return any(still.begin < end and at < still.end for still in self._stage.hosts[place].standstills)

    @staticmethod
    def _is_bounded(still: Standstill, known: _Exchanges) -> bool:
        boot, agent = still.boot, still.agent
        return known.before(boot, agent) and known.after(boot, agent, still.end)

    @staticmethod
    def _is_enclosed(excursion: Excursion, place: int, known: _Exchanges) -> bool:
        if not excursion.ended:
            return False
        (boot, before), (last, after) = excursion.begun[place], excursion.ended[place]
        if boot is not last or boot.is_set_back:
            return False
        return known.before(boot, before) and known.after(boot, after, excursion.fault.end)

    @staticmethod
    def _exchanges(place: int, facts: Facts) -> _Exchanges:
        node, by_boot = facts.nodes.get(NODES[place]), dict[str, list[Exchange]]()
        for run in node.runs if node else ():
            by_boot.setdefault(run.boot, []).extend(run.exchanges)
        return _Exchanges(by_boot)


def _utc(stretches: Iterable[Stretch], *, outward: bool = False) -> Intervals:
    """The whole milliseconds of UTC inside the stretches, or those that they touch."""
    up, down = (math.floor, math.ceil) if outward else (math.ceil, math.floor)
    return Intervals.of((EPOCH_MS + up(begin), EPOCH_MS + down(min(end, _BEYOND_MS))) for begin, end in stretches)
