"""A bundle as an auditor gets it: a month with three outages of two services, and one exclusion by four eyes."""

from __future__ import annotations

from pathlib import Path

from detak_collector.decisions.proposal import ADD, APPROVE, EXCLUSION
from detak_collector.decisions.recording import Author, Draft, Ruling, enter
from detak_collector.downtime.periods import parse_period
from detak_collector.store.sqlite import open_store
from evidence_builders import START_UTC, reading
from outage_history import MINUTE_MS, SERVICES, fill
from packed_bundles import bundled
from report_cases import JAKARTA

NAME = "2023-11.tar.gz"
EXCLUDED = {
    "category": "planned",
    "scope": {"service": "portal"},
    "from": "2023-11-15T03:00:00Z",
    "to": "2023-11-15T04:00:00Z",
    "document": "ND-12/2023",
    "reason": "perbaikan",
}
"""The second outage of `portal`, ten minutes from 03:13 on."""


def audited(folder: Path) -> Path:
    """The file, in that folder."""
    state, now = folder / "state", reading(500 * MINUTE_MS)
    state.mkdir()
    fill(state, {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    store = open_store(state, now)
    try:
        enter(store.database, [Draft(EXCLUSION, ADD, record=EXCLUDED)], Author("ani", "ani"), START_UTC)
        enter(store.database, [Ruling(EXCLUSION, "x1", APPROVE)], Author("budi", "budi"), START_UTC + 1_000)
        content = bundled(store, SERVICES, parse_period("2023-11", JAKARTA, now.utc), now)
    finally:
        store.close()
    path = folder / NAME
    path.write_bytes(content)
    return path
