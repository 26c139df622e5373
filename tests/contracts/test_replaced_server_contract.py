"""A PostgreSQL store on two servers that both take writes: the one that was replaced, and the one that replaced it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from contracts.shared_stores import configured, enrol, taken
from detak_collector.store.base import Receipt, StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.store.postgresql import open_store
from detak_collector.store.postgresql_connection import PostgresqlConnection
from detak_wire.messages import Evidence
from evidence_builders import NODE, RUN, first_beat, later_beat, reading
from peers.postgresql_server import PASSWORD, Postgres, caught_up, replica
from peers.server_process import until
from peers.store_server import OWNER, SETTINGS, store_server

pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")

DATABASE = "replaced"
WITHIN_S = 60.0


@dataclass
class Pair:
    """The first is the primary until the second is promoted: it goes on taking writes then."""

    first: Postgres
    second: Postgres

    @property
    def url(self) -> str:
        hosts = f"127.0.0.1:{self.first.port},127.0.0.1:{self.second.port}"
        return f"postgresql://{OWNER}:{PASSWORD}@{hosts}/{DATABASE}"

    def promote(self) -> None:
        caught_up(self.second, self.first)
        self.second.run("SELECT pg_promote()")
        until(lambda: self.second.value("SELECT pg_is_in_recovery()") is False, lambda: "it is not promoted")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with store_server() as server, replica(server.postgres, SETTINGS) as second:
        server.new_database(DATABASE)
        yield Pair(server.postgres, second)


def impatient(store: Store) -> Store:
    """It waits for no answer longer than a second."""
    for part in (store.evidence, store.watch):
        assert isinstance(part._connection, PostgresqlConnection)
        part._connection.patience_s = 1.0
    return store


def lasting(store: Store, *messages: Evidence) -> Receipt:
    """As agents do it: again and again."""
    end = time.monotonic() + WITHIN_S
    while True:
        try:
            return taken(store, *messages)
        except StoreUnavailableError:
            assert time.monotonic() < end


def test_who_waits_for_a_standby_that_was_promoted_goes_over_to_it(pair: Pair) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(closing(open_store(pair.url, reading(0)))) for _ in range(2))
        enrol(one, NODE)
        taken(one, first_beat())
        pair.promote()
        with configured(pair.first, "synchronous_standby_names = '*'"):
            assert lasting(impatient(one), later_beat(1)).stored[RUN].open == {1: 3_000, 2: 3_000}
            # On the first, what one waits for still holds the lock: nobody's patience ends there.
            assert lasting(other, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}
            for store in (one, other):
                assert store.registry.heard(reading(5_000)) == {NODE: reading(5_010).utc}
        assert str(pair.second.port) in served_by(one)
        assert served_by(one) == served_by(other)


def served_by(store: Store) -> str:
    with store.database.reading() as connection:
        return str(connection.execute("SELECT inet_server_port()::text").fetchone()[0])


def test_a_replaced_server_is_left_even_by_those_who_only_read(pair: Pair) -> None:
    with closing(open_store(pair.url, reading(0))) as store:
        enrol(store, NODE)
        taken(store, first_beat())
        pair.promote()
        assert served_by(store) == str(pair.first.port)
        with configured(pair.first, "synchronous_standby_names = '*'"):
            lasting(impatient(store), later_beat(1))
            assert served_by(store) == str(pair.second.port)


def test_a_replaced_server_is_refused_though_it_is_the_only_one_left(pair: Pair) -> None:
    with closing(open_store(pair.url, reading(0))) as store:
        enrol(store, NODE)
        taken(store, first_beat())
        pair.promote()
        with configured(pair.first, "synchronous_standby_names = '*'"):
            lasting(impatient(store), later_beat(1))
        with pair.second.stopped():
            for _ in range(3):
                with pytest.raises(StoreUnavailableError):
                    taken(store, later_beat(2))
        assert lasting(store, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}


def test_only_a_database_without_a_standby_lacks_one(pair: Pair) -> None:
    with closing(open_store(pair.url, reading(0))) as store:
        enrol(store, NODE)
        assert store.database.lacks_standby
        with configured(pair.first, "synchronous_standby_names = '*'"):
            taken(store, first_beat())
            assert not store.database.lacks_standby
