"""Everything a derivation rests on, in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.downtime.catalogue import Catalogue, Declaration, Exclusion
from detak_collector.downtime.facts import Facts


@dataclass(frozen=True, slots=True)
class Case:
    """Catalogue, evidence and corrections. `as_of`: the moment up to which evidence is used and time has passed."""

    catalogue: Catalogue
    zone: tzinfo
    facts: Facts
    exclusions: tuple[Exclusion, ...]
    as_of: int
    declarations: tuple[Declaration, ...] = ()
