"""A PostgreSQL store against what administrators, other sessions and failovers do to it, in ways nobody meant ill."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psycopg
import pytest

from contracts.shared_stores import configured, enrol, taken
from detak_collector.store.base import StoreBrokenError, StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.store.postgresql import open_store
from detak_collector.store.postgresql_connection import PostgresqlConnection
from detak_collector.store.postgresql_safety import LOCK
from detak_wire.messages import Part
from evidence_builders import NODE, RUN, START_UTC, beat, first_beat, later_beat, opening, reading, span
from peers.postgresql_server import Postgres
from peers.server_process import until

pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")

HOUR = 3_600_000


def test_a_commit_that_nobody_may_be_warned_of_is_not_acknowledged_either(
    url: str, server: Postgres, database: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET client_min_messages = error")
    waits = f"FROM pg_stat_activity WHERE datname = '{database}' AND wait_event = 'SyncRep'"
    quiet = f"{url}?options=-c%20client_min_messages%3Derror"
    with closing(open_store(quiet, reading(0))) as store, ThreadPoolExecutor(1) as thread:
        enrol(store, NODE)
        taken(store, first_beat())
        with configured(server, "synchronous_standby_names = 'nobody'"):
            committed = thread.submit(taken, store, later_beat(1))
            until(lambda: bool(server.value(f"SELECT count(*) {waits}")), lambda: "nobody waits for the standby")
            server.run(f"SELECT pg_cancel_backend(pid) {waits}")
            with pytest.raises(StoreUnavailableError, match="not certainly kept"):
                committed.result(20)


def test_who_waited_in_vain_for_its_turn_gets_it_the_next_time(both: tuple[Store, Store], url: str) -> None:
    one, _ = both
    taken(one, first_beat())
    with psycopg.connect(url) as hog:
        hog.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        with pytest.raises(StoreUnavailableError, match="lock timeout"):
            taken(one, later_beat(1))
    assert taken(one, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_an_isolation_that_an_administrator_chose_gives_no_number_twice(
    url: str, server: Postgres, database: str, level: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET default_transaction_isolation = '{level}'")
    with ExitStack() as stack:
        both = [stack.enter_context(closing(open_store(url, reading(0)))) for _ in range(2)]
        enrol(both[0], NODE)
        taken(both[0], beat(Part(RUN, opening(), [span(1, "alive")])))

        def deliver(side: int) -> None:
            for number in range(30):
                closed = span(2 + 2 * number + side, first=3_000 + number, closed=True)
                taken(both[side], beat(Part(RUN, spans=[closed]), sent=5_000))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(deliver, (0, 1)))
        with both[0].database.reading() as connection:
            numbers = connection.execute("SELECT count(*), count(DISTINCT sequence) FROM span").fetchone()
        assert numbers == (60, 60)


@pytest.mark.parametrize("setting", ["synchronous_commit = off", "fsync = off", "full_page_writes = off"])
def test_a_server_that_is_told_to_be_unsafe_while_it_serves_is_refused_at_once(
    both: tuple[Store, Store], server: Postgres, setting: str
) -> None:
    one, _ = both
    taken(one, first_beat())
    with configured(server, setting), pytest.raises(StoreBrokenError, match="what is acknowledged could be lost"):
        taken(one, later_beat(1))


def test_a_new_connection_is_watched_from_its_first_question_on(both: tuple[Store, Store]) -> None:
    connection = both[0].evidence._connection
    assert isinstance(connection, PostgresqlConnection)
    connection.patience_s = 1.0
    connection.close()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        connection.execute("SELECT pg_sleep(15)::text")
    assert time.monotonic() - begun < 10


def test_a_stream_may_take_as_long_as_whoever_reads_it(both: tuple[Store, Store]) -> None:
    connection = both[0].evidence._connection
    assert isinstance(connection, PostgresqlConnection)
    connection.patience_s = 1.0
    with connection.transaction(writing=False):
        read: list[object] = []
        for row in connection.stream("SELECT generate_series(1, 30000)"):
            if not read:
                time.sleep(3)
            read.append(row)
    assert len(read) == 30_000


def test_a_duty_that_lies_in_the_future_is_nobodys(both: tuple[Store, Store]) -> None:
    one, other = both
    one.duty.take()
    with one.database.writing() as connection:
        connection.execute("UPDATE duty SET until = until + interval '1 hour'")
    other.duty.take()
    assert other.duty.is_mine
    one.duty.take()
    assert not one.duty.is_mine


def test_a_stretch_of_watching_that_the_database_forgot_is_begun_again(both: tuple[Store, Store]) -> None:
    one, _ = both
    row = one.watch.begin(reading(0))
    with one.database.writing() as connection:
        connection.execute("DELETE FROM watch")
    with pytest.raises(StoreUnavailableError, match="set back"):
        one.watch.extend(row, reading(1_000))
    one.watch.extend(one.watch.begin(reading(1_000)), reading(2_000))
    assert one.watch.watched(START_UTC, START_UTC + HOUR).total == 1_000


def test_a_server_without_room_is_waited_for(url: str, server: Postgres, database: str) -> None:
    with closing(open_store(url, reading(0))) as store:
        enrol(store, NODE)
        taken(store, first_beat())
        server.run(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        for _ in range(3):
            with pytest.raises(StoreUnavailableError, match="too many connections"):
                taken(store, later_beat(1))
        server.run(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
        assert taken(store, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}


def test_many_readers_at_once_leave_few_connections_behind(both: tuple[Store, Store], server: Postgres) -> None:
    one, _ = both
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(one.database.reading()).execute("SELECT 1").fetchone()
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'detak-collector'"
    until(lambda: int(server.value(mine)) <= 2 * 6 + 8, lambda: f"{server.value(mine)} connections are left")


def test_a_statement_that_an_administrator_gave_no_time_is_refused_and_harms_nothing(
    url: str, server: Postgres, database: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET statement_timeout = '300ms'")
    with closing(open_store(url, reading(0))) as store:
        with pytest.raises(StoreUnavailableError, match="statement timeout"), store.database.reading() as connection:
            connection.execute("SELECT pg_sleep(2)::text")
        enrol(store, NODE)
        assert taken(store, first_beat()).heard
