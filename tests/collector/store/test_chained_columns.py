"""Every column of every chained table is in the line of its record: none can be altered unseen, nor one to come."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from contracts.shared_stores import enrol, taken
from detak_collector.ledger.verification import Verification
from detak_collector.pair.entry import FIGURE
from detak_collector.store.migrations import STEPS
from detak_collector.store.sqlite import FILE_NAME, SqliteStore, open_store
from detak_wire.messages import Gap, Part
from evidence_builders import beat, opening, reading, span
from late_delivery import NODES, SEASON, deliveries

TABLES = ("run", "span", "exchange", "gap", "conflict", "entry")


def columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in STEPS.values():
            step(connection)
        return [(table, row[1]) for table in TABLES for row in connection.execute(f"PRAGMA table_info({table})")]


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """A store with records of every kind, all of them chained."""
    store = open_store(tmp_path_factory.mktemp("store"), reading(0))
    enrol(store, *NODES)
    store.evidence.commit(deliveries(Random(1))[:60])
    taken(store, beat(Part("ffff0001", opening(), [span(1, closed=True)], gaps=[Gap(2, 3, 4, "disk full")])))
    taken(store, beat(Part("ffff0001", None, [span(1, closed=True, state="down")])))
    store.entries.append(FIGURE, {"year": 2021}, "ani", 1)
    store.ledger.append(reading(SEASON).utc)
    store.close()
    return store


def is_intact(store: SqliteStore) -> bool:
    verification = Verification(store.collector)
    return all(verification.take(one.block, one.lines) is None for one in store.ledger.blocks())


@pytest.mark.parametrize(("table", "column"), columns())
def test_no_column_of_a_chained_record_can_be_altered_unseen(chained: SqliteStore, table: str, column: str) -> None:
    path: Path = chained.path
    assert path.name == FILE_NAME
    assert is_intact(chained)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        place = "number" if table == "entry" else "sequence"
        (at, value) = connection.execute(f'SELECT max({place}), "{column}" FROM {table}').fetchone()
        other = f"{value}x" if isinstance(value, str) else (0 if value is None else value + 1_000_000)
        try:
            connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE {place} = ?', (other, at))
        except sqlite3.IntegrityError:
            # A state is one of four.
            other = "degraded"
            connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE {place} = ?', (other, at))
        assert not is_intact(chained)
        now = other if column == place else at
        connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE {place} = ?', (value, now))
    assert is_intact(chained)
