"""The table `[retention]` of collector.toml: how long evidence is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Annotated

from msgspec import Meta, Struct

from detak_collector.downtime.periods import midnight

Years = Annotated[int, Meta(ge=1, le=100)]


class RetentionFile(Struct, frozen=True):
    """The table `[retention]`. `evidence_years`: after so many years evidence may be disposed of; without it, never."""

    evidence_years: Years | None = None


@dataclass(frozen=True, slots=True)
class RetentionTerms:
    """The same, found good."""

    years: int | None = None


FOR_EVER = RetentionTerms()


def retention_terms(file: RetentionFile | None) -> RetentionTerms:
    """The terms; without the table all is kept for ever."""
    return FOR_EVER if file is None else RetentionTerms(file.evidence_years)


def scheduled(terms: RetentionTerms, now: int, zone: tzinfo) -> int | None:
    """Up to which turn of a local month evidence need not be kept any more; None where all of it has to be."""
    if terms.years is None:
        return None
    today = datetime.fromtimestamp(now / 1_000, zone)
    return midnight(date(today.year - terms.years, today.month, 1), zone)
