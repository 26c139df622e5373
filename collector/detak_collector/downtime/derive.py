"""The engine's front: facts, catalogue, exclusions and a period in; figures, outages and their causes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from fractions import Fraction

from detak_collector.downtime.accounts import Account, put_together
from detak_collector.downtime.catalogue import Catalogue, Exclusion, Service
from detak_collector.downtime.facts import Facts, Node
from detak_collector.downtime.figure import Totals, summed, totals
from detak_collector.downtime.groups import Instead
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.outages import Outage, caused, numbered, outages
from detak_collector.downtime.periods import Period, months
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.remote import weigh_remote
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.scopes import Basis, Scopes
from detak_collector.downtime.services import account
from detak_collector.downtime.stated import read_stated


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a derivation rests on. `as_of` is the moment up to which evidence is used and time has passed."""

    catalogue: Catalogue
    zone: tzinfo
    facts: Facts
    exclusions: tuple[Exclusion, ...]
    as_of: int


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """One service over the period. `in_figure` is the part of it that the organisation's figure counts.

    `counting` is when its criticality is one that counts; `accounts` are whole months, `joined` the period alone.
    """

    service: Service
    criticality: str | None
    totals: Totals
    in_figure: Totals | None
    all_down_ms: int
    worst_member_ms: int
    outages: tuple[Outage, ...]
    causes: Mapping[str, int]
    counting: Intervals
    accounts: tuple[Account, ...]
    joined: Account | None

    def within(self, begin: int, end: int) -> Totals:
        """Its totals in a part of the period."""
        where = Intervals.span(begin, end)
        return summed(totals(one, where) for one in self.accounts if one.begin < end and begin < one.end)

    def counted_within(self, begin: int, end: int) -> Totals:
        """What the organisation's figure counts of it in a part of the period."""
        where = self.counting.clip(begin, end)
        return summed(totals(one, where) for one in self.accounts if one.begin < end and begin < one.end)


@dataclass(frozen=True, slots=True)
class Result:
    """The figure of a period and all that it is made of."""

    period: Period
    as_of: int
    running: bool
    target_percent: Fraction
    figure: Totals
    services: tuple[ServiceResult, ...]
    readings: Mapping[str, Reading]

    def only(self, service: str) -> Result:
        """The same with one service's rows; the figure stays that of the organisation."""
        return replace(self, services=tuple(one for one in self.services if one.service.id == service))


def derive(case: Case, period: Period) -> Result:
    """The figure of the period, as the facts stand."""
    end = min(period.end, case.as_of)
    cells = tuple((start, min(stop, case.as_of)) for start, stop in months(period.begin, end, case.zone))
    begin, until = (cells[0][0], cells[-1][1]) if cells else (period.begin, period.begin)
    readings = read_all(case, begin, until)
    basis = Basis(readings, Scopes.of(case.catalogue, case.exclusions))
    found = [_service(case, service, cells, (period.begin, end), basis) for service in case.catalogue.services]
    named = numbered(
        [outage for one in found for outage in one.outages],
        case.catalogue.incident_gap_ms,
        {outage.begin: _name(outage.begin, case.zone) for one in found for outage in one.outages},
    )
    services = tuple(_with_names(one, named) for one in found)
    return Result(
        period=period,
        as_of=case.as_of,
        running=case.as_of < period.end,
        target_percent=_target(case.catalogue, period, end),
        figure=summed(one.in_figure for one in services if one.in_figure is not None),
        services=services,
        readings=readings,
    )


def read_all(case: Case, begin: int, end: int) -> dict[str, Reading]:
    """The reading of every check that the catalogue names, remote ones weighed by their references."""
    wanted = dict.fromkeys(check for service in case.catalogue.services for check in service.checks())
    helping = dict.fromkeys(
        check for node in case.catalogue.nodes for check in (*node.references, *node.witnesses)
    )  # fmt: skip
    checks = tuple({**wanted, **helping})
    first = {check: _read(case, check, begin, end, EMPTY) for check in checks}
    reached = {node.name: _reached(node.witnesses, first, begin, end) for node in case.catalogue.nodes}
    for check in checks:
        host_up = reached.get(_node(check), EMPTY)
        if host_up and first[check].presumed:
            first[check] = _read(case, check, begin, end, host_up)
    return {
        check: weigh_remote(reading, case.catalogue.node(_node(check)), first, begin, end)
        for check, reading in first.items()
    }


def _read(case: Case, check: str, begin: int, end: int, host_up: Intervals) -> Reading:
    node = case.facts.nodes.get(_node(check), Node(_node(check)))
    name = check.split("/", 1)[1]
    if node.stated:
        return read_stated(check, [fact for fact in node.stated if fact.check == name], begin, end)
    reading = read_sampled(name, node, case.facts, Window(begin, end, case.as_of), host_up=host_up)
    return replace(reading, check=check)


def _reached(witnesses: Sequence[str], readings: Mapping[str, Reading], begin: int, end: int) -> Intervals:
    """Where a check elsewhere surely reached the node."""
    return union(readings[check].down.possible.within(begin, end) for check in witnesses)


def _node(check: str) -> str:
    return check.split("/", 1)[0]


def _service(case: Case, service: Service, cells: Sequence[Interval], period: Interval, basis: Basis) -> ServiceResult:
    def over(instead: Instead | None) -> tuple[Account, ...]:
        return tuple(account(service, Intervals.span(*cell), cell, basis, instead) for cell in cells)

    accounts, whole = over(None), Intervals.span(*period)
    inside = [one.clip(*period) for one in accounts]
    joined = put_together(inside) if inside else None
    counting = _counting(case.catalogue, service, period)
    beside = {instead: sum((one.net.counted & whole).total for one in over(instead)) for instead in _READINGS}
    return ServiceResult(
        service=service,
        criticality=service.criticality.at(max(period[0], period[1] - 1)),
        totals=summed(totals(one, whole) for one in accounts),
        in_figure=summed(totals(one, counting) for one in accounts) if counting or not whole else None,
        all_down_ms=beside["all_down"],
        worst_member_ms=beside["worst_member"],
        outages=tuple(outages(service, joined, basis.readings, case.as_of)) if joined else (),
        causes=caused(service, joined) if joined else {},
        counting=counting,
        accounts=accounts,
        joined=joined,
    )


_READINGS: tuple[Instead, ...] = ("all_down", "worst_member")


def _counting(catalogue: Catalogue, service: Service, period: Interval) -> Intervals:
    """The part of the period in which the service's criticality enters the figure."""
    begin, end = period
    return Intervals.of(
        (max(begin, begin if since is None else since), min(end, end if until is None else until))
        for since, until, level in service.criticality.entries
        if level in catalogue.counted_criticality
    )


def _with_names(one: ServiceResult, named: Iterable[Outage]) -> ServiceResult:
    return replace(one, outages=tuple(outage for outage in named if outage.service == one.service.id))


def _target(catalogue: Catalogue, period: Period, end: int) -> Fraction:
    """The target in force at the period's last instant so far."""
    target = catalogue.target_percent.at(max(period.begin, end - 1))
    return target if target is not None else Fraction(0)


def _name(begin: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(begin // 1000, zone).strftime("%Y%m%dT%H%M%S")
