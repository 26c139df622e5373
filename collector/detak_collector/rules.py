"""By what evidence is read: the catalogue in force, what was excluded, and the collector's own settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import detak_collector
from detak_collector import catalogue, downtime, store
from detak_collector.config import Config
from detak_collector.downtime.as_of import known_at
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Catalogue, Exclusion, Service
from detak_collector.downtime.derive import needs_neighbours
from detak_collector.downtime.evidence import bearing_on
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.scopes import Scopes

NEIGHBOURHOOD_MS = 32 * 86_400_000
"""Outages with a minimum length are measured over the neighbouring months too: as far as the longest of them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything but the evidence on which a figure rests."""

    catalogue: Catalogue
    exclusions: tuple[Exclusion, ...] = ()
    down_after_ms: int = 15_000
    drift_ppm: int = 100
    references: tuple[str, ...] = ()
    """Nodes of which this collector hears at least one while it is not itself cut off."""

    @property
    def neighbourhood_ms(self) -> int:
        """How far beyond a month evidence and exclusions bear on it."""
        return NEIGHBOURHOOD_MS if needs_neighbours(self.catalogue) else 0

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's zone, which the catalogue has checked to exist."""
        return ZoneInfo(self.catalogue.timezone)

    def known_at(self, moment: int) -> Rules:
        """The same with the exclusions as they stood at an earlier moment."""
        return replace(self, exclusions=known_at(self.exclusions, moment))

    def with_catalogue(self, other: Catalogue) -> Rules:
        """The same with another catalogue."""
        return replace(self, catalogue=other)


def rules_of(config: Config) -> Rules:
    """The rules as the configuration's files have them now; raises CatalogueError."""
    return Rules(
        catalogue.load(config.services),
        down_after_ms=config.down_after_ms,
        drift_ppm=config.drift_ppm,
        references=config.references,
    )


def checks_by_service(rules: Rules) -> dict[str, frozenset[str]]:
    """Of each service every check whose evidence bears on it."""
    entries = {node.name: node for node in rules.catalogue.nodes}
    return {service.id: frozenset(bearing_on(service.checks(), entries)) for service in rules.catalogue.services}


_BEARS_ON_NO_MONTH: dict[str, Any] = {
    "organisation": "", "services": (), "nodes": (), "units": (), "calendars": (), "target_percent": None,
    "incident_gap_ms": 0,
}  # fmt: skip
"""What of the catalogue is used only when months are put together, or is told of each service by itself."""


@cache
def engine() -> bytes:
    """A digest of the code that reads evidence and derives: what another version made is not taken for this one's."""
    digest = blake2b(digest_size=16)
    folders = [resources.files(package) for package in (detak_collector, store, downtime)]
    files = [one for folder in folders for one in folder.iterdir() if one.name.endswith(".py")]
    for one in sorted(files, key=str):
        digest.update(one.read_bytes())
    return digest.digest()


class Digests:
    """Digests of all but the evidence on which one service's months rest."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._checks = checks_by_service(rules)
        self._entries = {node.name: node for node in rules.catalogue.nodes}
        self._scopes = Scopes.of(replace(rules.catalogue, counted_exclusions=EXCLUSION_CATEGORIES), rules.exclusions)
        bearing = replace(rules.catalogue, **_BEARS_ON_NO_MONTH)
        self._common = engine() + repr((rules.down_after_ms, rules.drift_ppm, rules.references, bearing)).encode()

    def of(self, service: Service) -> OfService:
        """Those of one service."""
        catalogue = self._rules.catalogue
        checks = self._checks[service.id]
        nodes = {check.partition("/")[0] for check in checks}
        hours = {key for _, _, key in service.hours.entries}
        own = repr(
            (
                service,
                [self._entries[node] for node in sorted(nodes) if node in self._entries],
                [calendar for calendar in catalogue.calendars if calendar.id in hours],
            )
        )
        return OfService(service.id, self._common + own.encode(), checks, tuple(self._scopes.touching(service)))


@dataclass(frozen=True, slots=True)
class OfService:
    """The rules of one service, the checks it rests on, and every exclusion that touches it."""

    service: str
    rules: bytes
    checks: frozenset[str]
    exclusions: tuple[Exclusion, ...]

    def digest(self, since: int, until: int, collector: Facts) -> bytes:
        """The digest for a month on which the time [since, until) bears; `collector` tells of this collector then."""
        digest = blake2b(self.rules, digest_size=16)
        digest.update(repr((collector.watched.parts, collector.stepped_utc)).encode())
        for one in self.exclusions:
            if one.begin < until and since < one.end:
                digest.update(repr(one).encode())
        return digest.digest()
