"""Everything a derivation rests on, in one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo

from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Exclusion
from detak_collector.downtime.facts import Facts


@dataclass(frozen=True, slots=True)
class Case:
    """Catalogue, evidence and corrections. `as_of`: the moment up to which evidence is used and time has passed.

    `earlier`: it is a moment gone by, and what has come to be known since is left out.
    """

    catalogue: Catalogue
    zone: tzinfo
    facts: Facts
    exclusions: tuple[Exclusion, ...]
    as_of: int
    declarations: tuple[Declaration, ...] = ()
    earlier: bool = False

    def without_freeze_rule(self) -> Case:
        """The same where no freeze is too short to count."""
        return replace(self, catalogue=replace(self.catalogue, freeze_degraded_below_ms=Dated.always(0)))
