"""One service over a period: its account month by month, its outages, and what other rules would have made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.downtime.accounts import Account, put_together
from detak_collector.downtime.calendars import Hours
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Service
from detak_collector.downtime.declarations import declared_down
from detak_collector.downtime.figure import Totals, summed, totals
from detak_collector.downtime.groups import Instead
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.outages import Outage, caused, outages
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.scopes import Basis, Scopes
from detak_collector.downtime.services import account

VARIANTS = ("all_down", "worst_member", "without_exclusions", "declared_beforehand", "without_minimum")
"""What is shown beside the figure: two other HA readings, none and only the timely exclusions, every short outage."""


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """One service over the period. `in_figure` is the part of it that the organisation's figure counts.

    `counting` is when its criticality is one that counts; `accounts` are whole months, `joined` the period alone.
    `beside` has, for each of VARIANTS, its totals in the period and, of these, what would enter the figure.
    """

    service: Service
    criticality: str | None
    totals: Totals
    in_figure: Totals | None
    beside: Mapping[str, tuple[Totals, Totals]]
    outages: tuple[Outage, ...]
    causes: Mapping[str, int]
    counting: Intervals
    accounts: tuple[Account, ...]
    joined: Account | None

    def within(self, begin: int, end: int) -> Totals:
        """Its totals in a part of the period."""
        return _within(self.accounts, Intervals.span(begin, end))

    def counted_within(self, begin: int, end: int) -> Totals:
        """What the organisation's figure counts of it in a part of the period."""
        return _within(self.accounts, self.counting.clip(begin, end))


@dataclass(frozen=True, slots=True)
class Assessor:
    """What is the same for every service of a derivation. `cells` may reach a month beyond the period on both sides."""

    case: Case
    readings: Mapping[str, Reading]
    cells: Sequence[Interval]
    hours: Hours
    period: Interval

    def assess(self, service: Service, *, beside: bool) -> ServiceResult:
        """The service's result; without `beside` nothing is derived a second time under other rules."""
        catalogue = self.case.catalogue
        accounts = self.accounts(service, self.case.exclusions)
        whole, counting = Intervals.span(*self.period), _counting(catalogue, service, self.period)
        inside = [one.clip(*self.period) for one in accounts if one.begin < self.period[1] and self.period[0] < one.end]
        joined = put_together(inside) if inside else None
        return ServiceResult(
            service=service,
            criticality=service.criticality.at(max(self.period[0], self.period[1] - 1)),
            totals=_within(accounts, whole),
            in_figure=_within(accounts, counting) if counting or not whole else None,
            beside=self._beside(service, accounts, whole, counting) if beside else {},
            outages=tuple(outages(service, joined, self.readings, self.case.as_of)) if joined else (),
            causes=caused(service, joined) if joined else {},
            counting=counting,
            accounts=tuple(accounts),
            joined=joined,
        )

    def accounts(
        self, service: Service, exclusions: Sequence[Exclusion], instead: Instead | None = None,
        *, catalogue: Catalogue | None = None,
    ) -> list[Account]:  # fmt: skip
        """The service's account, cell by cell, with outages that are too short to count taken out."""
        catalogue = catalogue or self.case.catalogue
        basis = Basis(self.readings, Scopes.of(catalogue, exclusions), declared_down(self.case.declarations))
        hours = zip(self.hours[service.hours], self.cells, strict=True)
        made = [account(service, open_, cell, basis, instead) for open_, cell in hours]
        return without_short(made, catalogue.minimum_outage_ms)

    def _beside(
        self, service: Service, accounts: Sequence[Account], whole: Intervals, counting: Intervals
    ) -> dict[str, tuple[Totals, Totals]]:
        case = self.case
        bare = replace(case.catalogue, counted_exclusions=())
        every = replace(case.catalogue, minimum_outage_ms=Dated.always(0))
        timely = tuple(one for one in case.exclusions if not one.late)
        has_third_party = any(group.third_party for group in service.groups)
        has_ha = any(len(group.members) > 1 for group in service.groups)
        has_minimum = any(length for _, _, length in case.catalogue.minimum_outage_ms.entries)
        makers: dict[str, Callable[[], Sequence[Account]] | None] = {
            "all_down": (lambda: self.accounts(service, case.exclusions, "all_down")) if has_ha else None,
            "worst_member": (lambda: self.accounts(service, case.exclusions, "worst_member")) if has_ha else None,
            "without_exclusions": (lambda: self.accounts(service, (), catalogue=bare))
            if case.exclusions or has_third_party
            else None,
            "declared_beforehand": (lambda: self.accounts(service, timely))
            if len(timely) < len(case.exclusions)
            else None,
            "without_minimum": (lambda: self.accounts(service, case.exclusions, catalogue=every))
            if has_minimum
            else None,
        }
        made = {name: make() if make is not None else accounts for name, make in makers.items()}
        return {name: (_within(one, whole), _within(one, counting)) for name, one in made.items()}


def _within(accounts: Sequence[Account], where: Intervals) -> Totals:
    if not where:
        return summed(())
    begin, end = where.parts[0][0], where.parts[-1][1]
    return summed(totals(one, where) for one in accounts if one.begin < end and begin < one.end)


def without_short(accounts: Sequence[Account], minimum_ms: Dated[int]) -> list[Account]:
    """Outages shorter than the minimum in force when they began are degraded; measured whole, over months too."""
    if not accounts or not any(length for _, _, length in minimum_ms.entries):
        return list(accounts)
    gross = put_together(accounts).gross.counted
    short = Intervals.of((begin, end) for begin, end in gross if end - begin < (minimum_ms.at(begin) or 0))
    return [one.without_outages(short.clip(one.begin, one.end)) for one in accounts]


def _counting(catalogue: Catalogue, service: Service, period: Interval) -> Intervals:
    """The part of the period in which the service's criticality enters the figure."""
    begin, end = period
    return Intervals.of(
        (max(begin, begin if since is None else since), min(end, end if until is None else until))
        for since, until, level in service.criticality.entries
        if level in catalogue.counted_criticality
    )
