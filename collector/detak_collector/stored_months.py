"""Months out of the store: derived from its evidence, or taken from what was kept where nothing has touched it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from detak_collector.clocks import Reading as Moment
from detak_collector.downtime.assess import Month
from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.days import days_of
from detak_collector.downtime.derive import Case, derive_months, evidence_cells
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period
from detak_collector.rules import Digests, Rules, checks_by_service
from detak_collector.store.base import DerivedMonth, DerivedMonths, StoreUnavailableError, Wanted
from detak_collector.watch import LAG_MS

SETTLED_MS = 2 * 86_400_000
"""A month is kept from so long after its end: no span that was open then still is."""


class FactSource(Protocol):
    """Of an evidence store what deriving needs."""

    def facts(
        self,
        begin_utc: int,
        end_utc: int,
        now: Moment,
        checks: Collection[str] | None = None,
        *,
        known_at: int | None = None,
    ) -> Facts:
        """As EvidenceStore says."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """The evidence, under certain rules, as of one moment; `earlier` where that has gone by."""

    evidence: FactSource
    rules: Rules
    moment: Moment
    earlier: bool = False

    def as_of(self, utc: int) -> View:
        """The same as it was known at an earlier moment."""
        passed = self.moment.utc - utc
        moment = Moment(utc, self.moment.boottime - passed, self.moment.boot)
        return View(self.evidence, self.rules.known_at(utc), moment, earlier=True)

    def is_settled(self, cell: Interval) -> bool:
        """Whether the month may be kept."""
        return cell[1] + self.rules.neighbourhood_ms + SETTLED_MS <= self.moment.utc

    def under(self, rules: Rules) -> View:
        """The same under other rules."""
        return replace(self, rules=rules)

    def only(self, services: Sequence[Service]) -> View:
        """The same for some of the services."""
        return self.under(self.rules.with_catalogue(replace(self.rules.catalogue, services=tuple(services))))

    def case(self, facts: Facts | None = None) -> Case:
        """All that a derivation rests on; without facts, what a sum of derived months does."""
        rules = self.rules
        return Case(
            rules.catalogue, rules.zone, facts or Facts({}), rules.exclusions, self.moment.utc, rules.declarations,
            earlier=self.earlier, version=rules.version,
        )  # fmt: skip

    def services(self, period: Period, cell: Interval) -> Mapping[str, ServiceMonth]:
        """What the services come to in a month of the period."""
        return self.month(period, cell).services

    def month(self, period: Period, cell: Interval, *, beside: bool = True) -> Month:
        """One month of all the services, derived from evidence as far as it lies in the period."""
        around = evidence_cells(self.case(), cell)
        checks = frozenset[str]().union(*checks_by_service(self.rules).values())
        facts = self.facts(around[0][0], around[-1][1], checks)
        (month,) = derive_months(self.case(facts), period, [cell], beside=beside)
        return month

    def facts(self, begin: int, end: int, checks: frozenset[str]) -> Facts:
        """The evidence of these checks."""
        known_at = self.moment.utc if self.earlier else None
        facts = self.evidence.facts(begin, end, self.moment, checks, known_at=known_at)
        facts = replace(
            facts,
            watched=up_to_now(facts.watched, self.moment.utc),
            down_after_ms=self.rules.down_after_ms,
            drift_ppm=self.rules.drift_ppm,
        )
        return facts.unless_cut_off(self.rules.references)


def up_to_now(watched: Intervals, now: int) -> Intervals:
    """A collector whose last tick is not overdue is there: the time since that tick is watched too."""
    latest = max((end for _, end in watched if end <= now), default=None)
    if latest is None or now - latest > LAG_MS:
        return watched
    return watched | Intervals.span(latest, now)


class StoredMonths:
    """Whole settled months are kept from the first time that somebody asked for them.

    Where the store cannot say what is new, all is derived; where it cannot keep what was, nothing is lost by it.
    """

    def __init__(self, view: View, derived: DerivedMonths) -> None:
        self._view = view
        self._derived = derived
        self._mark = _mark_of(derived)
        self.all_kept = self._mark is not None
        """Whether each settled month that was asked for is kept by now."""
        digests = Digests(view.rules)
        self._rules = [digests.of(one) for one in view.rules.catalogue.services]

    def services(self, period: Period, cell: Interval) -> Mapping[str, ServiceMonth]:
        """What the services come to in a month of the period."""
        if not self._view.is_settled(cell) or cell[0] < period.begin or period.end < cell[1]:
            return self._view.services(period, cell)
        return {one.of.service: one.month for one in self.settled(cell, days=False)}

    def settled(self, cell: Interval, *, days: bool) -> list[DerivedMonth]:
        """A whole month that is settled; with its days where they are asked for."""
        wanted = self._wanted(cell)
        known = [] if self._mark is None else self._derived.load(wanted, days=days)
        kept = {one.of.service for one in known}
        missing = [one for one in wanted if one.service not in kept]
        return [*known, *self._derive(cell, missing)] if missing else known

    def missing(self, cell: Interval) -> frozenset[str]:
        """The services of which a whole month that is settled would have to be derived."""
        wanted = self._wanted(cell)
        known = [] if self._mark is None else self._derived.load(wanted, days=False)
        return frozenset(one.service for one in wanted) - {one.of.service for one in known}

    def _wanted(self, cell: Interval) -> list[Wanted]:
        around = self._view.rules.neighbourhood_ms
        since, until = cell[0] - around, cell[1] + around
        collector = self._view.facts(since, until, frozenset())
        return [
            Wanted(one.service, *cell, since, until, one.digest(since, until, collector), one.checks)
            for one in self._rules
        ]  # fmt: skip

    def _derive(self, cell: Interval, missing: Sequence[Wanted]) -> list[DerivedMonth]:
        names, zone = {one.service for one in missing}, self._view.rules.zone
        services = [one for one in self._view.rules.catalogue.services if one.id in names]
        month = self._view.only(services).month(Period("", *cell), cell)
        made = [
            DerivedMonth(one, month.services[one.service], days_of(month.accounts[one.service], zone))
            for one in missing
        ]  # fmt: skip
        self.all_kept = self._keep(made) and self.all_kept
        return made

    def _keep(self, made: Sequence[DerivedMonth]) -> bool:
        if self._mark is None:
            return False
        try:
            return self._derived.keep(made, self._mark)
        except StoreUnavailableError:
            return False


def _mark_of(derived: DerivedMonths) -> int | None:
    """The facts known by now; None where the store cannot say: it is full, or locked."""
    try:
        return derived.catch_up().mark
    except StoreUnavailableError:
        return None
