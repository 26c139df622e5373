"""A store that holds one node's history of ups and downs, in minutes since evidence_builders.START_UTC."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from detak_collector.store.sqlite import open_store
from detak_wire.messages import Part, Span
from evidence_builders import NODE, RUN, arrival, beat, exchange, opening, reading, span

MINUTE_MS = 60_000
EVERY_MS = 5_000
SERVICES = f"""
organisation = "DJBC"
timezone = "Asia/Jakarta"
counted_criticality = ["sangat kritis"]

[[service]]
id = "portal"
criticality = "sangat kritis"
[[service.group]]
name = "web"
category = "application"
members = ["{NODE}/web"]

[[service]]
id = "pusat"
criticality = "sangat kritis"
[[service.group]]
name = "api"
category = "server"
members = ["{NODE}/api"]
"""

Downs = Sequence[tuple[int, int]]


def spans_of(check: str, downs: Downs, end: int, first_number: int) -> list[Span]:
    """Spans of five-second samples, up but for the minutes in `downs`."""
    edges = sorted({0, end, *(edge for pair in downs for edge in pair)})
    made = []
    for number, (begin, stop) in enumerate(pairwise(edges), first_number):
        state = "down" if any(a <= begin < b for a, b in downs) else "up"
        samples = (stop - begin) * MINUTE_MS // EVERY_MS
        first = 2_000 + begin * MINUTE_MS
        made.append(span(number, check, first, samples, state=state, every=EVERY_MS, closed=True))  # type: ignore[arg-type]
    return made


def fill(state: Path, checks: dict[str, Downs], end: int) -> None:
    """Delivers the history of the checks, from minute 0 to `end`."""
    now = reading(0)
    store = open_store(state, now)
    try:
        store.registry.issue(NODE, b"t" * 32, now.utc + 60_000, now)
        store.registry.redeem(b"t" * 32, NODE, b"k" * 32, now)
        ticks = end * MINUTE_MS // 1_000
        spans = [span(1, "alive", 2_000, ticks, closed=True)]
        for check, downs in checks.items():
            spans += spans_of(check, downs, end, len(spans) + 1)
        sent = 2_000 + end * MINUTE_MS
        message = beat(
            Part(
                RUN, opening(list(checks)), spans, exchanges=[exchange(len(spans) + 1), exchange(len(spans) + 2, sent)]
            ),
            sent=sent,
        )
        store.evidence.commit([arrival(message)])
    finally:
        store.close()
