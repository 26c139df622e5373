"""A PostgreSQL server for stores: durable, as the store demands, with a database for each test."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detak_collector.store.postgresql import migrate
from detak_collector.store.postgresql_database import PostgresqlDatabase
from peers.postgresql_server import PASSWORD, Postgres, primary

OWNER = "detak"
TEMPLATE = "detak_template"
MEMORY = Path("/dev/shm")
"""Where the system keeps files in memory: a store's server must wait for its disk, and tests need not."""

SETTINGS = """
fsync = on
max_connections = 40
dynamic_shared_memory_type = mmap
"""


@dataclass
class StoreServer:
    """A running server; new databases are copies of one that has the schema."""

    postgres: Postgres

    def url(self, database: str) -> str:
        return f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{self.postgres.port}/{database}"

    def new_database(self, name: str) -> str:
        """Its URL."""
        self.postgres.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, name: str) -> None:
        self.postgres.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def store_server(more: str = "") -> Iterator[StoreServer]:
    """Starts it, with the template made, and leaves nothing behind."""
    with primary(more=SETTINGS + more, inside=MEMORY if MEMORY.is_dir() else None) as postgres:
        server = StoreServer(postgres)
        postgres.run(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}")
        database = PostgresqlDatabase(server.url(TEMPLATE))
        migrate(database, 0)
        database.close()
        # Each copy is a store of its own.
        with postgres.connect(database=TEMPLATE) as connection:
            connection.execute("DELETE FROM collector")
        yield server
