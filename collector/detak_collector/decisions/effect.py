"""What a proposal would change: the figures of the months and years that it touches, before and after.

Only the months and services on which the two sets of corrections differ are derived twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detak_collector.decisions.corrections import Corrections
from detak_collector.downtime.calendars import refuse_unknown
from detak_collector.downtime.catalogue import Correction, Service
from detak_collector.downtime.derive import Result, cells_of, put_together
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period, local_year, months, parse_period
from detak_collector.report.numbers import moment_of
from detak_collector.rules import Digests
from detak_collector.store.base import DerivedMonths
from detak_collector.stored_months import StoredMonths, View

MOST_MONTHS = 12
"""Of more touched months the latest are shown by themselves; the years hold all."""
MOST_YEARS = 3

ByService = Mapping[str, ServiceMonth]


@dataclass(frozen=True, slots=True)
class Change:
    """A period's result before and after."""

    period: Period
    before: Result
    after: Result


def changes(
    view: View, derived: DerivedMonths, before: Corrections, after: Corrections, most_years: int = MOST_YEARS
) -> list[Change]:
    """The touched years so far, the latest `most_years` of them, then the touched months; none if all lies ahead.

    Raises JointLeaveUnknownError where service hours cannot be known.
    """
    differing = _differing(before, after)
    now, zone, around = view.moment.utc, view.rules.zone, view.rules.neighbourhood_ms
    begun = [(one.begin - around, min(one.end + around, now)) for one in differing if one.begin < now]
    touched = sorted({cell for begin, end in begun for cell in months(begin, end, zone) if cell[0] < now})
    years = sorted({local_year(begin, zone) for begin, _ in touched})[-most_years:]
    shown = [*map(str, years), *(f"{moment_of(begin, zone):%Y-%m}" for begin, _ in touched[-MOST_MONTHS:])]
    comparison = _Comparison(
        view.under(view.rules.under(before)), view.under(view.rules.under(after)), derived, frozenset(touched)
    )
    return [comparison.of(parse_period(name, zone, now)) for name in shown]


def _differing(before: Corrections, after: Corrections) -> set[Correction]:
    one, other = (_in_force((*each.exclusions, *each.declarations)) for each in (before, after))
    return one ^ other


def _in_force(every: Iterable[Correction]) -> set[Correction]:
    return {one for one in every if one.in_force}


class _Comparison:
    """The same evidence under two sets of corrections, which differ in the `touched` months."""

    def __init__(self, before: View, after: View, derived: DerivedMonths, touched: frozenset[Interval]) -> None:
        self._before, self._after = before, after
        self._stored = StoredMonths(before, derived)
        self._begins = {begin for begin, _ in touched}
        self._services = _services(before, after)
        self._found: dict[Interval, tuple[ByService, ByService]] = {}

    def of(self, period: Period) -> Change:
        """A year or a month."""
        case = self._before.case()
        cells = cells_of(case, period)
        refuse_unknown(case.catalogue, cells)
        for cell in cells:
            if cell not in self._found:
                self._found[cell] = self._month(period, cell)
        found = [self._found[cell] for cell in cells]
        return Change(
            period,
            put_together(case, period, [before for before, _ in found], beside=False),
            put_together(self._after.case(), period, [after for _, after in found], beside=False),
        )

    def _month(self, period: Period, cell: Interval) -> tuple[ByService, ByService]:
        before = self._stored.services(period, cell)
        if cell[0] not in self._begins or not self._services:
            return before, before
        again = self._after.only(self._services).month(period, cell, beside=False).services
        return before, {**before, **again}


def _services(before: View, after: View) -> list[Service]:
    """Those on which other corrections bear."""
    one, other = Digests(before.rules), Digests(after.rules)
    return [
        service
        for service in before.rules.catalogue.services
        if one.of(service).corrections != other.of(service).corrections
    ]
