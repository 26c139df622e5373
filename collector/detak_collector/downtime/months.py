"""A service over one calendar month: the piece of which every figure is a sum, derived once and then kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.outages import Outage, continued
from detak_collector.downtime.shares import Shares

WITHOUT_WATCHDOG = "without_watchdog"
VARIANTS = (
    "all_down", "worst_member", "without_exclusions", "declared_beforehand", "without_minimum", "without_freeze_rule",
    WITHOUT_WATCHDOG,
)  # fmt: skip
"""What is shown beside the figure: two other HA readings, none and only the timely exclusions, every short outage,
every short freeze, and what is certain without the watchdog assumption, which never changes what is counted."""


@dataclass(frozen=True, slots=True)
class ServiceMonth:
    """One service over [begin, end): a month, or the part of it that lies in the period and is over.

    `in_figure` is what of `totals` the organisation's figure counts, None where its criticality never does. `beside`
    has, for those of VARIANTS that differ, both of these under other rules. `causes` are net counted milliseconds by
    layer, `unseen` the checks then in force of which there is no evidence at all. `shares` are what each layer answers
    for of `totals`, None where an earlier version kept the month without; `shares_in_figure` what of that the figure
    counts, None where that is all of it, or nothing.
    """

    begin: int
    end: int
    totals: Totals
    in_figure: Totals | None
    beside: Mapping[str, tuple[Totals, Totals | None]]
    causes: Mapping[str, int]
    outages: tuple[Outage, ...]
    without_reserve_ms: int = 0
    declared_down_ms: int = 0
    declared_up_ms: int = 0
    unseen: tuple[str, ...] = ()
    shares: Shares | None = None
    shares_in_figure: Shares | None = None

    def entering(self) -> Shares | None:
        """What of the shares the figure counts; None where the shares are not known."""
        if self.in_figure is None:
            return {}
        return self.shares if self.shares_in_figure is None else self.shares_in_figure

    def variant(self, name: str) -> tuple[Totals, Totals | None]:
        """Its totals, and what of them the figure would count, under one of VARIANTS."""
        return self.beside.get(name, (self.totals, self.in_figure))


def total(months: Sequence[ServiceMonth]) -> Totals:
    """What the months add up to."""
    return summed(one.totals for one in months)


def in_figure(months: Sequence[ServiceMonth]) -> Totals | None:
    """What the figure counts of them; None where it counts none of them."""
    counted = [one.in_figure for one in months if one.in_figure is not None]
    return summed(counted) if counted else None


def under_variants(months: Sequence[ServiceMonth]) -> dict[str, tuple[Totals, Totals]]:
    """The same two sums under each of VARIANTS."""
    plain = total(months), in_figure(months) or summed(())
    differing = {name for one in months for name in one.beside}
    return {name: _under(name, months) if name in differing else plain for name in VARIANTS}


def _under(name: str, months: Sequence[ServiceMonth]) -> tuple[Totals, Totals]:
    pairs = [one.variant(name) for one in months]
    return summed(whole for whole, _ in pairs), summed(counted for _, counted in pairs if counted is not None)


def caused_by(months: Sequence[ServiceMonth]) -> dict[str, int]:
    """Net counted milliseconds by the layer that caused them."""
    causes: dict[str, int] = {}
    for month in months:
        for category, length in month.causes.items():
            causes[category] = causes.get(category, 0) + length
    return causes


def outages_of(months: Sequence[ServiceMonth]) -> tuple[Outage, ...]:
    """Their outages in order; one that goes on over the turn of a month is one."""
    return joined(outage for month in months for outage in month.outages)


def joined(outages: Iterable[Outage]) -> tuple[Outage, ...]:
    """Outages of one service in order; those that meet are one."""
    found: list[Outage] = []
    for one in outages:
        if found and found[-1].end == one.begin:
            found[-1] = continued(found[-1], one)
        else:
            found.append(one)
    return tuple(found)
