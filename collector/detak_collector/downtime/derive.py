"""The engine's front: facts, catalogue, corrections and a period in; figures, outages and their causes out.

Every figure is a sum over calendar months, each derived by itself, so that a year is what its months are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from detak_collector.downtime.assess import Month, assess
from detak_collector.downtime.calendars import hours_in_force, refuse_unknown
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Service
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import NO_NUMBERS, NO_ORDERS, Incident, Numbers, Orders, incidents_of
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.months import (
    VARIANTS,
    ServiceMonth,
    caused_by,
    in_figure,
    outages_of,
    total,
    under_variants,
)
from detak_collector.downtime.outages import Outage, OutageKey
from detak_collector.downtime.periods import Period, months
from detak_collector.downtime.sealed import Sealed
from detak_collector.downtime.stories import Story

__all__ = ["Case", "Result", "ServiceResult", "derive"]


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """One service over the period, the sum of its `months`. `in_figure` is what the organisation's figure counts of it.

    `beside` has, for each of VARIANTS, its totals and, of these, what would enter the figure.
    """

    service: Service
    criticality: str | None
    months: tuple[ServiceMonth, ...]
    totals: Totals
    in_figure: Totals | None
    beside: Mapping[str, tuple[Totals, Totals]]
    outages: tuple[Outage, ...]
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """The figure of a period and all that it is made of. `beside`: the figure as other rules would have it.

    `details` are the months as far as they were derived for this result, and not taken from what was kept.
    `numbers` are those that the outages keep for good. `year` is the result from 1 January to the period's end,
    `published` the figures of earlier years that people entered. `ledger` is the head of the chain over all that was
    recorded, such as `12:9f86…`, where there is one. `stories` are what people wrote of outages,
    `seal` is the seal of this period, `overtaken` those of parts of it that come to another figure here. `drills` are
    the ids of the exclusions that are drills, None where that is not known: no figure depends on it.
    """

    case: Case
    period: Period
    running: bool
    target_percent: Fraction
    figure: Totals
    beside: Mapping[str, Totals]
    services: tuple[ServiceResult, ...]
    details: tuple[Month, ...] = field(default=())
    numbers: Numbers = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    year: Result | None = None
    published: tuple[Published, ...] = ()
    ledger: str | None = None
    seal: Sealed | None = None
    overtaken: tuple[Sealed, ...] = ()
    stories: Mapping[OutageKey, Story] = field(default_factory=dict)
    drills: frozenset[str] | None = None

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

    @property
    def last(self) -> int:
        """The last instant of that time: people and things are called as they were then."""
        return max(self.period.begin, self.end - 1)


def derive(case: Case, period: Period, *, beside: bool = True) -> Result:
    """The figure of the period, as the facts stand; without `beside`, under the declared rules alone.

    Raises JointLeaveUnknownError where service hours cannot be known.
    """
    cells = cells_of(case, period)
    refuse_unknown(case.catalogue, cells)
    details = derive_months(case, period, cells, beside=beside)
    result = put_together(case, period, [detail.services for detail in details], details, beside=beside)
    return with_incidents(result)


def derive_months(case: Case, period: Period, cells: Sequence[Interval], *, beside: bool) -> tuple[Month, ...]:
    """Each of `cells`, which are months of the period or what is over of them, as far as it lies in the period."""
    return tuple(_month(case, period, cell, beside=beside) for cell in cells)


def _month(case: Case, period: Period, cell: Interval, *, beside: bool) -> Month:
    asked = (period.begin, min(period.end, case.as_of))
    around = evidence_cells(case, cell)
    return assess(case, around, cell, hours_in_force(case.catalogue, around), asked, beside=beside)


def put_together(
    case: Case,
    period: Period,
    found: Sequence[Mapping[str, ServiceMonth]],
    details: Sequence[Month] = (),
    *,
    beside: bool = True,
) -> Result:
    """The result that the months `found`, each by service, come to; its outages have no numbers or incidents yet."""
    end = max(period.begin, min(period.end, case.as_of))
    services = [_service(case, period, service, found, beside=beside) for service in case.catalogue.services]
    counted = [one for one in services if one.in_figure is not None]
    return Result(
        case=case,
        period=period,
        running=case.as_of < period.end,
        target_percent=target_at(case.catalogue.target_percent, period.begin, end),
        figure=summed(one.in_figure for one in counted if one.in_figure is not None),
        beside={name: summed(one.beside[name][1] for one in counted) for name in VARIANTS if beside and counted},
        services=tuple(services),
        details=tuple(details),
    )


def _service(
    case: Case, period: Period, service: Service, found: Sequence[Mapping[str, ServiceMonth]], *, beside: bool
) -> ServiceResult:
    mine = tuple(month[service.id] for month in found)
    last = max(period.begin, min(period.end, case.as_of) - 1)
    counts = in_figure(mine) if mine else summed(())
    return ServiceResult(
        service=service,
        criticality=service.criticality.at(last),
        months=mine,
        totals=total(mine),
        in_figure=counts,
        beside=under_variants(mine) if beside else {},
        outages=outages_of(mine),
        causes=caused_by(mine),
    )


def cells_of(case: Case, period: Period) -> tuple[Interval, ...]:
    """The months that touch the period, as far as they are over: the choice of a lowest member needs them whole."""
    end = min(period.end, case.as_of)
    if period.begin >= end:
        return ()
    return tuple((start, min(stop, case.as_of)) for start, stop in months(period.begin, end, case.zone))


def evidence_cells(case: Case, cell: Interval) -> tuple[Interval, ...]:
    """The cell, and where outages have a minimum length its neighbours: they tell how long those at its edges are."""
    if not needs_neighbours(case.catalogue):
        return (cell,)
    (before,) = months(cell[0] - 1, cell[0], case.zone)
    after = months(cell[1], cell[1] + 1, case.zone) if cell[1] < case.as_of else ()
    return (before, cell, *((start, min(stop, case.as_of)) for start, stop in after))


def needs_neighbours(catalogue: Catalogue) -> bool:
    """Whether evidence of the neighbouring months bears on a month."""
    return any(length for _, _, length in catalogue.minimum_outage_ms.entries)


def target_at(target: Dated[Fraction], begin: int, end: int) -> Fraction:
    """The target in force at the last instant of [begin, end)."""
    found = target.at(max(begin, end - 1))
    return found if found is not None else Fraction(0)


def with_incidents(result: Result, numbers: Numbers = NO_NUMBERS, orders: Orders = NO_ORDERS) -> Result:
    """The result with the numbers of its outages, and these put into incidents."""
    gap_at = result.case.catalogue.incident_gap_ms.value_at
    in_order = sorted(result.services, key=lambda one: one.service.id)
    outages = [outage for one in in_order for outage in one.outages]
    return replace(result, numbers=numbers, incidents=incidents_of(outages, gap_at, numbers, orders))
