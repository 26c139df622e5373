"""Which exclusions touch what: windows by category, for a check, a group, a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Catalogue, Exclusion, Group, Service
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.reading import Reading

Windows = Mapping[str, Intervals]
"""Category to the union of its windows."""

_ANYWHERE = ("all", "site")
"""Scopes that may hold any service; where a node stands may change."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """The exclusions that subtract, laid out by what they touch."""

    catalogue: Catalogue
    exclusions: tuple[Exclusion, ...]
    places: Mapping[tuple[str, str], Sequence[int]]

    @staticmethod
    def of(catalogue: Catalogue, exclusions: Iterable[Exclusion]) -> Scopes:
        """Only those in force, of the categories that this organisation subtracts."""
        counted = set(catalogue.counted_exclusions)
        return Scopes._laid_out(catalogue, [one for one in exclusions if one.in_force and one.category in counted])

    @staticmethod
    def _laid_out(catalogue: Catalogue, exclusions: Sequence[Exclusion]) -> Scopes:
        places: dict[tuple[str, str], list[int]] = {}
        for place, one in enumerate(exclusions):
            places.setdefault((one.scope_kind, "" if one.scope_kind in _ANYWHERE else one.scope), []).append(place)
        return Scopes(catalogue, tuple(exclusions), places)

    def on(self, service: Service) -> Scopes:
        """Only those that touch the service: of all there are, most services are touched by few."""
        return self._laid_out(self.catalogue, self.touching(service)) if self.exclusions else self

    def on_service(self, service: Service) -> Windows:
        """Those whose scope is everything or this service as a whole."""
        return _windows((one, _window(one)) for one in self.exclusions if _is_whole(one, service))

    def on_check(self, check: str, service: Service, group: Group | None) -> Windows:
        """Those whose scope is this check, its node, its site, or the group in which it stands."""
        return _windows((one, self._on(one, check, service, group)) for one in self.exclusions)

    def on_any_part(self, service: Service) -> Windows:
        """Those that touch the service or any check of it, to tell to which category a removed second belongs."""
        return _windows((one, self.reach(one, service)) for one in self.exclusions)

    def touching(self, service: Service) -> list[Exclusion]:
        """The exclusions whose scope ever holds the service or any check of it."""
        places = {place for scope in _scopes(service) for place in self.places.get(scope, ())}
        return [one for place in sorted(places) if self.reach(one := self.exclusions[place], service)]

    def reach(self, one: Exclusion, service: Service) -> Intervals:
        """The part of its window in which its scope holds the service or any check of it."""
        whole = _window(one)
        if _is_whole(one, service):
            return whole
        found = EMPTY
        for check, group in _places(service):
            found = found | self._on(one, check, service, group)
            if found == whole:
                break
        return found

    def _on(self, one: Exclusion, check: str, service: Service, group: Group | None) -> Intervals:
        """The part of its window in which its scope holds the check. Where a node stands may change."""
        node = check.partition("/")[0]
        match one.scope_kind:
            case "check":
                held = one.scope == check
            case "node":
                held = one.scope == node
            case "site":
                site = self.catalogue.node(node).site
                return EMPTY if site is None else site.when(one.begin, one.end, one.scope)
            case "group":
                held = group is not None and one.scope in {group.key, f"{service.id}/{group.key}"}
            case _:
                held = False
        return _window(one) if held else EMPTY


@dataclass(frozen=True, slots=True)
class Basis:
    """What every account rests on: the reading of each check, the exclusions, the declared outages of each service."""

    readings: Mapping[str, Reading]
    scopes: Scopes
    declared_down: Mapping[str, Intervals] = field(default_factory=dict)

    def on(self, service: Service) -> Basis:
        """The same with only what touches the service."""
        return replace(self, scopes=self.scopes.on(service))


def everything(windows: Windows) -> Intervals:
    """All the windows, whatever their category."""
    return union(windows.values())


def _is_whole(one: Exclusion, service: Service) -> bool:
    return one.scope_kind == "all" or (one.scope_kind == "service" and one.scope == service.id)


def _places(service: Service) -> Iterator[tuple[str, Group | None]]:
    """Every check of the service, with the group in which it stands."""
    for group in service.groups:
        yield from ((check, group) for member in group.members for check in member.checks)
    yield from ((check, None) for member in service.probes for check in member.checks)


def _scopes(service: Service) -> Iterator[tuple[str, str]]:
    """Every scope, as (kind, name), that may hold the service or a check of it."""
    yield from ((kind, "") for kind in _ANYWHERE)
    yield "service", service.id
    for group in service.groups:
        yield from (("group", group.key), ("group", f"{service.id}/{group.key}"))
    for check in service.checks():
        yield from (("check", check), ("node", check.partition("/")[0]))


def _window(one: Exclusion) -> Intervals:
    return Intervals.span(one.begin, one.end)


def _windows(reached: Iterable[tuple[Exclusion, Intervals]]) -> Windows:
    by_category: dict[str, list[Interval]] = {}
    for one, where in reached:
        if where:
            by_category.setdefault(one.category, []).extend(where)
    return {
        category: Intervals.of(by_category[category]) if category in by_category else EMPTY
        for category in EXCLUSION_CATEGORIES
    }
