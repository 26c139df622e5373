"""The store that is tampered with: a season of two nodes and what people entered, chained as it came in."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from detak_collector.ledger.chain import Head
from detak_collector.pair.entry import FIGURE
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_wire.messages import Evidence, Gap, Part

# The builders of the tests make the same season.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from evidence_builders import beat, opening, reading, span
from late_delivery import DAY, NODES, deliveries

MESSAGES_A_BLOCK = 40
MAILED_AFTER = 0.75
"""Of the season; what comes later is beyond what the mailed head speaks of."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The file's content, whose chain it is, the head that was mailed, and up to where that one speaks."""

    content: bytes
    collector: str
    mailed: Head
    facts: int
    entries: int
    blocks: int
    records: int


def made(folder: Path) -> Kept:
    """Takes all in, appends a block now and then, and keeps the head of one."""
    store = open_store(folder, reading(0))
    try:
        for node in NODES:
            store.registry.issue(node, node.encode(), reading(DAY).utc, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        arrivals = deliveries(Random(1))
        last = None
        mailed, reach = Head(0, b""), (0, 0)
        for at in range(0, len(arrivals), MESSAGES_A_BLOCK):
            piece = arrivals[at : at + MESSAGES_A_BLOCK]
            store.evidence.commit(piece)
            store.entries.append(FIGURE, {"year": 1990 + at // MESSAGES_A_BLOCK, "percent": "0.1"}, "ani", at)
            store.evidence.commit([Arrival(NODES[0], one, piece[-1].at) for one in _odd(at)])
            last = store.ledger.append(piece[-1].at.utc)
            if last is not None and not mailed.number and at > MAILED_AFTER * len(arrivals):
                mailed, reach = Head(last.number, last.head), (last.facts, last.entries)
        assert last is not None
        assert mailed.number
        blocks, records = store.ledger.size()
        collector = store.collector
    finally:
        store.close()
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    content = (folder / FILE_NAME).read_bytes()
    return Kept(content, collector, mailed, *reach, blocks, records)


def _odd(at: int) -> list[Evidence]:
    """A gap, and two versions of one span: records of every kind are there."""
    run = f"dddd{at:08x}"
    begun = span(1, "web", closed=True, message=f"message {at}")
    first = Part(run, opening(), [begun, span(3, "web", closed=True)], gaps=[Gap(2, 4, 6, "disk full")])
    second = Part(run, None, [span(1, "web", closed=True, state="down")])
    return [beat(one, run=run, node=NODES[0]) for one in (first, second)]
