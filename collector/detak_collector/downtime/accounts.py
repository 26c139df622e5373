"""What is known of one service over one stretch of time, and how such stretches are cut and joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.downtime.groups import Stretch
from detak_collector.downtime.intervals import EMPTY, Intervals, union
from detak_collector.downtime.parts import Part, joined
from detak_collector.downtime.triple import Triple, united

OUTSIDE_HOURS = "outside_hours"
REASONS = (OUTSIDE_HOURS, *EXCLUSION_CATEGORIES)


@dataclass(frozen=True, slots=True)
class Account:
    """A service over one cell.

    `gross` is its counted time before hours and exclusions; `left` says where each part of it went, disjoint, so
    that gross = net.counted + all of left. `variants` are the (certain, possible) sets under every admissible choice
    of a lowest member; `layers` are its groups; `probed` is what its probes counted, `declared` what no check saw,
    `bare` when it was up without reserve.
    """

    begin: int
    end: int
    hours: Intervals
    service_time: Intervals
    gross: Triple
    net: Triple
    left: Mapping[str, Intervals]
    unobserved: Intervals
    presumed: Intervals
    degraded: Intervals
    variants: tuple[tuple[Intervals, Intervals], ...]
    layers: Mapping[str, Part] = field(default_factory=dict)
    probed: Intervals = EMPTY
    declared: Intervals = EMPTY
    bare: Intervals = EMPTY
    chosen: Mapping[str, tuple[Stretch, ...]] = field(default_factory=dict)

    def clip(self, begin: int, end: int) -> Account:
        """The part inside [begin, end)."""

        def cut(where: Intervals) -> Intervals:
            return where.clip(begin, end)

        return replace(
            self,
            begin=max(self.begin, begin),
            end=min(self.end, end),
            hours=cut(self.hours),
            service_time=cut(self.service_time),
            gross=self.gross.map(cut),
            net=self.net.map(cut),
            left={reason: cut(where) for reason, where in self.left.items()},
            unobserved=cut(self.unobserved),
            presumed=cut(self.presumed),
            degraded=cut(self.degraded),
            variants=tuple((cut(certain), cut(possible)) for certain, possible in self.variants),
            layers={key: part.clip(begin, end) for key, part in self.layers.items()},
            probed=cut(self.probed),
            declared=cut(self.declared),
            bare=cut(self.bare),
        )

    def without_outages(self, short: Intervals) -> Account:
        """Without these outages, which are degraded instead. What is possible stays: they may have been longer."""
        if not short:
            return self
        return replace(
            self,
            gross=Triple(self.gross.certain - short, self.gross.counted - short, self.gross.possible),
            net=Triple(self.net.certain - short, self.net.counted - short, self.net.possible),
            left={reason: where - short for reason, where in self.left.items()},
            presumed=self.presumed - short,
            degraded=self.degraded | short,
            variants=tuple((certain - short, possible) for certain, possible in self.variants),
        )


def put_together(cells: Sequence[Account]) -> Account:
    """Neighbouring cells (at least one) as one account, so that an outage over the turn of a month is one."""
    if len(cells) == 1:
        return cells[0]
    net = united([one.net for one in cells])
    keys = dict.fromkeys(key for one in cells for key in one.layers)
    return Account(
        begin=cells[0].begin,
        end=cells[-1].end,
        hours=union(one.hours for one in cells),
        service_time=union(one.service_time for one in cells),
        gross=united([one.gross for one in cells]),
        net=net,
        left={reason: union(one.left[reason] for one in cells) for reason in REASONS},
        unobserved=union(one.unobserved for one in cells),
        presumed=union(one.presumed for one in cells),
        degraded=union(one.degraded for one in cells),
        variants=((net.certain, net.possible),),
        layers={key: joined([one.layers[key] for one in cells if key in one.layers]) for key in keys},
        probed=union(one.probed for one in cells),
        declared=union(one.declared for one in cells),
        bare=union(one.bare for one in cells),
    )
