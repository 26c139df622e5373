"""A PostgreSQL store of every earlier schema, brought on by today's code: what it held says the same as ever.

Each is made as that version made it, by the migrations that there were, and holds the rows of the recorded SQLite
store of the same schema.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from detak_collector.downtime.numbering import FOREVER, Found
from detak_collector.store import postgresql
from detak_collector.store.copying import Copy, Table
from detak_collector.store.migrations import NAMES
from detak_collector.store.parts import Store
from detak_collector.store.postgresql_connection import PostgresqlConnection
from detak_collector.store.postgresql_database import PostgresqlDatabase
from detak_collector.store.sqlite_database import SqliteDatabase
from earlier_stores import (
    DUMPS,
    NOW,
    knows_its_nodes_keys,
    knows_what_people_entered_and_were_told,
    says_the_same_figure,
    takes_what_its_agent_goes_on_with,
)
from peers.store_server import StoreServer

pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")

_numbers = count()


@pytest.fixture(params=DUMPS, ids=lambda dump: dump.stem)
def dump(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def url(database_server: StoreServer) -> Iterator[str]:
    """An empty database."""
    name = f"earlier_{next(_numbers)}"
    database_server.postgres.run(f"CREATE DATABASE {name} OWNER detak")
    yield database_server.url(name)
    database_server.drop(name)


@pytest.fixture
def store(dump: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with closing(sqlite3.connect(tmp_path / "file")) as connection:
        connection.executescript(dump.read_text())
    known = NAMES[: [name.partition("_")[0] for name in NAMES].index(dump.stem) + 1]
    with closing(PostgresqlDatabase(url)) as database:
        with monkeypatch.context() as then:
            then.setattr(postgresql, "NAMES", known)
            with database.writing() as connection:
                postgresql.bring_schema(connection, database.place, NOW.utc)
        with closing(SqliteDatabase(tmp_path / "file").connect()) as rows, closing(Copy(rows, database)) as copy:
            copy.copy(lambda _name, _rows: None)
            assert copy.differing(lambda _name, _rows: None) == []
            with database.writing() as connection:
                _go_on_numbering(connection, copy.tables)
    with closing(postgresql.open_store(url, NOW)) as opened:
        yield opened


def _go_on_numbering(connection: PostgresqlConnection, tables: list[Table]) -> None:
    for table in tables:
        if table.key == ("id",) and table.name not in {"collector", "derived_mark", "numbering", "api_token"}:
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            connection.execute(f"SELECT setval({sequence}, coalesce(max(id), 1), count(*) > 0) FROM {table.name}")


def test_a_store_of_an_earlier_schema_gives_the_same_figure(store: Store, tmp_path: Path) -> None:
    says_the_same_figure(store, tmp_path)


def test_its_nodes_keep_their_keys_and_its_agent_goes_on_where_it_was(store: Store) -> None:
    knows_its_nodes_keys(store)
    takes_what_its_agent_goes_on_with(store)


def test_what_people_entered_and_were_told_is_kept(store: Store, tmp_path: Path, dump: Path) -> None:
    knows_what_people_entered_and_were_told(store, tmp_path, dump.stem)


def test_what_is_new_gets_new_numbers(store: Store, dump: Path) -> None:
    """The sequences go on, and nothing that was kept is in the way."""
    store.registry.issue("app-09", b"token", NOW.utc + 1_000, NOW)
    store.registry.redeem(b"token", "app-09", b"another", NOW)
    assert store.registry.keys()[b"another"] == "app-09"
    store.watch.end(store.watch.begin(NOW), "stop")
    first = 8 if dump.stem >= "0003" else 1
    assert store.outages.number([Found("later", NOW.utc - 9, NOW.utc)], (NOW.utc - 10, FOREVER), NOW) == (first,)
    assert store.ledger.append(NOW.utc) is not None
