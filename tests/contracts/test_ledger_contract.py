"""The ledger in each kind of store: what was recorded is chained, and what was changed since is found and named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from random import Random
from threading import Barrier, Thread

import pytest

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol, taken
from detak_collector.ledger.chain import LONGEST_WAIT_MS, MOST_RECORDS, GivenHead, genesis
from detak_collector.ledger.verification import Fault, Verification, Wrong
from detak_collector.pair.entry import FIGURE
from detak_collector.store import ledger as ledgers
from detak_collector.store.parts import Store
from detak_wire.messages import Gap, Part
from evidence_builders import START_UTC, beat, exchange, opening, reading, span
from late_delivery import NODES, SEASON, deliveries

NOW = reading(SEASON).utc


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        enrol(opened, *NODES)
        yield opened


@pytest.fixture
def season(store: Store) -> Store:
    """A season of two nodes, a gap, two versions of a span, and what people entered; nothing of it is chained."""
    store.evidence.commit(deliveries(Random(1)))
    said = [span(1, closed=True, message="of its own"), span(3, "alive", samples=9)]
    taken(
        store, beat(Part("ffff0001", opening(), said, exchanges=[exchange(2, 3_000)], gaps=[Gap(4, 5, 6, "disk full")]))
    )
    taken(store, beat(Part("ffff0001", None, [span(1, closed=True, state="down")])))
    for year in (2021, 2022):
        store.entries.append(FIGURE, {"year": year, "percent": "0.1"}, "ani", START_UTC)
    return store


def whole(store: Store, given: GivenHead | None = None, since_utc: int | None = None) -> Fault | None:
    verification = Verification(store.collector, given)
    for one in store.ledger.blocks(since_utc):
        fault = verification.take(one.block, one.lines)
        if fault is not None:
            return fault
    return verification.ended()


def count(store: Store, table: str) -> int:
    with store.database.reading() as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found


def change(store: Store, *statements: str) -> None:
    with store.database.writing() as connection:
        for statement in statements:
            connection.execute(statement)


TABLES = ("run", "span", "exchange", "gap", "conflict", "entry")


def test_an_empty_chain_ends_where_it_begins(store: Store) -> None:
    assert store.ledger.head() == genesis(store.collector)
    assert store.ledger.append(NOW) is None
    assert list(store.ledger.blocks()) == []
    assert whole(store) is None


def test_everything_that_was_recorded_is_chained_and_holds(season: Store) -> None:
    total = sum(count(season, table) for table in TABLES)
    assert all(count(season, table) for table in TABLES)
    block = season.ledger.append(NOW)
    assert block is not None
    assert block.records == total
    assert season.ledger.append(NOW) is None
    assert season.ledger.size() == (1, total)
    assert season.ledger.waiting() == 0
    assert whole(season, GivenHead(block.head, 1)) is None


def test_what_comes_later_goes_on_from_there(season: Store, open_store: OpenStore) -> None:
    first = season.ledger.append(NOW)
    taken(season, beat(Part("ffff0002", opening(), [span(1, closed=True)])))
    assert season.ledger.waiting() == 2
    with closing(open_store()) as again:
        second = again.ledger.append(NOW + 1)
    assert first is not None
    assert second is not None
    assert (second.number, second.records) == (2, 2)
    assert whole(season, GivenHead(first.head, 1)) is None
    assert whole(season, GivenHead(second.head, 2)) is None


def test_the_head_of_a_moment_covers_what_was_recorded_by_then_and_stays_the_same(store: Store) -> None:
    assert store.ledger.covering(NOW) == genesis(store.collector)
    heads = []
    for hour in range(4):
        at = START_UTC + hour * 3_600_000
        store.entries.append(FIGURE, {"year": 2_000 + hour, "percent": "0.1"}, "ani", at)
        # Chained only well after it was recorded, as evidence is.
        block = store.ledger.append(at + 1_800_000)
        assert block is not None
        heads.append(block.head)
    for hour, head in enumerate(heads):
        at = START_UTC + hour * 3_600_000
        for moment in (at, at + 1_000, at + 1_800_000, at + 3_599_999):
            assert store.ledger.covering(moment).digest == head, (hour, moment - at)
    assert store.ledger.covering(START_UTC - 1) == genesis(store.collector)


def test_a_store_that_was_never_chained_is_chained_in_bounded_steps(
    season: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "MOST_RECORDS", 50)
    monkeypatch.setattr(ledgers, "AT_ONCE", 3)
    sizes = []
    while (block := season.ledger.append(NOW)) is not None:
        sizes.append(block.records)
    total = sum(count(season, table) for table in TABLES)
    assert sum(sizes) == total
    assert sizes[:-1] == [50] * (total // 50)
    assert whole(season, GivenHead(season.ledger.head().digest, None)) is None


def test_a_few_records_wait_for_company_and_an_entry_does_not(season: Store) -> None:
    season.ledger.append(NOW)
    taken(season, beat(Part("ffff0002", opening(), [span(1, closed=True)])))
    assert season.ledger.append(NOW + 60_000, only_due=True) is None
    assert season.ledger.append(NOW + LONGEST_WAIT_MS, only_due=True) is not None
    season.entries.append("any kind at all", {"of": ["whoever", {"comes": "later"}]}, "ani", NOW)
    block = season.ledger.append(NOW + LONGEST_WAIT_MS, only_due=True)
    assert block is not None
    assert block.records == 1
    assert whole(season) is None


def test_blocks_are_recorded_in_order_also_where_the_clock_goes_back(season: Store) -> None:
    season.ledger.append(NOW)
    season.entries.append(FIGURE, {"year": 2023}, "ani", NOW)
    block = season.ledger.append(NOW - 5_000)
    assert block is not None
    assert block.recorded_utc == NOW


def test_of_several_that_append_at_once_each_record_is_chained_once(season: Store, open_store: OpenStore) -> None:
    barrier, total = Barrier(4), sum(count(season, table) for table in TABLES)

    def append() -> None:
        with closing(open_store()) as one:
            barrier.wait()
            one.ledger.append(NOW)

    threads = [Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert season.ledger.size() == (1, total)
    assert whole(season) is None


ALTERED = [
    ("UPDATE span SET last_end = last_end + 1 WHERE sequence = (SELECT min(sequence) FROM span)", "span"),
    ("UPDATE span SET state = 'up' WHERE sequence = (SELECT min(sequence) FROM span WHERE state = 'down')", "span"),
    ("UPDATE span SET heard_utc = NULL WHERE sequence = (SELECT min(sequence) FROM span)", "span"),
    ("UPDATE exchange SET arrived_utc = 0 WHERE sequence = (SELECT max(sequence) FROM exchange)", "exchange"),
    ("UPDATE gap SET reason = 'nothing'", "gap"),
    ("UPDATE conflict SET version = '{}'", "conflict"),
    ("UPDATE run SET opening = 'x' WHERE run = 'ffff0001'", "the opening of run ffff0001"),
    ("UPDATE entry SET author = 'budi' WHERE number = 2", "entry 2"),
    ("UPDATE entry SET body = '{}' WHERE number = 1", "entry 1"),
    ("UPDATE text SET text = 'accepted' WHERE text = 'of its own'", "span 1 of run ffff0001"),
    ("UPDATE run SET run = 'ffff0009' WHERE run = 'ffff0001'", "the opening of run ffff0009"),
]


@pytest.mark.parametrize(("statement", "who"), ALTERED, ids=[f"{at}" for at in range(len(ALTERED))])
def test_what_was_altered_is_named(season: Store, statement: str, who: str) -> None:
    season.ledger.append(NOW)
    change(season, statement)
    fault = whole(season)
    assert fault is not None
    assert (fault.wrong, fault.block) == (Wrong.ALTERED, 1)
    assert fault.text.startswith(who), fault.text


def test_a_node_that_was_given_another_name_is_noticed(season: Store) -> None:
    season.ledger.append(NOW)
    change(season, "UPDATE node SET name = 'db-09' WHERE name = 'db-02'")
    fault = whole(season)
    assert fault is not None
    assert "of node db-09" in fault.text


@pytest.mark.parametrize("table", ["span", "exchange", "gap", "conflict"])
def test_a_record_that_is_missing_or_was_added_is_noticed(season: Store, table: str) -> None:
    season.ledger.append(NOW)
    last = f"(SELECT max(sequence) FROM {table})"
    columns = {
        "span": 'run, 9999, "check", state, 1, 1, 1, 1, 1, 0, message, marks, recorded_utc, heard_utc',
        "exchange": "run, 9999, collector, sent_agent, arrived_utc, answered_utc, received_agent, recorded_utc",
        "gap": "run, 9999, first_number, last_number, reason, recorded_utc",
        "conflict": "run, 9999, version, recorded_utc",
    }[table]  # fmt: skip
    change(season, f"INSERT INTO {table} SELECT -1, {columns} FROM {table} WHERE sequence = {last}")
    fault = whole(season)
    assert fault is not None
    assert fault.wrong is Wrong.ADDED
    assert f"{table} 9999" in fault.text
    change(season, f"DELETE FROM {table} WHERE sequence = -1")
    assert whole(season) is None
    change(season, f"DELETE FROM {table} WHERE sequence = {last}")
    fault = whole(season)
    assert fault is not None
    assert fault.wrong is Wrong.MISSING


def test_of_blocks_from_before_a_moment_only_the_headers_are_read(season: Store) -> None:
    season.ledger.append(NOW)
    season.entries.append(FIGURE, {"year": 2023}, "ani", NOW)
    season.ledger.append(NOW + 10)
    change(season, "UPDATE gap SET reason = 'nothing'")
    assert whole(season, since_utc=NOW + 5) is None
    assert whole(season, since_utc=NOW) is not None
    change(season, "UPDATE ledger SET recorded_utc = recorded_utc - 1 WHERE number = 1")
    assert whole(season, since_utc=NOW + 5) is not None


def test_whoever_needs_a_head_gets_what_was_recorded_until_now(season: Store) -> None:
    head = season.ledger.brought_on(NOW)
    assert head == season.ledger.head()
    assert season.ledger.waiting() == 0
    assert season.ledger.brought_on(NOW) == head
    assert sum(count(season, table) for table in TABLES) < MOST_RECORDS
