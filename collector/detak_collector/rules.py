"""By what evidence is read: the catalogue in force, what was excluded, and the collector's own settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import detak_collector
from detak_collector import catalogue, downtime, store
from detak_collector.catalogue.register import Entries, Register, Standing
from detak_collector.config import Config
from detak_collector.decisions.corrections import Corrections
from detak_collector.downtime.as_of import known_at
from detak_collector.downtime.case import CatalogueVersion
from detak_collector.downtime.catalogue import (
    EXCLUSION_CATEGORIES,
    Catalogue,
    Correction,
    Declaration,
    Exclusion,
    Service,
)
from detak_collector.downtime.derive import needs_neighbours
from detak_collector.downtime.evidence import bearing_on
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.scopes import Scopes

NEIGHBOURHOOD_MS = 32 * 86_400_000
"""Outages with a minimum length are measured over the neighbouring months too: as far as the longest of them."""


class Decided(Protocol):
    """What was proposed and decided, with its history."""

    def as_of(self, moment: int) -> Corrections:
        """As it stood at a moment."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything but the evidence on which a figure rests.

    With `decided` exclusions and declarations are what that comes to, and it is asked for those of an earlier moment.
    """

    catalogue: Catalogue
    exclusions: tuple[Exclusion, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    down_after_ms: int = 15_000
    drift_ppm: int = 100
    references: tuple[str, ...] = ()
    """Nodes of which this collector hears at least one while it is not itself cut off."""
    decided: Decided | None = None
    drills: frozenset[str] = frozenset()
    """The exclusions that are drills, for who is told of them: no figure depends on it."""
    versions: Standing | None = None
    """The versions of the catalogue; None where it is a file's, and no version of it is kept."""
    sealings: int = 0
    """How many entries about seals were known: no figure is derived by it, and pages say what is sealed."""

    @property
    def version(self) -> CatalogueVersion | None:
        """Which version the catalogue is."""
        return None if self.versions is None else self.versions.told

    @property
    def neighbourhood_ms(self) -> int:
        """How far beyond a month evidence and exclusions bear on it."""
        return NEIGHBOURHOOD_MS if needs_neighbours(self.catalogue) else 0

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's zone, which the catalogue has checked to exist."""
        return ZoneInfo(self.catalogue.timezone)

    def known_at(self, moment: int) -> Rules:
        """The same with the catalogue, exclusions and declarations as they stood at an earlier moment."""
        standing = None if self.versions is None else self.versions.as_of(moment)
        then = self if standing is None else replace(self, catalogue=standing.catalogue, versions=standing)
        if self.decided is None:
            return then.under(Corrections(known_at(self.exclusions, moment), known_at(self.declarations, moment)))
        return then.under(self.decided.as_of(moment))

    def under(self, corrections: Corrections) -> Rules:
        """The same with these exclusions and declarations instead, whatever was decided."""
        return replace(
            self, exclusions=corrections.exclusions, declarations=corrections.declarations, decided=None,
            drills=corrections.drills,
        )  # fmt: skip

    def with_catalogue(self, other: Catalogue) -> Rules:
        """The same with another catalogue."""
        return replace(self, catalogue=other)


def rules_of(config: Config, standing: Standing | None = None) -> Rules:
    """The rules by the catalogue in force; without one, as services.toml has them now. Raises CatalogueError."""
    return Rules(
        catalogue.load(config.services) if standing is None else standing.catalogue,
        down_after_ms=config.down_after_ms,
        drift_ppm=config.drift_ppm,
        references=config.references,
        versions=standing,
    )


def rules_in_force(config: Config, entries: Entries) -> Rules:
    """The same, where the log tells which version is in force."""
    return rules_of(config, Register(entries).standing())


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
        corrections = (*self._scopes.touching(service), *self._declared(service, checks))
        return OfService(service.id, self._common + own.encode(), checks, corrections)

    def _declared(self, service: Service, checks: frozenset[str]) -> Iterator[Declaration]:
        """The declarations in force on the service, or on a check or node on which it rests."""
        nodes = {check.partition("/")[0] for check in checks}
        scopes = {"service": {service.id}, "check": checks, "node": nodes}
        every = self._rules.declarations
        return (one for one in every if one.in_force and one.scope in scopes.get(one.scope_kind, ()))


@dataclass(frozen=True, slots=True)
class OfService:
    """The rules of one service, the checks it rests on, and every exclusion and declaration that touches it."""

    service: str
    rules: bytes
    checks: frozenset[str]
    corrections: tuple[Correction, ...]

    def digest(self, since: int, until: int, collector: Facts) -> bytes:
        """The digest for a month on which the time [since, until) bears; `collector` tells of this collector then."""
        digest = blake2b(self.rules, digest_size=16)
        digest.update(repr((collector.watched.parts, collector.stepped_utc)).encode())
        for one in self.corrections:
            if one.begin < until and since < one.end:
                digest.update(repr(one).encode())
        return digest.digest()
