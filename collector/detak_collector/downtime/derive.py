"""The engine's front: facts, catalogue, corrections and a period in; figures, outages and their causes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from fractions import Fraction

from detak_collector.downtime.assess import Assessor, ServiceResult
from detak_collector.downtime.calendars import hours_in_force
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.evidence import read_all
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.outages import Outage, numbered
from detak_collector.downtime.periods import Period, months
from detak_collector.downtime.reading import Reading

__all__ = ["Case", "Result", "ServiceResult", "derive"]


@dataclass(frozen=True, slots=True)
class Result:
    """The figure of a period and all that it is made of. `beside`: the figure as other rules would have it."""

    case: Case
    period: Period
    running: bool
    target_percent: Fraction
    figure: Totals
    beside: Mapping[str, Totals]
    services: tuple[ServiceResult, ...]
    readings: Mapping[str, Reading]

    def only(self, service: str) -> Result:
        """The same with one service's rows; the figure stays that of the organisation."""
        return replace(self, services=tuple(one for one in self.services if one.service.id == service))

    @property
    def as_of(self) -> int:
        """The moment up to which evidence was used."""
        return self.case.as_of

    @property
    def end(self) -> int:
        """Where the period ends, or where its time so far does."""
        return max(self.period.begin, min(self.period.end, self.as_of))


def derive(case: Case, period: Period, *, beside: bool = True) -> Result:
    """The figure of the period, as the facts stand; without `beside`, under the declared rules alone.

    Raises JointLeaveUnknownError where service hours cannot be known.
    """
    end = max(period.begin, min(period.end, case.as_of))
    cells = cells_of(case, period.begin, end)
    hours = hours_in_force(case.catalogue, cells, (period.begin, end))
    readings = read_all(case, cells[0][0], cells[-1][1]) if cells else {}
    assessor = Assessor(case, readings, cells, hours, (period.begin, end))
    found = [assessor.assess(service, beside=beside) for service in case.catalogue.services]
    named = numbered(
        [outage for one in found for outage in one.outages],
        case.catalogue.incident_gap_ms,
        {outage.begin: _name(outage.begin, case.zone) for one in found for outage in one.outages},
    )
    counted = [one for one in found if one.in_figure is not None]
    variants = dict.fromkeys(name for one in counted for name in one.beside)
    return Result(
        case=case,
        period=period,
        running=case.as_of < period.end,
        target_percent=target_at(case.catalogue.target_percent, period.begin, end),
        figure=summed(one.in_figure for one in counted if one.in_figure is not None),
        beside={name: summed(one.beside[name][1] for one in counted) for name in variants},
        services=tuple(_with_names(one, named) for one in found),
        readings=readings,
    )


def cells_of(case: Case, begin: int, end: int) -> tuple[Interval, ...]:
    """The months that touch [begin, end), as far as they are over: the choice of a lowest member needs them whole.

    Where outages have a minimum length, the month before and the one after tell how long those at the edges are.
    """
    if begin >= end:
        return ()
    whole = list(months(begin, end, case.zone))
    if needs_neighbours(case.catalogue):
        whole = [*months(whole[0][0] - 1, whole[0][0], case.zone), *whole, *months(end, whole[-1][1] + 1, case.zone)]
    return tuple((start, min(stop, case.as_of)) for start, stop in dict.fromkeys(whole) if start < case.as_of)


def needs_neighbours(catalogue: Catalogue) -> bool:
    """Whether evidence of the neighbouring months bears on a period."""
    return any(length for _, _, length in catalogue.minimum_outage_ms.entries)


def target_at(target: Dated[Fraction], begin: int, end: int) -> Fraction:
    """The target in force at the last instant of [begin, end)."""
    found = target.at(max(begin, end - 1))
    return found if found is not None else Fraction(0)


def _with_names(one: ServiceResult, named: Iterable[Outage]) -> ServiceResult:
    return replace(one, outages=tuple(outage for outage in named if outage.service == one.service.id))


def _name(begin: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(begin // 1000, zone).strftime("%Y%m%dT%H%M%S")
