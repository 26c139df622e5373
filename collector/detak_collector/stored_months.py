"""Months out of the store: derived from its evidence, or taken from what was kept where nothing has touched it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from detak_collector.clocks import Reading as Moment
from detak_collector.downtime.assess import Month
from detak_collector.downtime.calendars import unknown_hours
from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.days import days_of
from detak_collector.downtime.derive import Case, derive_months, evidence_cells
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.lanes import MonthLanes, lanes_of
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period
from detak_collector.errors import EvidenceDisposedError
from detak_collector.rules import Digests, Rules, checks_by_service
from detak_collector.store.base import DerivedMonth, DerivedMonths, StoreUnavailableError, Wanted
from detak_collector.watch import LAG_MS

SETTLED_MS = 2 * 86_400_000
"""A month is kept from so long after its end: no span that was open then still is."""

_pack_lanes = msgspec.msgpack.Encoder().encode
_lanes = msgspec.msgpack.Decoder(MonthLanes).decode


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


@dataclass(slots=True)
class Made:
    """The months that were derived as of one moment, so that all that is shown of it shares them."""

    months: list[tuple[Rules, tuple[Interval, Interval, bool], Month]] = field(default_factory=list)

    def month(self, rules: Rules, of: tuple[Interval, Interval, bool], make: Callable[[], Month]) -> Month:
        """A month, the part of it that lies in a period, with other rules beside or without: made once."""
        for known, its, month in self.months:
            if its == of and known == rules:
                return month
        month = make()
        self.months.append((rules, of, month))
        return month

    def let_details_go(self) -> None:
        """From now on only the sums are held, of which reports are made: all that they rest on takes far more room."""
        self.months = [(rules, of, replace(month, accounts={}, readings={})) for rules, of, month in self.months]


@dataclass(frozen=True, slots=True)
class View:
    """The evidence, under certain rules, as of one moment; `earlier` where that has gone by.

    With `made` each month that cannot be kept yet is derived once, however often it is asked for.
    """

    evidence: FactSource
    rules: Rules
    moment: Moment
    earlier: bool = False
    made: Made | None = None

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

    def services(self, period: Period, cell: Interval, *, beside: bool = True) -> Mapping[str, ServiceMonth]:
        """What the services come to in a month of the period."""
        return self.month(period, cell, beside=beside).services

    def month(self, period: Period, cell: Interval, *, beside: bool = True) -> Month:
        """One month of all the services, derived from evidence as far as it lies in the period."""
        if self.made is None or self.is_settled(cell):
            return self._month(period, cell, beside=beside)
        inside = (max(period.begin, cell[0]), min(period.end, cell[1]))
        make = partial(self._month, period, cell, beside=beside)
        return self.made.month(self.rules, (cell, inside, beside), make)

    def _month(self, period: Period, cell: Interval, *, beside: bool) -> Month:
        around = evidence_cells(self.case(), cell)
        checks = frozenset[str]().union(*checks_by_service(self.rules).values())
        facts = self.facts(around[0][0], around[-1][1], checks)
        self.refuse_disposed(facts, cell[0])
        (month,) = derive_months(self.case(facts), period, [cell], beside=beside)
        return month

    def unobserved(self, cell: Interval) -> Month:
        """A month of which there is no evidence at all."""
        (month,) = derive_months(self.case(), Period("", *cell), [cell], beside=True)
        return month

    def refuse_disposed(self, facts: Facts, begin: int) -> None:
        """Raises EvidenceDisposedError where not all of the evidence from `begin` on is there any more."""
        if facts.whole_from is not None and begin < facts.whole_from:
            day = datetime.fromtimestamp(facts.whole_from / 1_000, self.rules.zone).date()
            raise EvidenceDisposedError(
                f"the evidence from before {day} was disposed of: of that time there are the figures of whole months "
                "alone, which seals and reports have (`detak-collector retention` tells more)"
            )

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

    def services(self, period: Period, cell: Interval, *, beside: bool = True) -> Mapping[str, ServiceMonth]:
        """What the services come to in a month of the period. What is kept has it under other rules too."""
        if not self._view.is_settled(cell) or cell[0] < period.begin or period.end < cell[1]:
            return self._view.services(period, cell, beside=beside)
        return {one.of.service: one.month for one in self.settled(cell, days=False)}

    def lanes(self, service: Service, cell: Interval) -> MonthLanes:
        """What a timeline draws of a service in a month."""
        if not self._view.is_settled(cell) or unknown_hours(self._view.rules.catalogue, *cell):
            return lanes_of(self._view.month(Period("", *cell), cell, beside=False), service)
        (packed,) = (one.lanes for one in self.settled(cell, days=True) if one.of.service == service.id)
        return _lanes(packed)

    def settled(self, cell: Interval, *, days: bool) -> list[DerivedMonth]:
        """A whole month that is settled; with its days where they are asked for.

        Where its evidence was disposed of it is as it was then.
        """
        collector = self._collector(cell)
        wanted = self._wanted(cell, collector)
        if is_disposed(collector, cell):
            return disposed_months(self._view, self._derived, wanted)
        known = [] if self._mark is None else self._derived.load(wanted, days=days)
        kept = {one.of.service for one in known}
        missing = [one for one in wanted if one.service not in kept]
        return [*known, *self._derive(cell, missing)] if missing else known

    def missing(self, cell: Interval) -> frozenset[str]:
        """The services of which a whole month that is settled would have to be derived."""
        collector = self._collector(cell)
        if is_disposed(collector, cell):
            return frozenset()
        wanted = self._wanted(cell, collector)
        known = [] if self._mark is None else self._derived.load(wanted, days=False)
        return frozenset(one.service for one in wanted) - {one.of.service for one in known}

    def _around(self, cell: Interval) -> Interval:
        around = self._view.rules.neighbourhood_ms
        return cell[0] - around, cell[1] + around

    def _collector(self, cell: Interval) -> Facts:
        """What tells of this collector then."""
        return self._view.facts(*self._around(cell), frozenset())

    def _wanted(self, cell: Interval, collector: Facts) -> list[Wanted]:
        since, until = self._around(cell)
        return [
            Wanted(one.service, *cell, since, until, one.digest(since, until, collector), one.checks)
            for one in self._rules
        ]  # fmt: skip

    def _derive(self, cell: Interval, missing: Sequence[Wanted]) -> list[DerivedMonth]:
        made = _derived(self._view, missing, lambda view: view.month(Period("", *cell), cell))
        self.all_kept = self._keep(made) and self.all_kept
        return made

    def _keep(self, made: Sequence[DerivedMonth]) -> bool:
        if self._mark is None:
            return False
        try:
            return self._derived.keep(made, self._mark)
        except StoreUnavailableError:
            return False


class EarlierMonths:
    """Months as they were known at an earlier moment. Nothing is kept of what was derived."""

    def __init__(self, view: View, derived: DerivedMonths) -> None:
        self._view = view
        self._derived = derived

    def services(self, period: Period, cell: Interval, *, beside: bool = True) -> Mapping[str, ServiceMonth]:
        """What the services come to in a month of the period."""
        is_whole = period.begin <= cell[0] and cell[1] <= period.end
        if not is_whole or not is_disposed(self._view.facts(*cell, frozenset()), cell):
            return self._view.services(period, cell, beside=beside)
        wanted = [Wanted(one.id, *cell, *cell, b"", frozenset()) for one in self._view.rules.catalogue.services]
        return {one.of.service: one.month for one in disposed_months(self._view, self._derived, wanted)}


def is_disposed(facts: Facts, cell: Interval) -> bool:
    """Whether the evidence of the whole month was disposed of."""
    return facts.whole_from is not None and cell[1] <= facts.whole_from


def disposed_months(view: View, derived: DerivedMonths, wanted: Sequence[Wanted]) -> list[DerivedMonth]:
    """What is kept of a month whose evidence was disposed of; of what nothing is kept was never observed.

    Raises EvidenceDisposedError where the moment of the view is earlier than what is kept.
    """
    kept = derived.disposed(wanted, view.moment.utc if view.earlier else None)
    if view.earlier and not kept and derived.disposed(wanted):
        raise EvidenceDisposedError(
            "the evidence of that time was disposed of: what was known of it earlier than its seal cannot be told"
        )
    names = {one.of.service for one in kept}
    missing = [one for one in wanted if one.service not in names]
    return (
        [*kept, *_derived(view, missing, lambda some: some.unobserved((wanted[0].begin, wanted[0].end)))]
        if missing
        else kept
    )


def _derived(view: View, wanted: Sequence[Wanted], month_of: Callable[[View], Month]) -> list[DerivedMonth]:
    """The wanted of one month, derived."""
    names, zone = {one.service for one in wanted}, view.rules.zone
    services = {one.id: one for one in view.rules.catalogue.services if one.id in names}
    month = month_of(view.only(list(services.values())))
    return [
        DerivedMonth(
            one,
            month.services[one.service],
            days_of(month.accounts[one.service], zone),
            _pack_lanes(lanes_of(month, services[one.service])),
        )
        for one in wanted
    ]


def _mark_of(derived: DerivedMonths) -> int | None:
    """The facts known by now; None where the store cannot say: it is full, or locked."""
    try:
        return derived.catch_up().mark
    except StoreUnavailableError:
        return None
