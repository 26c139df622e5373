"""What is required of a collector's load, and whether a run of bench/ingest.py met it. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ESTATE_NODES = 10_000
"""What is required of an estate is required of one that has so many nodes."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One number and its bound; `unit` follows both. A number is to be at most, or else at least, its bound."""

    what: str
    found: float
    bound: float
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is within."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    @property
    def line(self) -> str:
        """For people."""
        sign = "≥" if self.at_least else "≤"
        told = f"{self.found:.1f} {self.unit} ({sign} {self.bound:g})"
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.what}: {told}"


def of_saturation(ours: float, storeless: float) -> Iterator[Requirement]:
    """Both in requests per second of processor or of time, in one run."""
    share = 100 * ours / storeless
    yield Requirement("rate, of the server with no store", share, 55, "%", at_least=True)


def of_estate(
    p99_ms: float, watched_p99_ms: float, rss_mib: float, ready_s: float, known_s: float
) -> Iterator[Requirement]:
    """An estate of the required size, with its bad days."""
    yield Requirement("p99 at 2,000 beats/s", p99_ms, 40, "ms")
    yield Requirement("p99 at 2,000 beats/s, the page open", watched_p99_ms, 40, "ms")
    yield Requirement("memory, the page's process included", rss_mib, 600, "MiB")
    yield Requirement("restart to serving", ready_s, 10, "s")
    yield Requirement("all known again after an hour's outage", known_s, 30, "s")


def of_tls(p99_ms: float, rss_mib: float) -> Iterator[Requirement]:
    """The same estate over TLS."""
    yield Requirement("p99 at 2,000 beats/s over TLS", p99_ms, 40, "ms")
    yield Requirement("memory over TLS, the page's process included", rss_mib, 600, "MiB")


def of_disk(kib: float) -> Iterator[Requirement]:
    """Of a quiet node and month."""
    yield Requirement("disk of a quiet node and month, with the ledger", kib, 150, "KiB")


def told(requirements: Iterable[Requirement]) -> bool:
    """Prints each with its verdict; whether all are met."""
    all_met = True
    for one in requirements:
        print(one.line)
        all_met &= one.is_met
    return all_met
