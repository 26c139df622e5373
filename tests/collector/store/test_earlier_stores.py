"""A store of every earlier schema, opened by today's code: what it held says the same as ever."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector.store.migrations import NAMES
from detak_collector.store.sqlite import FILE_NAME, SqliteStore, open_store
from earlier_stores import (
    DUMPS,
    NOW,
    knows_its_nodes_keys,
    knows_what_people_entered_and_were_told,
    says_the_same_figure,
    takes_what_its_agent_goes_on_with,
)


@pytest.fixture(params=DUMPS, ids=lambda dump: dump.stem)
def dump(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def store(dump: Path, tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(dump.read_text())
    with closing(open_store(tmp_path, NOW)) as opened:
        yield opened


def test_there_is_a_recorded_store_of_every_schema() -> None:
    assert [dump.stem for dump in DUMPS] == [name.partition("_")[0] for name in NAMES]


def test_a_store_of_an_earlier_schema_gives_the_same_figure(store: SqliteStore, tmp_path: Path) -> None:
    says_the_same_figure(store, tmp_path)


def test_an_agent_goes_on_where_it_was(store: SqliteStore) -> None:
    takes_what_its_agent_goes_on_with(store)


def test_its_nodes_keep_their_keys(store: SqliteStore) -> None:
    knows_its_nodes_keys(store)


def test_what_people_entered_and_were_told_is_kept(store: SqliteStore, tmp_path: Path, dump: Path) -> None:
    knows_what_people_entered_and_were_told(store, tmp_path, dump.stem)
