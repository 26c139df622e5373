"""What managers read beside the figure: months, means, achievement index, units, and warnings of what could mislead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from detak_collector.downtime.catalogue import Service, Unit
from detak_collector.downtime.derive import Result, derive, target_at
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.months import WITHOUT_WATCHDOG
from detak_collector.downtime.periods import months, year_to_date

ACHIEVEMENT_CAP = Fraction(120)
GREEN_FROM, YELLOW_FROM = Fraction(100), Fraction(80)


@dataclass(frozen=True, slots=True)
class Month:
    """A local calendar month, or the part of it that lies in the period, with the target then in force.

    `year_to_date` are the totals since 1 January of its year, None where the result does not reach back so far.
    """

    name: str
    begin: int
    end: int
    totals: Totals
    target_percent: Fraction
    year_to_date: Totals | None = None

    @property
    def verdict(self) -> str | None:
        """What people are told of it."""
        return self.totals.standing(self.target_percent)


@dataclass(frozen=True, slots=True)
class UnitFigure:
    """A unit's own figure."""

    unit: Unit
    totals: Totals
    target_percent: Fraction


@dataclass(frozen=True, slots=True)
class Tally:
    """How many counted outages there were in services of counted criticality, and of how many incidents."""

    outages: int
    incidents: int


def with_year(result: Result) -> Result:
    """The result with its year to date beside it, out of the same case."""
    period = year_to_date(result.period, result.case.zone)
    if period.begin == result.period.begin:
        return result
    return replace(result, year=derive(result.case, period, beside=False))


def months_of(result: Result) -> tuple[Month, ...]:
    """The figure of each month of the period, which add up to the period's, and the year's up to that month's end."""
    zone = result.case.zone
    whole = result if year_to_date(result.period, zone).begin == result.period.begin else result.year
    sums: dict[str, Totals] = {}
    for month in _strip(whole) if whole is not None else ():
        year = month.name[:4]
        sums[month.name] = sums[year] = summed((sums.get(year, summed(())), month.totals))
    return tuple(replace(month, year_to_date=sums.get(month.name)) for month in _strip(result))


def _strip(result: Result) -> list[Month]:
    found: list[Month] = []
    if result.period.begin >= result.end:
        return found
    zone, target = result.case.zone, result.case.catalogue.target_percent
    counted: dict[int, list[Totals]] = {}
    for month in (month for one in result.services for month in one.months):
        counted.setdefault(month.begin, []).extend([month.in_figure] if month.in_figure is not None else [])
    for start, stop in months(result.period.begin, result.end, zone):
        begin, end = max(start, result.period.begin), min(stop, result.end)
        name = datetime.fromtimestamp(start // 1000, zone).strftime("%Y-%m")
        totals = summed(counted.get(begin, ()))
        found.append(Month(name, begin, end, totals, target_at(target, begin, end)))
    return found


def tally(result: Result) -> Tally:
    """The outages that cost the figure something, and their incidents, also where only one service's rows are left."""
    counting = {one.id: _counting(one, result) for one in result.case.catalogue.services}
    whole = Intervals.span(result.period.begin, result.end)
    always = {service for service, where in counting.items() if where == whole}
    costly = [
        sum(
            one.counted_ms > 0 and (one.service in always or bool(counting[one.service].clip(one.begin, one.end)))
            for one in incident.outages
        )
        for incident in result.incidents
    ]
    return Tally(sum(costly), sum(map(bool, costly)))


def _counting(service: Service, result: Result) -> Intervals:
    """When the service's criticality enters the figure."""
    begin, end = result.period.begin, result.end
    return Intervals.of(
        (begin if since is None else since, end if until is None else until)
        for since, until, level in service.criticality.entries
        if level in result.case.catalogue.counted_criticality
    )


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


def never_reported(result: Result) -> list[str]:
    """The checks of which there is no evidence in any month of the period in which they were in force, by name."""
    unseen = {check for one in result.services for month in one.months for check in month.unseen}
    doubtful = [one for one in result.services if not unseen.isdisjoint(one.service.checks())]
    seen = {
        check
        for one in doubtful
        for month in one.months
        for check in one.service.checks_in_force(month.begin, month.end)
        if check not in month.unseen
    }
    return sorted(unseen - seen)


def warnings(result: Result) -> Iterator[str]:
    """What a reader must know before he relies on the verdict, one sentence each."""
    figure, target = result.figure, result.target_percent
    readings = {name: result.beside[name].percent for name in ("all_down", "worst_member") if name in result.beside}
    known = [percent for percent in (figure.percent, *readings.values()) if percent is not None]
    if known and min(known) <= target < max(known):
        yield "the target lies between the HA readings: which rule is declared decides the verdict"
    observed = figure.ratio(figure.possible_ms - figure.unobserved_ms)
    least = figure.ratio(figure.certain_ms)
    if observed is not None and least is not None and least <= target < observed:
        yield "the check intervals are too coarse to decide the target: shorter ones would narrow the bounds"
    unguarded = result.beside.get(WITHOUT_WATCHDOG, figure)
    if unguarded.proof(target) != figure.proof(target):
        yield "the proof rests on the watchdog assumption: without it the verdict is not proven"
    for one in result.services:
        if one.in_figure is not None and one.totals.coverage == 0:
            yield f"service {one.service.id} was not observed at all"
