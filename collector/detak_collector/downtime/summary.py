"""What managers read beside the figure: months, means, achievement index, units, and warnings of what could mislead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from detak_collector.downtime.catalogue import Unit
from detak_collector.downtime.derive import Result, target_at
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.periods import months

ACHIEVEMENT_CAP = Fraction(120)
GREEN_FROM, YELLOW_FROM = Fraction(100), Fraction(80)


@dataclass(frozen=True, slots=True)
class Month:
    """A local calendar month, or the part of it that lies in the period, with the target then in force."""

    name: str
    begin: int
    end: int
    totals: Totals
    target_percent: Fraction


@dataclass(frozen=True, slots=True)
class UnitFigure:
    """A unit's own figure."""

    unit: Unit
    totals: Totals
    target_percent: Fraction


def months_of(result: Result) -> tuple[Month, ...]:
    """The figure of each month of the period; their totals add up to the period's."""
    found: list[Month] = []
    if result.period.begin >= result.end:
        return ()
    zone, target = result.case.zone, result.case.catalogue.target_percent
    for start, stop in months(result.period.begin, result.end, zone):
        begin, end = max(start, result.period.begin), min(stop, result.end)
        name = datetime.fromtimestamp(start // 1000, zone).strftime("%Y-%m")
        totals = summed(one.counted_within(begin, end) for one in result.services)
        found.append(Month(name, begin, end, totals, target_at(target, begin, end)))
    return tuple(found)


def units_of(result: Result) -> tuple[UnitFigure, ...]:
    """The figure of each [[unit]] over its services of counted criticality."""
    return tuple(_unit_figure(result, unit) for unit in result.case.catalogue.units)


def _unit_figure(result: Result, unit: Unit) -> UnitFigure:
    mine = [one.in_figure for one in result.services if one.service.id in unit.services]
    target = unit.target_percent or result.case.catalogue.target_percent
    return UnitFigure(
        unit,
        summed(totals for totals in mine if totals is not None),
        target_at(target, result.period.begin, result.end),
    )


def mean_of_services(result: Result) -> Fraction | None:
    """The plain mean of the counted services' percentages, shown beside the ratio of sums."""
    return _mean([one.in_figure.percent for one in result.services if one.in_figure is not None])


def mean_of_months(strip: Sequence[Month]) -> Fraction | None:
    """The plain mean of the months' percentages, shown beside the cumulative ratio."""
    return _mean([month.totals.percent for month in strip])


def _mean(percentages: Sequence[Fraction | None]) -> Fraction | None:
    known = [percent for percent in percentages if percent is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


def achievement(percent: Fraction | None, target_percent: Fraction) -> Fraction | None:
    """(2 - realised / target) x 100, capped: the index of a figure that should be low. None without a target."""
    if percent is None or not target_percent:
        return None
    return min((2 - percent / target_percent) * 100, ACHIEVEMENT_CAP)


def colour(index: Fraction | None) -> str | None:
    """`green`, `yellow` or `red`, by the bands of the index."""
    if index is None:
        return None
    if index >= GREEN_FROM:
        return "green"
    return "yellow" if index >= YELLOW_FROM else "red"


def warnings(result: Result) -> Iterator[str]:
    """What a reader must know before he relies on the verdict, one sentence each."""
    figure, target = result.figure, result.target_percent
    readings = {name: result.beside[name].percent for name in ("all_down", "worst_member") if name in result.beside}
    known = [percent for percent in (figure.percent, *readings.values()) if percent is not None]
    if known and min(known) <= target < max(known):
        yield "the target lies between the HA readings: which rule is declared decides the verdict"
    observed = figure.ratio(max(0, figure.possible_ms - figure.unobserved_ms))
    least = figure.ratio(figure.certain_ms)
    if observed is not None and least is not None and least <= target < observed:
        yield "the check intervals are too coarse to decide the target: shorter ones would narrow the bounds"
    for one in result.services:
        if one.in_figure is not None and one.totals.coverage == 0:
            yield f"service {one.service.id} was not observed at all"
