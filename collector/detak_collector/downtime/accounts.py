"""What is known of one service over one month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.downtime.groups import Stretch
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.parts import Part
from detak_collector.downtime.triple import Triple

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
        if begin <= self.begin and self.end <= end:
            return self

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
