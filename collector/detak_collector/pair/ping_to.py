"""Where a collector tells that it is well."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PingTo:
    """The URL, and how often."""

    url: str
    every_ms: int
