"""The recorded stores of every earlier schema, and what today's code must tell of each: the same as ever.

The check was down from 30 min 2 s to 40 min 2 s, and the machine from 1 h less its last tick until the check was good
again, 5 min 11 s after the boot began at 1 h 5 min: reckoned by hand.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from detak_collector.catalogue import load
from detak_collector.clocks import Reading
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.base import Arrival, Receipt
from detak_collector.store.parts import Store
from detak_wire.messages import Part, Span
from evidence_builders import NODE, START_UTC, beat, growth

RECORDED = Path(__file__).parent / "recorded" / "stores"
DUMPS = sorted(RECORDED.glob("*.sql"))
HOUR_MS = 3_600_000
NOW = Reading(START_UTC + 95 * 60_000 + 15_000, 10 * HOUR_MS, "b007ed")
CATALOGUE = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
target_percent = 0.1
counted_criticality = ["sangat kritis"]
[[service]]
id = "web"
name = "Web"
criticality = "sangat kritis"
hours = "24x7"
[[service.group]]
name = "aplikasi"
category = "application"
members = ["db-01/web"]
"""


def figures(store: Store, folder: Path) -> Figures:
    (folder / "services.toml").write_text(CATALOGUE)
    rules = Rules(load(folder / "services.toml"))
    records = Records(store.outages, store.history)
    return Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: NOW, records)


# The clock's middle lies a millisecond beside that.
DOWN = (1_802_001, 2_402_001, "down")
REBOOTED = (3_600_001, 3_911_001, "down: rebooted")
COUNTED_MS = 600_000 + 311_000


def says_the_same_figure(store: Store, folder: Path) -> None:
    result = figures(store, folder).report(Period("", START_UTC, NOW.utc))
    [web] = result.services
    found = [(one.begin - START_UTC, one.end - START_UTC, one.shown_as) for one in web.outages]
    assert found == [DOWN, REBOOTED]
    assert "connection refused" in web.outages[0].said[0]
    assert (web.totals.counted_ms, result.figure.counted_ms) == (COUNTED_MS, COUNTED_MS)


def takes_what_its_agent_goes_on_with(store: Store) -> None:
    sent = 1_802_000
    grown = growth(Span(1, "alive", "up", 11_000, 11_003, sent - 1_000, sent - 997, 1_791, 1_000), sent)
    now = Reading(NOW.utc + 1, NOW.boottime + 1, NOW.boot)
    message = beat(Part("bbbb0002", growths=[grown]), sent=sent, run="bbbb0002")
    [receipt] = store.evidence.commit([Arrival(NODE, message, now)])
    assert isinstance(receipt, Receipt)
    assert receipt.heard
    assert (receipt.stored["bbbb0002"].mark, receipt.stored["bbbb0002"].open[1]) == (0, sent - 1_000)


def knows_its_nodes_keys(store: Store) -> None:
    assert store.registry.keys()[hashlib.sha256(b"key").digest()] == NODE


def knows_what_people_entered_and_were_told(store: Store, folder: Path, schema: str) -> None:
    entries = [(one.year, one.document, one.entered_by) for one in store.history.entries()]
    assert entries == ([(2022, "LAP-1/2023", "siti")] if schema >= "0004" else [])
    result = figures(store, folder).report(Period("", START_UTC, NOW.utc))
    assert list(result.numbers.values()) == ([7, 8] if schema >= "0003" else [1, 2])
