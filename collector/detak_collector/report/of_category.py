"""What one category of component answers for in a figure: its share by month, by service and by outage. Pure.

Each counted second belongs to the lowest layer that was down then, so the categories add up to the figure. A category
has no target of its own: it is told beside the figure and the verdict of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.intervals import Intervals, union
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.outages import LAYERS, Outage, OutageKey
from detak_collector.downtime.shares import Share, Shares, added
from detak_collector.downtime.summary import Month, months_of
from detak_collector.report.narrowed import UnknownPartError
from detak_collector.report.numbers import moment_of

CATEGORY = "category:"
"""Before the name of a category, which could be that of a unit or service too."""

NOTHING = Share()


@dataclass(frozen=True, slots=True)
class OutageShare:
    """An outage: how much of what it counts is the category's, and of that, how much enters the figure.

    `entering_ms` is None where the criticality of the service changed in the middle of it.
    """

    outage: Outage
    counted_ms: int
    entering_ms: int | None


@dataclass(frozen=True, slots=True)
class ServiceShare:
    """A service with a component of the category: its share of the whole service, and of what enters the figure."""

    service: ServiceResult
    share: Share
    entering: Share
    outages: tuple[OutageShare, ...]


@dataclass(frozen=True)
class OfCategory:
    """What the report is made of. Every share but those of services is of what enters the figure."""

    category: str
    result: Result
    services: tuple[ServiceShare, ...]
    months: tuple[tuple[Month, Share], ...]

    @cached_property
    def share(self) -> Share:
        """Of the whole figure."""
        return added([{self.category: one.entering} for one in self.services]).get(self.category, NOTHING)

    @property
    def percent(self) -> Fraction | None:
        """Its part of the rate, exact: of all categories they add up to the rate. None without service time."""
        return self.result.figure.ratio(self.share.counted_ms)

    @property
    def of_counted(self) -> Fraction | None:
        """Its part of all that is counted, of one; None where nothing is."""
        counted = self.result.figure.counted_ms
        return Fraction(self.share.counted_ms, counted) if counted else None

    @cached_property
    def outages(self) -> tuple[tuple[ServiceShare, OutageShare], ...]:
        """Its outages in the order of time."""
        every = [(service, one) for service in self.services for one in service.outages]
        return tuple(sorted(every, key=lambda pair: (pair[1].outage.begin, pair[1].outage.service)))

    @cached_property
    def costs(self) -> dict[OutageKey, int]:
        """What each of its outages cost the figure, or the whole service where that cannot be told; without zeros."""
        told = {
            one.outage.key: one.counted_ms if one.entering_ms is None else one.entering_ms
            for service, one in self.outages
            if service.service.in_figure is not None
        }
        return {key: cost for key, cost in told.items() if cost}


def is_category(name: str) -> bool:
    """Whether `--of` names a category."""
    return name.startswith(CATEGORY)


def of_category(result: Result, name: str) -> OfCategory:
    """The report of `category:NAME`; raises UnknownPartError where there is none, or it cannot be told."""
    category = name.removeprefix(CATEGORY)
    _refuse_unknown(result, category)
    services = tuple(share for one in result.services if (share := _service(one, category, result)) is not None)
    entering: dict[int, list[Shares]] = {}
    for month in (month for one in result.services for month in one.months):
        entering.setdefault(month.begin, []).append(_known(month.entering(), month, result))
    months = tuple((month, added(entering.get(month.begin, [])).get(category, NOTHING)) for month in months_of(result))
    return OfCategory(category, result, services, months)


def _refuse_unknown(result: Result, category: str) -> None:
    if category not in LAYERS:
        raise UnknownPartError(f"no such category; one of {_listed(LAYERS)} (got '{CATEGORY}{category}')")
    here = {*_categories(result), *(cause for one in result.services for cause in one.causes)}
    if category not in here:
        known = _listed(one for one in LAYERS if one in here) or "none"
        raise UnknownPartError(
            f"in this period no component of that category was in force; there are: {known} "
            f"(got '{CATEGORY}{category}')"
        )


def _categories(result: Result) -> Iterable[str]:
    for one in result.services:
        for group in one.service.groups:
            yield from (name for name in group.category.values() if group.category.was(name, *_span(result)))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{CATEGORY}{name}" for name in names)


def _span(result: Result) -> tuple[int, int]:
    return result.period.begin, max(result.end, result.period.begin + 1)


def _known(shares: Shares | None, month: ServiceMonth, result: Result) -> Shares:
    if shares is None:
        day = moment_of(month.begin, result.case.zone).date()
        raise UnknownPartError(
            f"of the month from {day} an earlier version kept the sums alone, and its evidence was disposed of: what a "
            "category had of it cannot be told"
        )
    return shares


def _service(one: ServiceResult, category: str, result: Result) -> ServiceShare | None:
    """None where the service has no component of the category and nothing is put down to it."""
    whole = added([_known(month.shares, month, result) for month in one.months]).get(category, NOTHING)
    entering = added([_known(month.entering(), month, result) for month in one.months]).get(category, NOTHING)
    begin, end = _span(result)
    has_one = any(group.category.was(category, begin, end) for group in one.service.groups)
    if not has_one and not any(whole):
        return None
    counting = union(
        one.service.criticality.when(begin, end, level) for level in result.case.catalogue.counted_criticality
    )
    outages = tuple(
        OutageShare(outage, counted, _entering(outage, counted, counting))
        for outage in one.outages
        if category in outage.causes
        for counted in (_counted(outage, category),)
    )
    return ServiceShare(one, whole, entering, outages)


def _counted(outage: Outage, category: str) -> int:
    """How much of what the outage counts is the category's."""
    if outage.net_causes is None:
        return outage.counted_ms if outage.cause == category else 0
    return outage.net_causes.get(category, 0)


def _entering(outage: Outage, counted_ms: int, counting: Intervals) -> int | None:
    inside = counting.clip(outage.begin, outage.end).total
    if inside not in {0, outage.end - outage.begin}:
        return None
    return counted_ms if inside else 0


def ranked(of: OfCategory) -> Sequence[ServiceShare]:
    """Its services, the counted ones first, each group with the greatest share first."""
    return sorted(of.services, key=lambda one: (one.service.in_figure is None, -one.share.counted_ms))
