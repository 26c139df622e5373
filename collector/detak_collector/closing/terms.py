"""The table `[seal]` of collector.toml: under which terms a period is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

Percent = Annotated[float, Meta(ge=0, le=100)]
Days = Annotated[int, Meta(ge=0, le=366)]

DAY_MS = 86_400_000
LIBRARY = "rfc3161_client"


class SealFile(Struct, frozen=True):
    """The table `[seal]`.

    `coverage_percent`: the least share of service time that was observed. `settle_days`: how long after its end a
    period waits for what nodes still hold back. `timestamp_url`: the organisation's time stamp authority (RFC 3161),
    whose root certificates are in `timestamp_ca_file`.
    """

    coverage_percent: Percent = 95.0
    settle_days: Days = 7
    timestamp_url: str | None = None
    timestamp_ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class TimestampPlace:
    """Where time stamps come from, and the root certificates by which they are checked."""

    url: str
    ca_file: Path


@dataclass(frozen=True, slots=True)
class SealTerms:
    """The same, found good: `coverage` is a share of one."""

    coverage: Fraction = Fraction(95, 100)
    settle_ms: int = 7 * DAY_MS
    timestamps: TimestampPlace | None = None


USUAL = SealTerms()


def seal_terms(file: SealFile | None, base: Path) -> SealTerms:
    """The terms; without the table the usual ones. `base` is the folder that paths are meant from."""
    told = file or SealFile()
    place = None
    if told.timestamp_url is not None and told.timestamp_ca_file is not None:
        place = TimestampPlace(told.timestamp_url, base / told.timestamp_ca_file)
    return SealTerms(Fraction(str(told.coverage_percent)) / 100, told.settle_days * DAY_MS, place)


def seal_faults(file: SealFile | None, base: Path) -> Iterator[str]:
    """What is wrong with values that are good by themselves."""
    if file is None or (file.timestamp_url is None and file.timestamp_ca_file is None):
        return
    if file.timestamp_url is None or file.timestamp_ca_file is None:
        missing = "timestamp_url" if file.timestamp_url is None else "timestamp_ca_file"
        yield f"seal.{missing}: is missing; timestamp_url and timestamp_ca_file come together"
        return
    if not file.timestamp_url.startswith(("http://", "https://")):
        yield f'seal.timestamp_url: expected a URL beginning with https:// or http:// (got "{file.timestamp_url}")'
    if not (base / file.timestamp_ca_file).is_file():
        yield f'seal.timestamp_ca_file: no such file (got "{file.timestamp_ca_file}")'
    if find_spec(LIBRARY) is None:
        yield "seal.timestamp_url: needs the library rfc3161-client: install detak-collector[seal]"
