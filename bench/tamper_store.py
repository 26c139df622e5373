"""The store that is tampered with: a season of two nodes and what people entered, chained as it came in."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from detak_collector.ledger.chain import Head
from detak_collector.ledger.disposal import left_digest
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, DISPOSED, FIGURE
from detak_collector.store import disposing
from detak_collector.store.base import Arrival
from detak_collector.store.entries import append
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_wire.messages import Evidence, Gap, Part

# The builders of the tests make the same season.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from evidence_builders import beat, opening, reading, span
from late_delivery import DAY, NODES, deliveries

MESSAGES_A_BLOCK = 40
DISPOSED_AFTER = 0.6
KEPT_MS = 20 * DAY
"""Before that evidence is disposed of."""
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
        last, disposed = None, False
        mailed, reach = Head(0, b""), (0, 0)
        for at in range(0, len(arrivals), MESSAGES_A_BLOCK):
            piece = arrivals[at : at + MESSAGES_A_BLOCK]
            store.evidence.commit(piece)
            store.entries.append(FIGURE, {"year": 1990 + at // MESSAGES_A_BLOCK, "percent": "0.1"}, "ani", at)
            store.evidence.commit([Arrival(NODES[0], one, piece[-1].at) for one in _odd(at)])
            last = store.ledger.append(piece[-1].at.utc)
            if not disposed and at > DISPOSED_AFTER * len(arrivals):
                dispose(store, piece[-1].at.utc)
                disposed = True
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


def dispose(store: Store, now: int) -> None:
    """Of the first weeks, as two people decide it and a collector carries it out: chained before any head is mailed."""
    since = now - KEPT_MS
    with store.database.reading() as connection:
        blocks = disposing.stretch(connection, since)
        stay = disposing.staying(connection, blocks, since)
    proposal = store.entries.append(DISPOSAL, {"number": 1}, "ani", now)
    store.entries.append(DISPOSAL_DECISION, {"on": proposal.id, "verdict": "approve"}, "budi", now)
    plan = disposing.planned(store.database, blocks, stay, proposal.id, lambda: None)
    told = {"on": proposal.id, "number": 1, "until": since, "first": 1, "last": len(plan.left), "records": plan.gone}
    with store.database.writing() as connection:
        disposing.decide(connection, proposal.id, since, plan.left)
        append(connection, DISPOSED, {**told, "digest": left_digest(plan.left)}, "budi", now)
    store.ledger.append(now)
    for one in disposing.to_go(store.database):
        disposing.let_go(store.database, one)


def _odd(at: int) -> list[Evidence]:
    """A gap, and two versions of one span: records of every kind are there."""
    run = f"dddd{at:08x}"
    begun = span(1, "web", closed=True, message=f"message {at}")
    first = Part(run, opening(), [begun, span(3, "web", closed=True)], gaps=[Gap(2, 4, 6, "disk full")])
    second = Part(run, None, [span(1, "web", closed=True, state="down")])
    return [beat(one, run=run, node=NODES[0]) for one in (first, second)]
