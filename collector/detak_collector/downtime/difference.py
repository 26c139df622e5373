"""What lies between two views of one period: what each service came to in both, and which outages are not the same.

An outage of one view is the same as one of the other where the two overlap; several that overlap each other in a
chain are told together, since late evidence can join outages and part them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.outages import Outage

APPEARED, VANISHED, CHANGED = "appeared", "vanished", "changed"


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A service whose totals differ; None in the view in which the catalogue has it not."""

    service: str
    before: Totals | None
    after: Totals | None


@dataclass(frozen=True, slots=True)
class OutageChange:
    """Outages of one service that overlap and are not the same in both views, in order of time."""

    service: str
    before: tuple[Outage, ...]
    after: tuple[Outage, ...]

    @property
    def kind(self) -> str:
        """What became of them."""
        if not self.before:
            return APPEARED
        return CHANGED if self.after else VANISHED

    @property
    def begin(self) -> int:
        """When the first of them began."""
        return min(one.begin for one in (*self.before, *self.after))


@dataclass(frozen=True, slots=True)
class Difference:
    """Two views of one period, and all in which they differ.

    `corrections` are the exclusions and declarations that touch the period and are in force in one view alone.
    """

    before: Result
    after: Result
    services: tuple[ServiceChange, ...]
    outages: tuple[OutageChange, ...]
    corrections: tuple[Correction, ...]

    @property
    def equal(self) -> bool:
        """Whether both views say the same of every service and every outage."""
        same_figure = (self.before.figure, self.before.target_percent) == (self.after.figure, self.after.target_percent)
        return same_figure and not self.services and not self.outages


def difference(before: Result, after: Result) -> Difference:
    """The difference between two results of one period."""
    assert (before.period.begin, before.period.end) == (after.period.begin, after.period.end)
    earlier, later = _by_id(before), _by_id(after)
    names = list(dict.fromkeys((*earlier, *later)))
    return Difference(
        before,
        after,
        services=tuple(_services(names, earlier, later)),
        outages=tuple(change for name in names for change in _outages(name, earlier.get(name), later.get(name))),
        corrections=tuple(_corrections(before, after)),
    )


def _by_id(result: Result) -> dict[str, ServiceResult]:
    return {one.service.id: one for one in result.services}


def _services(
    names: Iterable[str], earlier: Mapping[str, ServiceResult], later: Mapping[str, ServiceResult]
) -> Iterator[ServiceChange]:
    for name in names:
        before, after = _totals(earlier.get(name)), _totals(later.get(name))
        if before != after:
            yield ServiceChange(name, before, after)


def _totals(one: ServiceResult | None) -> Totals | None:
    return None if one is None else one.totals


def _outages(service: str, before: ServiceResult | None, after: ServiceResult | None) -> Iterator[OutageChange]:
    for one in overlapping(service, before.outages if before else (), after.outages if after else ()):
        if [_told(outage) for outage in one.before] != [_told(outage) for outage in one.after]:
            yield one


def _told(one: Outage) -> Outage:
    """The outage without its name, which is that of its begin in local time."""
    return one._replace(id="")


def overlapping(service: str, before: Iterable[Outage], after: Iterable[Outage]) -> tuple[OutageChange, ...]:
    """All outages of a service in both views, those that overlap put together, in order of time."""
    both = [*((one, False) for one in before), *((one, True) for one in after)]
    groups: list[list[tuple[Outage, bool]]] = []
    reach = 0
    for one, later in sorted(both, key=lambda tagged: tagged[0].begin):
        if not groups or one.begin >= reach:
            groups.append([])
            reach = one.end
        groups[-1].append((one, later))
        reach = max(reach, one.end)
    return tuple(
        OutageChange(
            service,
            before=tuple(one for one, later in group if not later),
            after=tuple(one for one, later in group if later),
        )
        for group in groups
    )


def _corrections(before: Result, after: Result) -> Iterator[Correction]:
    earlier, later = _in_force(before), _in_force(after)
    yield from (one for one in earlier if one not in later)
    yield from (one for one in later if one not in earlier)


def _in_force(result: Result) -> list[Correction]:
    period, case = result.period, result.case
    return [
        one
        for one in (*case.exclusions, *case.declarations)
        if one.in_force and one.begin < period.end and period.begin < one.end
    ]
