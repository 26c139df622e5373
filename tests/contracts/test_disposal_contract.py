"""Evidence is disposed of in each kind of store: block by block, and what is left is what was planned."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from random import Random

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol
from detak_collector.ledger.disposal import left_digest
from detak_collector.ledger.verification import Fault, Verification, Wrong
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, DISPOSED
from detak_collector.store import disposing
from detak_collector.store.disposing import Plan
from detak_collector.store.entries import append
from detak_collector.store.parts import Store
from evidence_builders import START_UTC
from late_delivery import DAY, NODES, SEASON, deliveries

SINCE = START_UTC + SEASON // 2
LATE = START_UTC + SEASON


def filled(store: Store) -> None:
    """A season, chained every five days."""
    enrol(store, *NODES)
    for _, day in groupby(deliveries(Random(1)), key=lambda one: one.at.boottime // (5 * DAY)):
        some = list(day)
        store.evidence.commit(some)
        store.ledger.append(some[-1].at.utc)


def planned(store: Store, disposal: str) -> Plan:
    with store.database.reading() as connection:
        blocks = disposing.stretch(connection, SINCE)
        stay = disposing.staying(connection, blocks, SINCE)
    return disposing.planned(store.database, blocks, stay, disposal, lambda: None)


def decided(store: Store) -> Plan:
    """What two people decided; nothing of it is gone."""
    proposal = store.entries.append(DISPOSAL, {"number": 1}, "Ani", LATE)
    store.entries.append(DISPOSAL_DECISION, {"on": proposal.id, "verdict": "approve"}, "Budi", LATE)
    plan = planned(store, proposal.id)
    told = {"on": proposal.id, "number": 1, "until": SINCE, "first": 1, "last": 9, "records": plan.gone}
    with store.database.writing() as connection:
        disposing.decide(connection, proposal.id, SINCE, plan.left)
        append(connection, DISPOSED, {**told, "digest": left_digest(plan.left)}, "Cici", LATE)
    store.ledger.append(LATE)
    return plan


def fault(store: Store) -> Fault | None:
    verification = Verification(store.collector)
    found = (verification.take(one.block, one.lines, one.left) for one in store.ledger.blocks())
    return next((one for one in found if one is not None), None) or verification.ended()


def facts(store: Store) -> int:
    with store.database.reading() as connection:
        tables = ("span", "exchange", "gap", "conflict")
        return sum(connection.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables)


def test_block_by_block_it_goes_and_nothing_else_may_and_nothing_comes_back(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        filled(store)
        before, plan = facts(store), decided(store)
        assert fault(store) is None
        first, *rest = disposing.to_go(store.database)
        gone = disposing.let_go(store.database, first)
        assert (fault(store), before - facts(store)) == (None, gone)
        with closing(open_store()) as again:
            gone += sum(disposing.let_go(again.database, one) for one in rest)
        disposing.finish(store.database, SINCE, LATE)
        assert (gone, before - facts(store)) == (plan.gone, plan.gone)
        assert fault(store) is None
        assert planned(store, "another").left == []
        # An agent, or the other collector, delivers it again.
        store.evidence.commit(deliveries(Random(1))[:200])
        assert before - facts(store) == plan.gone
        with store.database.writing() as connection:
            connection.execute("DELETE FROM span WHERE sequence = (SELECT min(sequence) FROM span)")
        found = fault(store)
        assert found is not None
        assert found.wrong is Wrong.MISSING
