"""What a PostgreSQL store promises beside the rest: collectors that share it, and servers that fail."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random

import psycopg
import pytest

from contracts.shared_stores import configured, enrol, taken
from detak_collector.downtime.facts import Run
from detak_collector.ingest.rivals import Speaker
from detak_collector.metrics import Moment, kept
from detak_collector.store import sqlite
from detak_collector.store.base import Arrival, StoreBrokenError, StoreUnavailableError
from detak_collector.store.batch import Pending
from detak_collector.store.parts import Store
from detak_collector.store.postgresql import open_store
from detak_collector.store.postgresql_database import place_of
from detak_wire.messages import Part, PreviousRun
from evidence_builders import NODE, RUN, START_UTC, beat, first_beat, later_beat, opening, reading, span
from late_delivery import DAY, NODES, SEASON, deliveries
from peers.postgresql_server import Postgres
from peers.server_process import until

pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")

NEXT_RUN = "aaaa0002"
OTHER_BOOT = "07e40000"


def runs(store: Store) -> tuple[Run, ...]:
    return store.evidence.node_facts(NODE, START_UTC, START_UTC + DAY, reading(20_000)).runs


def silences(store: Store) -> int:
    with store.database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM unheard WHERE from_utc IS NOT NULL").fetchone()[0])


def test_beats_of_one_run_may_come_through_either_collector(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    for tick in range(1, 9):
        receipt = taken((one, other)[tick % 2], later_beat(tick))
        assert receipt.heard
        assert receipt.stored[RUN].open == {1: 2_000 + 1_000 * tick, 2: 2_000 + 1_000 * tick}
    (run,) = runs(other)
    assert [(fact.samples, fact.last_begin) for fact in run.spans] == [(9, 10_000), (9, 10_000)]


def test_a_span_that_one_collector_closed_is_closed_for_the_other(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    taken(other, later_beat(1))
    taken(one, beat(Part(RUN, spans=[span(2, samples=4, closed=True)]), sent=6_000))
    receipt = taken(other, beat(Part(RUN, spans=[span(2, samples=4, closed=True), span(3, first=7_000)]), sent=8_000))
    assert receipt.stored[RUN].open == {1: 3_000, 3: 7_000}
    assert one.registry.listing(reading(9_000), {NODE})[0].conflicts == 0


def test_a_run_that_ended_at_the_other_collector_no_longer_speaks(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    taken(other, later_beat(1))
    previous = PreviousRun(RUN, "0b007000", 4_000, 2)
    taken(one, first_beat(NEXT_RUN, previous=previous, sent=9_000))
    assert not taken(other, later_beat(2)).heard
    assert {run.run: run.stopped for run in runs(one)} == {RUN: None, NEXT_RUN: None}
    assert [run.spans[0].samples for run in runs(one) if run.run == RUN] == [3]


def test_a_successor_leaves_what_the_other_collector_knows_of_the_run_before(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    taken(other, *(later_beat(tick) for tick in range(1, 4)))
    previous = PreviousRun(RUN, "0b007000", 6_000, 2)
    taken(one, first_beat(NEXT_RUN, previous=previous, sent=9_000))
    assert [fact.samples for fact in runs(one)[0].spans] == [4, 4]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_evidence_that_comes_through_two_collectors_makes_the_facts_it_makes_through_one(
    both: tuple[Store, Store], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    messages = deliveries(random)
    with closing(sqlite.open_store(tmp_path, reading(0))) as alone:
        enrol(alone, *NODES)
        at = 0
        while at < len(messages):
            batch = messages[at : at + random.randrange(1, 40)]
            at += len(batch)
            told = alone.evidence.commit(batch)
            assert random.choice(both).evidence.commit(batch) == told
        assert facts(both[0], NODES) == facts(alone, NODES)
        assert both[0].registry.listing(reading(SEASON), set(NODES)) == alone.registry.listing(
            reading(SEASON), set(NODES)
        )


def facts(store: Store, nodes: Sequence[str]) -> dict[str, object]:
    found = store.evidence.facts(START_UTC, START_UTC + SEASON, reading(SEASON + 40 * DAY))
    return {name: found.nodes[name] for name in nodes}


def test_two_collectors_at_once_never_give_one_number_twice(both: tuple[Store, Store]) -> None:
    taken(both[0], beat(Part(RUN, opening(), [span(1, "alive")])))

    def deliver(side: int) -> None:
        for number in range(30):
            closed = span(2 + 2 * number + side, first=3_000 + number, closed=True)
            taken(both[side], beat(Part(RUN, spans=[closed]), sent=5_000))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(deliver, (0, 1)))
    assert taken(both[0], beat(Part(RUN))).stored[RUN].ranges == [(2, 61)]
    with both[0].database.reading() as connection:
        numbers = connection.execute("SELECT count(*), count(DISTINCT sequence) FROM span").fetchone()
    assert numbers == (60, 60)


def test_the_times_of_recording_go_forward_though_clocks_differ(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, Arrival(NODE, first_beat(), reading(60_000)))
    behind = Arrival(NODE, beat(Part(RUN, spans=[span(2, closed=True)])), reading(57_000, boot=OTHER_BOOT))
    taken(other, behind)
    with one.database.reading() as connection:
        (recorded,) = connection.execute("SELECT recorded_utc FROM span").fetchone()
    assert recorded == START_UTC + 60_000


def test_a_node_that_both_machines_hear_in_turns_was_never_silent(both: tuple[Store, Store]) -> None:
    boots = ("c011ec70", OTHER_BOOT)
    for tick in range(12):
        at = reading(3_010 + 1_000 * tick + (tick % 2) * 700_000, START_UTC + 3_010 + 1_000 * tick, boots[tick % 2])
        taken(both[tick % 2], Arrival(NODE, later_beat(tick) if tick else first_beat(), at))
    assert silences(both[0]) == 0


def test_a_silence_that_ends_at_the_other_collector_is_kept_with_how_far_was_known(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    taken(other, later_beat(1))
    taken(one, later_beat(60))
    assert silences(one) == 1
    then = one.evidence.facts(START_UTC, START_UTC + DAY, reading(DAY), known_at=START_UTC + 30_000).nodes[NODE]
    assert [fact.last_begin for fact in then.runs[0].spans] == [3_000, 3_000]
    assert then.heard_utc == START_UTC + 4_010


def test_facts_and_keys_that_come_in_elsewhere_are_news(both: tuple[Store, Store]) -> None:
    one, other = both
    for store in both:
        store.evidence.news_elsewhere()
        store.registry.changed_elsewhere()
    taken(one, first_beat())
    assert not one.evidence.news_elsewhere()
    assert other.evidence.news_elsewhere()
    assert not other.evidence.news_elsewhere()
    taken(one, later_beat(1))
    assert not other.evidence.news_elsewhere()
    assert not other.registry.changed_elsewhere()
    one.registry.revoke(NODE, reading(0))
    assert other.registry.changed_elsewhere()


def test_two_agents_of_one_name_that_speak_to_two_collectors_are_both_seen(both: tuple[Store, Store]) -> None:
    one, other = both
    taken(one, first_beat())
    assert one.registry.several(reading(5_000)) == []
    taken(other, Arrival(NODE, first_beat(NEXT_RUN), reading(4_000)))
    assert sorted(one.registry.several(reading(5_000))) == [
        (NODE, RUN, START_UTC + 3_010),
        (NODE, NEXT_RUN, START_UTC + 4_000),
    ]
    one.registry.note_rivals({NODE: [Speaker(RUN, "a"), Speaker(NEXT_RUN, "")]}, reading(5_000))
    assert len(other.registry.listing(reading(5_000), {NODE})[0].rivals) == 2


def test_a_collector_that_starts_leaves_open_what_another_one_watches(both: tuple[Store, Store]) -> None:
    one, other = both
    first = one.watch.begin(reading(1_000))
    one.watch.extend(first, reading(5_000))
    other.watch.begin(reading(5_500))
    with one.database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM watch WHERE ended IS NULL").fetchone() == (2,)
    other.watch.begin(reading(60_000))
    with one.database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM watch WHERE ended = 'died'").fetchone() == (2,)


def test_one_collector_has_the_duty_and_another_takes_it_when_it_lets_go(both: tuple[Store, Store], url: str) -> None:
    one, other = both
    for store in both:
        store.duty.take()
    assert (one.duty.is_mine, other.duty.is_mine) == (True, False)
    with closing(open_store(url, reading(0))) as third:
        one.duty.close()
        third.duty.take()
        assert third.duty.is_mine


def test_who_lost_the_duty_writes_nothing_under_it(both: tuple[Store, Store]) -> None:
    one, other = both
    minutes = [kept(NODE, moment) for moment in _points()]
    one.duty.take()
    one.metrics.keep(minutes)
    with one.database.writing() as connection:
        connection.execute("UPDATE duty SET until = clock_timestamp()")
    other.duty.take()
    assert (one.duty.is_mine, other.duty.is_mine) == (True, True)
    one.metrics.tidy(START_UTC + DAY)
    assert not one.duty.is_mine
    assert _hours(one) == 0
    other.metrics.tidy(START_UTC + DAY)
    assert _hours(one) == 1


def _points() -> list[Moment]:
    return [Moment(START_UTC + 60_000 * minute, 60_000, {0: {"": 1}}) for minute in range(60)]


def _hours(store: Store) -> int:
    with store.database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM metric_hour").fetchone()[0])


def test_a_connection_that_was_lost_is_made_again(both: tuple[Store, Store], server: Postgres, database: str) -> None:
    one, _ = both
    taken(one, first_beat())
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    assert taken(one, later_beat(1)).heard
    assert one.registry.keys()
    assert len(runs(one)) == 1


def test_what_is_lost_in_the_middle_is_not_acknowledged_and_comes_again(
    both: tuple[Store, Store], server: Postgres, database: str
) -> None:
    one, _ = both
    taken(one, first_beat())
    write = one.evidence._write

    def cut_off(pending: Pending) -> None:
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        write(pending)

    one.evidence._write = cut_off  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        taken(one, later_beat(1))
    one.evidence._write = write  # type: ignore[method-assign]
    assert [fact.samples for fact in runs(one)[0].spans] == [1, 1]
    assert taken(one, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}


def test_a_commit_that_stops_waiting_for_its_standby_is_not_acknowledged(
    both: tuple[Store, Store], server: Postgres, database: str
) -> None:
    one, other = both
    taken(one, first_beat())
    waits = f"FROM pg_stat_activity WHERE datname = '{database}' AND wait_event = 'SyncRep'"
    with configured(server, "synchronous_standby_names = 'nobody'"), ThreadPoolExecutor(1) as thread:
        committed = thread.submit(taken, one, later_beat(1))
        until(lambda: bool(server.value(f"SELECT count(*) {waits}")), lambda: "nobody waits for the standby")
        server.run(f"SELECT pg_cancel_backend(pid) {waits}")
        with pytest.raises(StoreUnavailableError, match="not certainly kept"):
            committed.result(20)
    assert taken(one, later_beat(1)).stored[RUN].open == {1: 3_000, 2: 3_000}
    assert taken(other, later_beat(2)).heard


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(both: tuple[Store, Store], server: Postgres) -> None:
    one, _ = both
    taken(one, first_beat())
    one.evidence._connection.patience_s = 1.0  # type: ignore[attr-defined]
    with configured(server, "synchronous_standby_names = 'nobody'"), pytest.raises(StoreUnavailableError):
        taken(one, later_beat(1))
    assert taken(one, later_beat(1)).stored[RUN].open == {1: 3_000, 2: 3_000}


def test_a_collector_that_stands_still_in_the_middle_holds_the_others_up_for_seconds_only(
    both: tuple[Store, Store],
) -> None:
    one, other = both
    taken(one, first_beat())

    def stand_still() -> None:
        with one.database.writing() as connection:
            connection.execute("UPDATE node SET revoked_utc = 1")
            assert taken(other, later_beat(1)).heard
            connection.execute("SELECT 1")

    with pytest.raises(StoreUnavailableError):
        stand_still()
    assert other.registry.listing(reading(0), {NODE})[0].revoked_utc is None


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
def test_a_server_that_acknowledges_before_it_is_durable_is_refused(
    url: str, server: Postgres, database: str, setting: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET synchronous_commit = {setting}")
    with pytest.raises(StoreBrokenError, match=f"synchronous_commit is {setting}: what is acknowledged could be lost"):
        open_store(url, reading(0))


def test_a_database_that_only_reads_is_unavailable(url: str, server: Postgres, database: str) -> None:
    server.run(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailableError, match="read-only"):
        open_store(url, reading(0))


def test_a_wrong_password_is_told_and_never_shown(url: str) -> None:
    with pytest.raises(StoreUnavailableError, match="password authentication failed") as refused:
        open_store(url.replace("s3kret", "geheim"), reading(0))
    assert "geheim" not in str(refused.value)


def test_a_newer_schema_is_refused_with_what_to_do(url: str) -> None:
    with closing(open_store(url, reading(0))) as store, store.database.writing() as connection:
        connection.execute("INSERT INTO detak_schema VALUES ('9999_later', 0)")
    with pytest.raises(StoreBrokenError, match=r"written by a newer Detak .schema 9999_later,.*install that version"):
        open_store(url, reading(0))


def test_the_identity_is_the_same_for_all_who_share_it(both: tuple[Store, Store]) -> None:
    assert both[0].collector == both[1].collector


def test_long_messages_and_long_contradictions_are_kept(both: tuple[Store, Store]) -> None:
    one, _ = both
    many = [f"check-{number}" for number in range(400)]
    taken(one, first_beat(), beat(Part(RUN, opening(many))), beat(Part(RUN, opening(many))))
    marked = span(3, closed=True)
    marked.marks.update({f"mark-{number}": "x" * 200 for number in range(16)})
    taken(one, beat(Part(RUN, spans=[marked])))
    assert one.registry.listing(reading(9_000), {NODE})[0].conflicts == 1
    assert len(runs(one)[0].spans[-1].marks) == 16


def test_every_table_has_the_columns_that_it_has_in_a_file(url: str, tmp_path: Path) -> None:
    with closing(sqlite.open_store(tmp_path, reading(0))) as alone, alone.database.reading() as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("_", "sqlite_"))
        ]
        expected = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}
    with psycopg.connect(url) as asked:
        columns: dict[str, list[str]] = {}
        rows = asked.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "ORDER BY table_name, ordinal_position"
        )
        for table, column in rows:
            columns.setdefault(table, []).append(column)
    assert {name: columns[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://detak:geheim@db:5433/detak?sslmode=require", "postgresql://detak@db:5433/detak"),
        ("postgresql://detak@a,b:5433/detak", "postgresql://detak@a,b:5433/detak"),
        ("postgresql:///detak?host=/run/postgresql", "postgresql:///run/postgresql/detak"),
    ],
)
def test_people_are_told_the_place_without_what_is_secret(url: str, place: str) -> None:
    assert place_of(url) == place
