"""Everything a derivation rests on, in one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo

from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Exclusion
from detak_collector.downtime.facts import Facts


@dataclass(frozen=True, slots=True)
class CatalogueVersion:
    """Which version of the catalogue it is; `digest` is that of its files, `since` when it came into force."""

    number: int
    digest: str
    since: int


@dataclass(frozen=True, slots=True)
class Case:
    """Catalogue, evidence and corrections. `as_of`: the moment up to which evidence is used and time has passed.

    `earlier`: it is a moment gone by, and what has come to be known since is left out. `version` is the catalogue's,
    where versions of it are kept.
    """

    catalogue: Catalogue
    zone: tzinfo
    facts: Facts
    exclusions: tuple[Exclusion, ...]
    as_of: int
    declarations: tuple[Declaration, ...] = ()
    earlier: bool = False
    version: CatalogueVersion | None = None

    def without_freeze_rule(self) -> Case:
        """The same where no freeze is too short to count."""
        return replace(self, catalogue=replace(self.catalogue, freeze_degraded_below_ms=Dated.always(0)))
