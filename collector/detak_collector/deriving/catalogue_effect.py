"""What another catalogue would make of this year's figure: derived twice, and kept nowhere.

A command asks in its own process; a serving collector starts one for each question (`catalogue_effect_worker`), so that
neither evidence nor the pages wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from detak_collector.catalogue.unknown_hours import unknown_hours_words
from detak_collector.clocks import Reading
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.periods import local_year, parse_period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import (
    CaughtUp,
    DerivedMonth,
    DerivedMonths,
    News,
    NodeRegistry,
    Wanted,
)
from detak_collector.store.place import StorePlace
from detak_collector.stored_months import FactSource


@dataclass(frozen=True, slots=True)
class Share:
    """What the figure, or a service, comes to: `percent` is None without service time."""

    percent: Fraction | None
    counted_ms: int
    in_figure: bool = True


@dataclass(frozen=True, slots=True)
class Differing:
    """A service that comes to something else; None where one catalogue does not have it."""

    service: str
    before: Share | None
    after: Share | None


@dataclass(frozen=True, slots=True)
class Effect:
    """This year so far, now and then. With `unknown`, which says why, nothing can be known of it."""

    year: int
    before: Share = Share(None, 0)
    after: Share = Share(None, 0)
    services: tuple[Differing, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where it is derived from."""

    facts: FactSource
    derived: DerivedMonths
    registry: NodeRegistry


@dataclass(frozen=True, slots=True)
class Question:
    """What a process is asked: `rules` are those in force, of now."""

    place: StorePlace
    rules: Rules
    other: Catalogue
    now: Reading


@dataclass(frozen=True, slots=True)
class _Unkept:
    """What is kept of closed months is used; what is derived only to look at it takes the place of nothing."""

    kept: DerivedMonths

    def catch_up(self) -> CaughtUp:
        return self.kept.catch_up()

    def news(self, since: int) -> News:
        return self.kept.news(since)

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        return self.kept.load(wanted, days=days)

    def disposed(self, wanted: Sequence[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        return self.kept.disposed(wanted, known_at)

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        return len(months) == 0 and mark >= 0


def effect_of(evidence: Evidence, rules: Rules, other: Catalogue, now: Reading) -> Effect:
    """The effect of another catalogue under the same corrections."""
    year = local_year(now.utc, rules.zone)
    try:
        before, after = (
            _year(evidence, one, now) for one in (rules, replace(rules, catalogue=other, versions=None))
        )  # fmt: skip
    except JointLeaveUnknownError as error:
        return Effect(year, unknown=unknown_hours_words(error.unknown[0]))
    return Effect(year, _whole(before), _whole(after), tuple(_services(before, after)))


def _year(evidence: Evidence, rules: Rules, now: Reading) -> Result:
    figures = Figures(evidence.facts, _Unkept(evidence.derived), evidence.registry, lambda: rules, lambda: now)
    return figures.report(parse_period(f"{local_year(now.utc, rules.zone)}-ytd", rules.zone, now.utc))


def _whole(result: Result) -> Share:
    return Share(result.figure.percent, result.figure.counted_ms)


def _services(before: Result, after: Result) -> Iterator[Differing]:
    old, new = ({one.service.id: one for one in result.services} for result in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        if _told(old.get(name)) != _told(new.get(name)):
            yield Differing(name, _share(old.get(name)), _share(new.get(name)))


def _told(one: ServiceResult | None) -> tuple[int, int, bool] | None:
    return None if one is None else (one.totals.counted_ms, one.totals.service_time_ms, one.in_figure is None)


def _share(one: ServiceResult | None) -> Share | None:
    return None if one is None else Share(one.totals.percent, one.totals.counted_ms, one.in_figure is not None)
