"""Every kind of store, so that each contract test runs over each: a file, and a database on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol
from detak_collector.clocks import Reading
from detak_collector.store import sqlite
from detak_collector.store.parts import Store
from evidence_builders import reading
from late_delivery import NODES
from peers.postgresql_server import Postgres
from peers.store_server import StoreServer, store_server

_numbers = count()


@pytest.fixture(scope="session")
def database_server() -> Iterator[StoreServer]:
    with store_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peers("pg_ctlcluster", "setpriv"))])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], OpenStore]]:
    """Makes one empty store after another, each of which can be opened again."""
    now: Reading = reading(0)
    if request.param == "sqlite":

        def in_a_folder() -> OpenStore:
            folder = tmp_path / f"store-{next(_numbers)}"
            folder.mkdir()
            return lambda: sqlite.open_store(folder, now)

        yield in_a_folder
        return
    # Imported here: the driver comes with an extra.
    from detak_collector.store import postgresql  # noqa: PLC0415

    server: StoreServer = request.getfixturevalue("database_server")
    names: list[str] = []

    def in_a_database() -> OpenStore:
        names.append(f"store_{next(_numbers)}")
        url = server.new_database(names[-1])
        return lambda: postgresql.open_store(url, now)

    yield in_a_database
    for name in names:
        server.drop(name)


@pytest.fixture
def open_store(new_store: Callable[[], OpenStore]) -> OpenStore:
    """Opens one and the same store as often as a test asks."""
    return new_store()


@pytest.fixture
def database(database_server: StoreServer) -> Iterator[str]:
    """The name of an empty one on the server."""
    name = f"shared_{next(_numbers)}"
    database_server.new_database(name)
    yield name
    database_server.drop(name)


@pytest.fixture
def url(database: str, database_server: StoreServer) -> str:
    return database_server.url(database)


@pytest.fixture
def server(database_server: StoreServer) -> Postgres:
    return database_server.postgres


@pytest.fixture
def both(url: str) -> Iterator[tuple[Store, Store]]:
    """Two collectors on one database, in which the nodes are enrolled."""
    # Imported here: the driver comes with an extra.
    from detak_collector.store.postgresql import open_store  # noqa: PLC0415

    with closing(open_store(url, reading(0))) as one:
        enrol(one, *NODES)
        with closing(open_store(url, reading(0))) as other:
            yield one, other
