"""How much each exclusion changed the figure: the months that it touches are derived once more, without it. Pure.

Two exclusions of the same time change nothing each by itself; what all of them changed together stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Exclusion, Service
from detak_collector.downtime.derive import Result, cells_of, derive_months
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.scopes import Scopes
from detak_collector.errors import EvidenceDisposedError

MOST_MEASURED = 100
"""Exclusions beyond these, in the order of time, are not measured: each may cost as much as a month of a report."""

Derive = Callable[[Case, Interval], Mapping[str, ServiceMonth]]
"""Derives a month of the case's services, under its exclusions, as far as it lies in the period."""


def effects(result: Result, derive: Derive, only: Collection[str] | None = None) -> dict[str, int]:
    """By the id of each exclusion that has effect: how many more milliseconds would be counted without it.

    With `only` of these alone.
    """
    touched = {name: services for name, services in _touched(result).items() if only is None or name in only}
    found = ((name, _effect(result, name, touched[name], derive)) for name in list(touched)[:MOST_MEASURED])
    return {name: more for name, more in found if more is not None}


def from_facts(result: Result) -> Derive:
    """Derives from the facts of the result's own case, where it has them all."""

    def derive(case: Case, cell: Interval) -> Mapping[str, ServiceMonth]:
        (month,) = derive_months(case, result.period, (cell,), beside=False)
        return month.services

    return derive


def _touched(result: Result) -> dict[str, list[Service]]:
    """The services of each exclusion that subtracts in the period, earliest first."""
    case, period = result.case, result.period
    here = [one for one in case.exclusions if one.begin < period.end and period.begin < one.end]
    scopes = Scopes.of(case.catalogue, sorted(here, key=lambda one: one.begin))
    found: dict[str, list[Service]] = {one.id: [] for one in scopes.exclusions}
    for service in case.catalogue.services:
        for name in dict.fromkeys(one.id for one in scopes.touching(service)):
            found[name].append(service)
    return found


def _effect(result: Result, name: str, services: Iterable[Service], derive: Derive) -> int | None:
    """None where the evidence by which it could be told was disposed of."""
    case = result.case
    chosen = tuple(services)
    windows = [one for one in case.exclusions if one.id == name]
    without = replace(
        case,
        catalogue=replace(case.catalogue, services=chosen),
        exclusions=tuple(one for one in case.exclusions if one.id != name),
    )
    known = {one.service.id: one.months for one in result.services}
    more = 0
    for at, cell in enumerate(cells_of(case, result.period)):
        if chosen and any(_meets(one, cell) for one in windows):
            try:
                found = derive(without, cell)
            except EvidenceDisposedError:
                return None
            more += sum(_counted(found[one.id]) - _counted(known[one.id][at]) for one in chosen)
    return more


def _meets(one: Exclusion, cell: Interval) -> bool:
    return one.begin < cell[1] and cell[0] < one.end


def _counted(month: ServiceMonth) -> int:
    return 0 if month.in_figure is None else month.in_figure.counted_ms
