"""The job that chains what was recorded, over a real store."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from detak_collector.clocks import Reading
from detak_collector.ledger.chain import ENOUGH_RECORDS
from detak_collector.operating import chaining
from detak_collector.operating.chaining import chain_due
from detak_collector.store import ledger as ledgers
from detak_collector.store.sqlite import SqliteStore, open_store
from evidence_builders import reading
from late_delivery import SEASON, deliveries

pytestmark = pytest.mark.asyncio


def clock() -> Reading:
    return reading(SEASON)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """A store with a season that was never chained, and blocks so small that there is a lot to do."""
    monkeypatch.setattr(ledgers, "MOST_RECORDS", 600)
    monkeypatch.setattr(chaining, "MOST_RECORDS", 600)
    monkeypatch.setattr(chaining, "LEISURE", 0)
    with closing(open_store(tmp_path, reading(0))) as store:
        for node in ("db-01", "db-02"):
            store.registry.issue(node, node.encode(), reading(SEASON).utc, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        store.evidence.commit(deliveries(Random(1)))
        yield store


async def test_a_store_that_was_never_chained_is_chained_as_far_as_it_goes(store: SqliteStore) -> None:
    await chain_due(store.ledger, clock, lambda: True)
    assert store.ledger.size() == (2, 1_200)
    # The rest waits for company.
    assert 0 < store.ledger.waiting() < ENOUGH_RECORDS


async def test_another_collector_of_the_same_store_leaves_it_to_the_one_on_duty(store: SqliteStore) -> None:
    await chain_due(store.ledger, clock, lambda: False)
    assert store.ledger.size() == (0, 0)


async def test_it_stops_when_the_duty_is_lost_on_the_way(store: SqliteStore) -> None:
    turns = iter([True, False])
    await chain_due(store.ledger, clock, lambda: next(turns))
    assert store.ledger.size() == (1, 600)
