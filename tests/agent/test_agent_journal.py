import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.agent_fakes import BOOT, OTHER_URL, RUN, URL, open_journal, opening, sample
from detak_agent.failures import CouldNotError, JournalError
from detak_agent.journal import Journal
from detak_agent.journal_file import FILE_NAME, transaction, used_bytes
from detak_agent.records import Commit, Owed
from detak_agent.run import Run
from detak_wire.messages import Gap, Span, Stored

DAY_MS = 24 * 3_600_000


def begun(journal: Journal, *names: str) -> Run:
    run = Run(RUN, opening(*names))
    journal.begin_run(run.identity, run.opening, 0)
    return run


def commit(journal: Journal, run: Run, now_utc: int = 0) -> None:
    taken = run.take()
    losses = journal.commit(taken, now_utc)
    run.committed(taken)
    for loss in losses:
        run.lose(loss)


def everything(journal: Journal, url: str = URL, most: int = 10_000) -> dict[int, Span | Gap]:
    records: list[Span | Gap] = []
    for part in journal.outbox.owed(url, most).parts:
        records += part.spans
        records += part.gaps
    return {record.number: record for record in records}


def flap(journal: Journal, run: Run, times: int, begin: int = 2_000, now_utc: int = 0) -> None:
    for number in range(times):
        run.add(sample(begin + number * 1_000, "down" if number % 2 else "up"))
        run.tick(begin + number * 1_000)
        commit(journal, run, now_utc)


def test_the_connection_is_as_durable_as_sqlite_can_be(tmp_path: Path) -> None:
    connection = open_journal(tmp_path)._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_run_that_was_cut_off_is_closed_as_at_its_last_tick(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    run.add(sample(2_000))
    run.tick(2_000)
    commit(journal, run)
    run.add(sample(3_000, took=7))
    run.tick(3_100)
    commit(journal, run)
    journal.close()
    reopened = open_journal(tmp_path, URL)
    previous = reopened.close_previous(0)
    assert previous is not None
    assert (previous.run, previous.boot, previous.last_tick, previous.last_number) == (RUN, BOOT, 3_100, 2)
    assert previous.stopped is None
    spans = everything(reopened)
    assert {(one.check, one.last_end, one.samples, one.closed) for one in spans.values() if isinstance(one, Span)} == {
        ("db", 3_007, 2, True),
        ("alive", 3_100, 2, True),
    }


def test_a_run_that_was_stopped_says_so_to_the_next_one(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal)
    run.tick(2_000)
    commit(journal, run)
    journal.commit(run.end("stop", 2_500), 0)
    previous = journal.close_previous(0)
    assert previous is not None
    assert (previous.stopped, previous.stopped_agent, previous.last_tick) == ("stop", 2_500, 2_000)


def test_a_new_journal_knows_no_previous_run(tmp_path: Path) -> None:
    assert open_journal(tmp_path).close_previous(0) is None


def test_what_a_collector_holds_is_not_owed_to_it_any_more(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL, OTHER_URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    assert set(everything(journal)) == {1, 3, 4, 5, 6}
    assert not journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=1, ranges=[(4, 5)])})
    assert set(everything(journal)) == {3, 6}
    assert set(everything(journal, OTHER_URL)) == {1, 3, 4, 5, 6}


def test_the_newest_records_come_first_and_the_rest_is_counted(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    flap(journal, begun(journal, "db"), 6)
    owed = journal.outbox.owed(URL, 2)
    assert {span.number for part in owed.parts for span in part.spans} == {5, 6}
    assert (owed.records, owed.remaining) == (2, 3)


def test_the_opening_comes_with_the_first_records(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    assert journal.outbox.owed(URL, 1).parts[0].opening == run.opening
    journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=0)})
    assert journal.outbox.owed(URL, 1).parts[0].opening is None


def test_a_collector_restored_from_a_backup_is_owed_again_what_it_lost(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    flap(journal, begun(journal, "db"), 6)
    journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=1, ranges=[(3, 6)])})
    assert journal.outbox.owed(URL, 10) == Owed()
    assert journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=1, ranges=[(3, 4)])})
    assert set(everything(journal)) == {5, 6}
    assert journal.outbox.acknowledge(URL, {RUN: Stored(opened=False, mark=0)})
    assert set(everything(journal)) == {1, 3, 4, 5, 6}
    assert journal.outbox.owed(URL, 10).parts[0].opening is not None


def test_a_new_collector_is_owed_everything_and_one_that_is_gone_nothing(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    flap(journal, begun(journal, "db"), 6)
    journal.outbox.configure([OTHER_URL])
    assert set(everything(journal, OTHER_URL)) == {1, 3, 4, 5, 6}
    assert journal._connection.execute("SELECT count(*) FROM collector").fetchone() == (1,)


def test_a_corrupt_row_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    journal._connection.execute("UPDATE record SET body = 'rubbish' WHERE number = 4")
    assert set(everything(journal)) == {1, 3, 5, 6}
    run.tick(9_000)
    commit(journal, run)
    commit(journal, run)
    gaps = [one for one in everything(journal).values() if isinstance(one, Gap)]
    assert [(gap.first_number, gap.last_number) for gap in gaps] == [(4, 4)]
    assert journal._connection.execute("SELECT number, body FROM quarantine").fetchall() == [(4, "rubbish")]


def test_a_corrupt_row_of_an_ended_run_becomes_a_gap_at_its_end(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    journal.commit(run.end("stop", 9_000), 0)
    last = run.last_number
    journal._connection.execute("UPDATE record SET checksum = checksum + 1 WHERE number = 4")
    everything(journal)
    assert everything(journal)[last + 1] == Gap(last + 1, 4, 4, "the journal's row was corrupt")


@pytest.mark.parametrize("table", ["opened", "tick"])
def test_a_corrupt_row_at_start_does_not_keep_the_agent_from_starting(tmp_path: Path, table: str) -> None:
    journal = open_journal(tmp_path, URL)
    flap(journal, begun(journal, "db"), 6)
    journal._connection.execute(f"UPDATE {table} SET body = 'rubbish'")
    previous = journal.close_previous(0)
    assert table == "tick" or (previous is not None and previous.last_tick == 7_000)
    assert {1, 3, 4, 5, 6} <= set(everything(journal))
    assert journal._connection.execute("SELECT count(*) FROM quarantine").fetchone() > (0,)


def test_a_file_beyond_reading_is_set_aside_for_a_new_journal(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 1_000)
    assert open_journal(tmp_path).close_previous(0) is None
    assert (tmp_path / f"{FILE_NAME}.damaged-1").exists()


def test_a_journal_of_a_newer_agent_is_refused(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal._connection.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(CouldNotError, match="made by a newer agent"):
        Journal.open(tmp_path)


def test_a_refused_record_gives_way_to_a_gap(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    assert journal.outbox.set_aside(RUN, 5, "refused")
    assert not journal.outbox.set_aside(RUN, 77, "refused")
    commit(journal, run)
    commit(journal, run)
    assert Gap(run.last_number, 5, 5, "refused") in everything(journal).values()
    assert 5 not in everything(journal)


def test_a_full_journal_drops_first_what_every_collector_has(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 200)
    journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=1, ranges=[(3, 150)])})
    journal._retention._max_bytes = used_bytes(journal._connection)
    owed_before = set(everything(journal))
    journal._retention.make_room(0)
    assert owed_before <= set(everything(journal))
    assert journal._connection.execute("SELECT count(*) FROM record WHERE number BETWEEN 1 AND 150").fetchone() == (0,)


def test_a_full_journal_says_what_it_drops(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 400)
    journal._retention._max_bytes = used_bytes(journal._connection) * 3 // 4
    for _ in range(6):
        run.tick(500_000)
        flap(journal, run, 1, 500_000)
    kept = everything(journal)
    named = {
        number
        for gap in kept.values()
        if isinstance(gap, Gap)
        for number in range(gap.first_number, gap.last_number + 1)
    }
    assert named
    still_open = {span.number for span in run.durable.open.values()}
    assert set(range(1, run.last_number + 1)) == named | set(kept) | still_open
    assert used_bytes(journal._connection) <= journal._retention._max_bytes


def test_a_full_journal_of_ended_runs_says_what_it_drops(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 400)
    journal.commit(run.end("stop", 900_000), 0)
    journal._retention._max_bytes = used_bytes(journal._connection) * 3 // 4
    journal._retention.make_room(0)
    gaps = [one for one in everything(journal).values() if isinstance(one, Gap)]
    assert gaps
    assert all(gap.number > run.last_number for gap in gaps)
    assert used_bytes(journal._connection) <= journal._retention._max_bytes


def test_what_every_collector_has_is_kept_for_a_week(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, "db")
    flap(journal, run, 6)
    journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=6)})
    journal._retention.make_room(7 * DAY_MS)
    assert journal.outbox.runs() == {RUN: 1}
    journal._retention.make_room(7 * DAY_MS + 700_000)
    assert journal._connection.execute("SELECT count(*) FROM record WHERE number > 0").fetchone() == (0,)


def test_a_failed_commit_is_not_retried(tmp_path: Path) -> None:
    connection = open_journal(tmp_path)._connection
    with pytest.raises(JournalError, match="a commit failed"), transaction(connection):
        connection.execute("INSERT INTO tick VALUES (1, NULL, 1)")


_CHILD = """
import sys
from pathlib import Path
from agent.agent_fakes import RUN, URL, open_journal, opening, sample
from detak_agent.run import Run
journal = open_journal(Path(sys.argv[1]), URL)
run = Run(RUN, opening("db"))
journal.begin_run(run.identity, run.opening, 0)
now = 2_000
while True:
    now += 1_000
    run.add(sample(now, "down" if now % 7_000 < 2_000 else "up"))
    run.tick(now)
    taken = run.take()
    journal.commit(taken, 0)
    run.committed(taken)
    print(now, run.last_number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 60])
def test_nothing_that_was_ticked_is_lost_to_a_kill(tmp_path: Path, after: int) -> None:
    search = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": search},
    )
    assert child.stdout is not None
    try:
        for _ in range(after):
            tick, number = map(int, child.stdout.readline().split())
    finally:
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split("\n")
        child.wait(10)
        child.stdout.close()
    for line in rest:
        if len(line.split()) == 2:
            tick, number = map(int, line.split())
    journal = open_journal(tmp_path, URL)
    previous = journal.close_previous(0)
    assert previous is not None
    assert previous.last_tick >= tick
    assert previous.last_number >= number
    assert set(everything(journal)) == set(range(1, previous.last_number + 1))
    ends = [one.last_end for one in everything(journal).values() if isinstance(one, Span) and one.check == "db"]
    assert max(ends) >= tick
    journal.close()


def test_a_month_of_isolation_takes_less_than_a_mebibyte(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal, *(f"check-{number}" for number in range(10)))
    for hour in range(30 * 24):
        run.add(sample(hour * 3_600_000, "down" if hour % 2 else "up", "check-1"))
        run.tick(hour * 3_600_000)
        commit(journal, run)
    journal.close()
    assert sum(file.stat().st_size for file in tmp_path.glob("journal.db*")) <= 1024 * 1024


def test_the_status_reads_beside_a_running_agent(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL)
    run = begun(journal)
    run.tick(int(time.monotonic()))
    commit(journal, run)
    reader = sqlite3.connect(f"{(tmp_path / FILE_NAME).as_uri()}?mode=ro", uri=True)
    assert reader.execute("SELECT count(*) FROM tick").fetchone() == (1,)
    reader.close()
    assert isinstance(run.take(), Commit)
    journal.close()
