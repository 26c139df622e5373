"""What this process counts of itself since it began, for `/metrics`. It is no evidence and is never stored.

Counting costs one look into a dictionary, and what may become a label has a limit: nobody outside can make it grow.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

MOST_KINDS = 100
OTHER = "other"


@dataclass(slots=True)
class Counter:
    """How often each kind of thing happened. Kinds beyond the first hundred are counted together, as `other`."""

    counts: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str, by: int = 1) -> None:
        """This happened, `by` times."""
        if kind not in self.counts and len(self.counts) >= MOST_KINDS:
            kind = OTHER
        self.counts[kind] = self.counts.get(kind, 0) + by


@dataclass(slots=True)
class Histogram:
    """How many values lay in each bucket. `bounds_ms` are the inclusive upper bounds; what is above has its own."""

    bounds_ms: tuple[int, ...]
    buckets: list[int] = field(init=False)
    sum_ms: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.buckets = [0] * (len(self.bounds_ms) + 1)

    def observe(self, value_ms: int) -> None:
        """One more value."""
        self.buckets[bisect_left(self.bounds_ms, value_ms)] += 1
        self.sum_ms += value_ms


@dataclass(slots=True)
class LastDone:
    """When each job that the collector does by itself was last finished, UTC."""

    at: dict[str, int] = field(default_factory=dict)

    def done(self, job: str, now_utc: int) -> None:
        """It was finished just now."""
        self.at[job] = now_utc


LATENCY_MS = (1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1_280, 5_000, 20_000)

refusals = Counter()
"""Requests that were turned away, by reason."""
commits = Counter()
"""Group commits by what became of them: `stored`, `refused`."""
records = Counter()
"""Records that were stored, by kind."""
repeats = Counter()
"""Messages that told nothing new, as one that was sent again does, by whomever: `message`."""
latency = Histogram(LATENCY_MS)
"""From the arrival of each message that was stored to its answer."""
commit_time = Histogram(LATENCY_MS)
"""How long each group commit took."""
jobs = LastDone()
"""Jobs are few and have fixed names."""
