"""One month of all services: evidence read once, then each service's account, its outages, and other rules beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.downtime.accounts import Account
from detak_collector.downtime.calendars import Hours
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Service
from detak_collector.downtime.declarations import declared_down
from detak_collector.downtime.evidence import read_all
from detak_collector.downtime.figure import totals
from detak_collector.downtime.groups import HA_READINGS
from detak_collector.downtime.intervals import Interval, Intervals, union
from detak_collector.downtime.months import WITHOUT_WATCHDOG, ServiceMonth
from detak_collector.downtime.outages import Moment, caused, causes, outages
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.scopes import Basis, Scopes
from detak_collector.downtime.services import account, under_another_rule
from detak_collector.downtime.shares import by_layer, shares


@dataclass(frozen=True, slots=True)
class Month:
    """What was derived of one month, or of the part [begin, end) of it that lies in the period.

    `services` are the sums, `accounts` and `readings` what they were made of; all by service or check.
    """

    begin: int
    end: int
    services: Mapping[str, ServiceMonth]
    accounts: Mapping[str, Account]
    readings: Mapping[str, Reading]

    def over(self, earlier: Month) -> Month:
        """The same month derived earlier, with what was derived of it now laid over."""
        return replace(
            self,
            services={**earlier.services, **self.services},
            accounts={**earlier.accounts, **self.accounts},
            readings={**earlier.readings, **self.readings},
        )


def assess(
    case: Case, cells: Sequence[Interval], own: Interval, hours: Hours, period: Interval, *, beside: bool
) -> Month:
    """The month `own`, as far as it lies in the period; `cells` are it and the neighbours that bear on it."""
    begin, end = cells[0][0], cells[-1][1]
    readings = read_all(case, begin, end)
    has_rule = any(case.catalogue.freeze_degraded_below_ms.values())
    spared = beside and has_rule and any(one.spared for one in readings.values())
    unspared = read_all(case.without_freeze_rule(), begin, end) if spared else readings
    assessor = _Assessor.of(case, readings, unspared, cells, own, hours)
    services: dict[str, ServiceMonth] = {}
    accounts: dict[str, Account] = {}
    for service in case.catalogue.services:
        accounts[service.id], services[service.id] = assessor.service(service, period, beside=beside)
    begin, end = max(own[0], period[0]), min(own[1], period[1])
    return Month(begin, end, services, accounts, readings)


@dataclass(frozen=True, slots=True)
class _Assessor:
    """What is the same for every service of a month, the `at`th of `cells`.

    Accounts rest on what is `declared`; the others on no exclusion at all, on the `timely` ones alone, on readings in
    which short freezes are not spared, and on those in which no watchdog is relied on.
    """

    case: Case
    readings: Mapping[str, Reading]
    cells: Sequence[Interval]
    at: int
    hours: Hours
    declared: Basis
    bare: Basis
    timely: Basis
    unspared: Basis
    unguarded: Basis

    @staticmethod
    def of(
        case: Case,
        readings: Mapping[str, Reading],
        unspared: Mapping[str, Reading],
        cells: Sequence[Interval],
        own: Interval,
        hours: Hours,
    ) -> _Assessor:
        """Lays out once what excludes any of that time."""
        down = declared_down(case.declarations)
        none_subtract = replace(case.catalogue, counted_exclusions=())
        unguarded = {check: one.without_watchdog() for check, one in readings.items()}
        exclusions = [one for one in case.exclusions if one.begin < cells[-1][1] and cells[0][0] < one.end]
        scopes = Scopes.of(case.catalogue, exclusions)
        timely = [one for one in exclusions if not one.late]
        return _Assessor(
            case,
            readings,
            cells,
            cells.index(own),
            hours,
            declared=Basis(readings, scopes, down),
            bare=Basis(readings, Scopes.of(none_subtract, ()), down),
            timely=Basis(readings, Scopes.of(case.catalogue, timely), down),
            unspared=Basis(unspared, scopes, down),
            unguarded=Basis(unguarded, scopes, down),
        )

    def service(self, service: Service, period: Interval, *, beside: bool) -> tuple[Account, ServiceMonth]:
        """The service's account inside the period, and its sums."""
        declared = self.declared.on(service)
        raw = self._accounts(service, declared)
        whole = self._finished(raw)
        begin, end = max(whole.begin, period[0]), min(whole.end, period[1])
        inside, span = whole.clip(begin, end), Intervals.span(begin, end)
        counted = counting(self.case.catalogue, service, (begin, end))
        declared_up = union(self.readings[check].proven_up for check in service.checks())
        others = self._beside(service, declared, raw, whole) if beside else {}
        by_cause = causes(service, inside)
        laid = by_layer(service, inside, by_cause)
        moment = Moment(self.case.as_of, self.case.zone)
        return inside, ServiceMonth(
            begin=begin,
            end=end,
            totals=totals(whole, span),
            in_figure=totals(whole, counted) if counted else None,
            beside={
                name: (totals(other, span), totals(other, counted) if counted else None)
                for name, other in others.items()
            },
            causes=caused(inside, by_cause),
            outages=outages(service, inside, by_cause, self.readings, moment),
            without_reserve_ms=inside.bare.total,
            declared_down_ms=inside.declared.total,
            declared_up_ms=declared_up.clip(begin, end).total,
            unseen=self._unseen(service, begin, end),
            shares=shares(laid, span),
            shares_in_figure=shares(laid, counted) if counted and counted != span else None,
        )

    def _unseen(self, service: Service, begin: int, end: int) -> tuple[str, ...]:
        checks = service.checks_in_force(begin, end)
        return tuple(dict.fromkeys(check for check in checks if self.readings[check].never))

    def _accounts(self, service: Service, basis: Basis) -> list[Account]:
        hours = zip(self.hours[service.hours], self.cells, strict=True)
        return [account(service, open_, cell, basis) for open_, cell in hours]

    def _finished(self, accounts: Sequence[Account]) -> Account:
        """This month's account, with the outages that are too short to count taken out."""
        return without_short(accounts, self.at, self.case.catalogue.minimum_outage_ms)

    def _beside(self, service: Service, declared: Basis, raw: Sequence[Account], whole: Account) -> dict[str, Account]:
        """The account under those of VARIANTS that make another one of it."""
        exclusions = declared.scopes.exclusions
        third_party = any(True in group.third_party.values() for group in service.groups)
        made: dict[str, Account] = {}
        for rule in HA_READINGS:
            instead = [under_another_rule(one, service, declared, rule) for one in raw]
            if any(one is not plain for one, plain in zip(instead, raw, strict=True)):
                made[rule] = self._finished(instead)
        if exclusions or third_party:
            made["without_exclusions"] = self._finished(self._accounts(service, self.bare))
        if any(one.late for one in exclusions):
            made["declared_beforehand"] = self._finished(self._accounts(service, self.timely.on(service)))
        if raw[self.at] is not whole:
            made["without_minimum"] = raw[self.at]
        if self._spares(service):
            made["without_freeze_rule"] = self._finished(self._accounts(service, self.unspared.on(service)))
        if any(self.readings[check].assumed for check in service.checks()):
            made[WITHOUT_WATCHDOG] = self._finished(self._accounts(service, self.unguarded.on(service)))
        return made

    def _spares(self, service: Service) -> bool:
        """Whether the freeze rule makes any check of the service less down."""
        spared, unspared = self.declared.readings, self.unspared.readings
        return any(spared[check].down.counted != unspared[check].down.counted for check in service.checks())


def without_short(accounts: Sequence[Account], at: int, minimum_ms: Dated[int]) -> Account:
    """The `at`th account, its outages shorter than the minimum in force when they began taken as degraded.

    They are measured whole: over the neighbouring months too.
    """
    own = accounts[at]
    if not any(length for _, _, length in minimum_ms.entries):
        return own
    gross = union(one.gross.counted for one in accounts)
    short = Intervals.of((begin, end) for begin, end in gross if end - begin < minimum_ms.value_at(begin))
    return own.without_outages(short.clip(own.begin, own.end))


def counting(catalogue: Catalogue, service: Service, period: Interval) -> Intervals:
    """The part of the period in which the service's criticality enters the figure."""
    begin, end = period
    return Intervals.of(
        (max(begin, begin if since is None else since), min(end, end if until is None else until))
        for since, until, level in service.criticality.entries
        if level in catalogue.counted_criticality
    )


def counts_at(catalogue: Catalogue, service: Service, instant: int) -> bool:
    """Whether the service enters the figure at an instant."""
    return service.criticality.at(instant) in catalogue.counted_criticality
