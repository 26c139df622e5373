"""A store copied from its file into a PostgreSQL database: whole, or not at all."""

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import count
from pathlib import Path
from random import Random

import pytest

from detak_collector.downtime.history import Published
from detak_collector.downtime.numbering import FOREVER, Found
from detak_collector.ledger.chain import GivenHead
from detak_collector.ledger.verification import Verification
from detak_collector.metrics import Moment, kept
from detak_collector.store import copying, sqlite
from detak_collector.store.attachments import digest_of
from detak_collector.store.base import StoreError
from detak_collector.store.copying import Copy
from detak_collector.store.parts import Store
from detak_collector.store.postgresql import bring_schema, open_store
from detak_collector.store.postgresql_database import PostgresqlDatabase
from detak_wire.messages import Part
from evidence_builders import NODE, START_UTC, arrival, beat, opening, reading, span
from late_delivery import DAY, NODES, SEASON, deliveries
from peers.store_server import StoreServer

pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")

NOW = reading(SEASON)
_numbers = count()


class KilledError(Exception):
    """The process that copied is no more."""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    """A season of evidence, and one of everything else."""
    with closing(sqlite.open_store(tmp_path, reading(0))) as store:
        for node in NODES:
            store.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        store.registry.issue_shared(2, b"shared", START_UTC + SEASON, reading(0))
        store.evidence.commit(deliveries(Random(1)))
        store.watch.end(store.watch.begin(reading(0)), "stop")
        store.outages.number([Found("s", 10, 20), Found("t", 10, 20)], (0, FOREVER), reading(30))
        store.outages.number([Found("s", 10, 25)], (0, FOREVER), reading(30))
        store.history.add(Published(0, 2022, Fraction(1, 10), None, "d", "n", "ani", START_UTC))
        for at in range(25):
            store.attachments.take(b"%%PDF-1.4 %d" % at, START_UTC)
        store.metrics.keep([kept(NODE, Moment(START_UTC + 60_000 * at, 60_000, {0: {"": at}})) for at in range(300)])
        yield store


@pytest.fixture
def url(database_server: StoreServer) -> Iterator[str]:
    name = f"copied_{next(_numbers)}"
    database_server.postgres.run(f"CREATE DATABASE {name} OWNER detak")
    yield database_server.url(name)
    database_server.drop(name)


@pytest.fixture
def target(url: str) -> Iterator[PostgresqlDatabase]:
    with closing(PostgresqlDatabase(url)) as database:
        with database.writing() as connection:
            bring_schema(connection, database.place, NOW.utc)
        yield database


def silent(_name: str, _rows: int) -> None:
    """Tells nobody."""


def copied(source: Store, target: PostgresqlDatabase) -> list[str]:
    """Copies all of it, and tells what differs."""
    with closing(source.database.connect()) as rows, closing(Copy(rows, target)) as copy:
        copy.begin()
        copy.copy(silent)
        differing = copy.differing(silent)
        if not differing:
            copy.finish(source.instance.read().successor(NOW.utc), NOW.utc)
        return differing


def facts(store: Store) -> object:
    return store.evidence.facts(START_UTC, START_UTC + SEASON, NOW)


def test_a_copy_tells_what_its_source_tells(source: Store, target: PostgresqlDatabase, url: str) -> None:
    assert copied(source, target) == []
    with closing(open_store(url, NOW)) as copy:
        assert facts(copy) == facts(source)
        assert copy.collector == source.collector
        assert copy.registry.keys() == source.registry.keys()
        assert copy.registry.listing(NOW) == source.registry.listing(NOW)
        assert copy.outages.known(1) == source.outages.known(1)
        assert copy.history.entries() == source.history.entries()
        digests = [digest_of(b"%%PDF-1.4 %d" % at) for at in range(25)]
        assert [copy.attachments.content(one) for one in digests] == [b"%%PDF-1.4 %d" % at for at in range(25)]
        whole = (NODE, START_UTC, START_UTC + DAY, 1_000)
        assert copy.metrics.read(*whole) == source.metrics.read(*whole)


def test_a_copy_goes_on_where_its_source_ended(source: Store, target: PostgresqlDatabase, url: str) -> None:
    assert copied(source, target) == []
    new = beat(Part("aaaa0099", opening(), [span(1, "alive"), span(2, "web", closed=True, message="a new text")]))
    for store in (source, copy := open_store(url, NOW)):
        store.evidence.commit([arrival(new, NOW)])
        store.history.add(Published(0, 2021, Fraction(1, 10), None, "d", "n", "ani", START_UTC + 1))
        store.registry.issue("app-09", b"another", START_UTC + SEASON, reading(0))
        store.registry.redeem(b"another", "app-09", b"key", reading(0))
        store.watch.begin(NOW)
    with closing(copy):
        assert facts(copy) == facts(source)
        assert copy.history.entries() == source.history.entries()


def test_a_copy_carries_the_ledger_and_goes_on_from_its_head(
    source: Store, target: PostgresqlDatabase, url: str
) -> None:
    source.ledger.append(NOW.utc)
    head = source.ledger.head()
    assert copied(source, target) == []
    with closing(open_store(url, NOW)) as copy:
        assert copy.ledger.head() == head
        copy.history.add(Published(0, 2021, Fraction(1, 10), None, "d", "n", "ani", START_UTC + 1))
        copy.ledger.append(NOW.utc)
        verification = Verification(source.collector, GivenHead(head.digest, head.number))
        assert [verification.take(one.block, one.lines) for one in copy.ledger.blocks()] == [None, None]
        assert verification.ended() is None


def test_the_copy_is_the_later_of_the_two(source: Store, target: PostgresqlDatabase, url: str) -> None:
    assert copied(source, target) == []
    with closing(open_store(url, NOW)) as copy:
        token = copy.instance.read().token(copy.collector)
    assert source.instance.read().is_superseded_by(token, source.collector)


@pytest.mark.parametrize("pieces", range(1, 30, 4))
def test_a_copy_that_is_interrupted_goes_on_and_comes_to_the_same(
    source: Store, target: PostgresqlDatabase, url: str, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(copying, "PIECE", 40)
    written = 0

    def stop_after(_name: str, rows: int) -> None:
        nonlocal written
        written += rows > 0
        if written > pieces:
            raise KilledError

    with closing(source.database.connect()) as rows, closing(Copy(rows, target)) as copy:
        assert not copy.begin()
        with pytest.raises(KilledError):
            copy.copy(stop_after)
    with pytest.raises(StoreError, match="not finished: `detak-collector store copy` goes on"):
        open_store(url, NOW)
    with closing(source.database.connect()) as rows, closing(Copy(rows, target)) as copy:
        assert copy.begin()
        told: list[int] = []
        copy.copy(lambda _, done: told.append(done))
        assert sum(told) == sum(copy.rows.values())
        assert copy.differing(silent) == []


def test_where_the_source_has_served_meanwhile_all_is_copied_anew(source: Store, target: PostgresqlDatabase) -> None:
    with closing(source.database.connect()) as rows, closing(Copy(rows, target)) as copy:
        copy.begin()
        copy.copy(silent)
    source.watch.begin(NOW)
    source.evidence.commit([arrival(beat(Part("aaaa0099", opening(), [span(1, "alive")])), NOW)])
    assert copied(source, target) == []


def test_a_row_that_is_not_the_same_is_found(source: Store, target: PostgresqlDatabase) -> None:
    with closing(source.database.connect()) as rows, closing(Copy(rows, target)) as copy:
        copy.begin()
        copy.copy(silent)
        with target.writing() as connection:
            connection.execute(
                "UPDATE span SET last_end = last_end + 1 WHERE sequence = (SELECT max(sequence) FROM span)"
            )
        assert copy.differing(silent) == ["span"]


def test_a_database_that_a_collector_uses_is_refused(source: Store, url: str) -> None:
    open_store(url, NOW).close()
    with (
        closing(PostgresqlDatabase(url)) as target,
        closing(source.database.connect()) as rows,
        closing(Copy(rows, target)) as copy,
        pytest.raises(StoreError, match="is not empty: a collector uses it"),
    ):
        copy.begin()


def test_a_finished_copy_is_never_written_again(source: Store, target: PostgresqlDatabase) -> None:
    assert copied(source, target) == []
    with (
        closing(source.database.connect()) as rows,
        closing(Copy(rows, target)) as copy,
        pytest.raises(StoreError, match=f"holds a store already, copied from collector {source.collector}"),
    ):
        copy.begin()
