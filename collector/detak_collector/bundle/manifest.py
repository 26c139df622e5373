"""What a packed bundle says of itself, in `bundle.json`: its period, its moment, its head, every file's digest. Pure.

Names of files are told apart by what they may be: anything else in a bundle is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.downtime.case import CatalogueVersion
from detak_collector.downtime.catalogue import Declaration, Exclusion
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval

FORMAT = "detak-bundle"
FORMAT_VERSION = 2
READABLE_VERSIONS = (1, FORMAT_VERSION)
"""Version 1 did not tell which exclusions are drills."""

MANIFEST = "bundle.json"
SERVICES = "services.toml"
CORRECTIONS = "corrections.json"
NUMBERING = "numbering.json"
RESULT = "result.json"
IDENTITY = "ledger/collector.json"
BLOCKS = "ledger/blocks.ndjson"
DISPOSED_BLOCKS = "ledger/disposed.ndjson"
NAME = re.compile(
    r"bundle\.json|services\.toml|corrections\.json|numbering\.json|result\.json"
    r"|facts/[0-9]{4}-[0-9]{2}\.ndjson"
    r"|ledger/collector\.json|ledger/(?:blocks|disposed)\.ndjson|ledger/records/[1-9][0-9]{0,15}\.ndjson"
    r"|zones/[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}"
    r"|tables/[^/\x00-\x1f\\]{1,200}"
)
"""What a file of a packed bundle may be called."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A month as far as it was over, and the file of what the engine was given for it."""

    file: str
    begin: int
    end: int

    @property
    def interval(self) -> Interval:
        """[begin, end)."""
        return self.begin, self.end


@dataclass(frozen=True, slots=True)
class Manifest:
    """`from_utc` to `to_utc` is the period. `catalogue` is the version in force, where the store kept versions.

    `ledger` is the first head that covers what was recorded by `as_of`, `result` the SHA-256 of `result.json`, `files`
    that of every other file.
    """

    format: str
    version: int
    collector: str
    period: str
    from_utc: int
    to_utc: int
    as_of: int
    rule_version: str
    ledger: str
    result: str
    months: tuple[Cell, ...]
    files: Mapping[str, str]
    catalogue: CatalogueVersion | None = None


@dataclass(frozen=True, slots=True)
class Corrections:
    """What was in force or pending, windows that recur laid out, as the engine was given it.

    `drills`: the ids of the exclusions that are drills, in order; None where the bundle does not tell.
    """

    exclusions: tuple[Exclusion, ...]
    declarations: tuple[Declaration, ...]
    drills: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number that an outage keeps for good."""

    service: str
    begin: int
    number: int


@dataclass(frozen=True, slots=True)
class Merged:
    """A number that was merged away into another."""

    number: int
    into: int


@dataclass(frozen=True, slots=True)
class Numbering:
    """What is remembered of the period's outages, what operators ruled, and the figures of earlier years."""

    numbers: tuple[Numbered, ...]
    rulings: tuple[Ruling, ...]
    merged: tuple[Merged, ...]
    published: tuple[Published, ...]
