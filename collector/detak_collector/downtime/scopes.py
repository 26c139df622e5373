"""Which exclusions touch what: windows by category, for a check, a group, a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Catalogue, Exclusion, Group, Service
from detak_collector.downtime.intervals import EMPTY, Intervals, union
from detak_collector.downtime.reading import Reading

Windows = Mapping[str, Intervals]
"""Category to the union of its windows."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """The exclusions that subtract, laid out by what they touch."""

    catalogue: Catalogue
    exclusions: tuple[Exclusion, ...]

    @staticmethod
    def of(catalogue: Catalogue, exclusions: Iterable[Exclusion]) -> Scopes:
        """Only those in force, of the categories that this organisation subtracts."""
        counted = set(catalogue.counted_exclusions)
        return Scopes(catalogue, tuple(one for one in exclusions if one.in_force and one.category in counted))

    def on_service(self, service: Service) -> Windows:
        """Those whose scope is everything or this service as a whole."""
        return _windows(one for one in self.exclusions if self._is_whole(one, service))

    def on_check(self, check: str, service: Service, group: Group | None) -> Windows:
        """Those whose scope is this check, its node, its site, or the group in which it stands."""
        return _windows(one for one in self.exclusions if self._touches(one, check, service, group))

    def on_any_part(self, service: Service) -> Windows:
        """Those that touch the service or any check of it, to tell to which category a removed second belongs."""
        return _windows(self.touching(service))

    def touching(self, service: Service) -> list[Exclusion]:
        """The exclusions whose scope holds the service or any check of it."""
        places: list[tuple[str, Group | None]] = [
            (check, group) for group in service.groups for member in group.members for check in member.checks
        ]
        places += [(check, None) for member in service.probes for check in member.checks]
        return [
            one
            for one in self.exclusions
            if self._is_whole(one, service) or any(self._touches(one, check, service, group) for check, group in places)
        ]

    @staticmethod
    def _is_whole(one: Exclusion, service: Service) -> bool:
        return one.scope_kind == "all" or (one.scope_kind == "service" and one.scope == service.id)

    def _touches(self, one: Exclusion, check: str, service: Service, group: Group | None) -> bool:
        node = check.split("/", 1)[0]
        match one.scope_kind:
            case "check":
                return one.scope == check
            case "node":
                return one.scope == node
            case "site":
                return self.catalogue.node(node).site == one.scope
            case "group":
                return group is not None and one.scope in {group.key, f"{service.id}/{group.key}"}
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Basis:
    """What every account rests on: the reading of each check, the exclusions, the declared outages of each service."""

    readings: Mapping[str, Reading]
    scopes: Scopes
    declared_down: Mapping[str, Intervals] = field(default_factory=dict)


def everything(windows: Windows) -> Intervals:
    """All the windows, whatever their category."""
    return union(windows.values())


def _windows(exclusions: Iterable[Exclusion]) -> Windows:
    by_category: dict[str, list[tuple[int, int]]] = {}
    for one in exclusions:
        by_category.setdefault(one.category, []).append((one.begin, one.end))
    return {
        category: Intervals.of(by_category[category]) if category in by_category else EMPTY
        for category in EXCLUSION_CATEGORIES
    }
