"""A disk that is really full: a small file system of its own, filled to the last byte."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.agent_fakes import RUN, URL, opening, sample
from detak_agent.failures import DiskFullError, JournalError
from detak_agent.journal import Journal
from detak_agent.journal_reserve import RESERVE_BYTES, Reserve
from detak_agent.run import Run
from detak_wire.messages import Gap

pytestmark = pytest.mark.system("mount", "umount")


@pytest.fixture
def disk(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Path]:
    """An empty file system of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        [require("mount"), "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no right to mount a file system here")
    yield folder
    subprocess.run([require("umount"), "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for piece in (2**20, 4_096, 1):
            with suppress(OSError):
                while file.write(b"x" * piece) == piece:
                    pass
    return filler


def begun(disk: Path) -> tuple[Journal, Run]:
    journal = Journal.open(disk)
    journal.outbox.configure([URL])
    run = Run(RUN, opening("db"))
    journal.begin_run(run.identity, run.opening, 0)
    return journal, run


def flap(journal: Journal, run: Run, times: int, begin: int) -> None:
    """One edge after another, each with a message that takes room."""
    for number in range(times):
        run.add(sample(begin + number * 1_000, "down" if number % 2 else "up"))
        run.tick(begin + number * 1_000)
        taken = run.take()
        losses = journal.commit(taken, 0)
        run.committed(taken)
        for loss in losses:
            run.lose(loss)


def gaps(journal: Journal) -> list[Gap]:
    return [gap for part in journal.outbox.owed(URL, 10_000).parts for gap in part.gaps]


def test_evidence_goes_on_within_what_the_journal_has_and_gaps_name_what_it_drops(disk: Path) -> None:
    journal, run = begun(disk)
    assert Reserve(disk).is_held
    flap(journal, run, 200, 2_000)
    fill(disk)
    flap(journal, run, 4_000, 300_000)
    assert not Reserve(disk).is_held
    assert run.durable.last_number == run.last_number
    assert gaps(journal)
    journal.close()
    again = Journal.open(disk)
    previous = again.close_previous(0)
    assert previous is not None
    assert previous.last_tick == 300_000 + 3_999 * 1_000
    again.close()


def test_the_space_is_set_aside_again_once_there_is_room(disk: Path) -> None:
    journal, run = begun(disk)
    filler = fill(disk)
    flap(journal, run, 400, 2_000)
    assert not Reserve(disk).is_held
    filler.unlink()
    flap(journal, run, 700, 4_000_000)
    assert Reserve(disk).is_held
    journal.close()


def test_without_any_reserve_a_full_disk_is_a_failure_that_wrote_nothing(disk: Path) -> None:
    journal, run = begun(disk)
    flap(journal, run, 5, 2_000)
    Reserve(disk).spend()
    fill(disk)
    with pytest.raises(DiskFullError, match="the disk is full"):
        flap(journal, run, 5_000, 9_000)
    last = run.durable.tick
    journal.close()
    (disk / "filler").unlink()
    again = Journal.open(disk)
    previous = again.close_previous(0)
    assert previous is not None
    assert previous.last_tick == last
    again.close()


def test_an_agent_still_starts_and_stops_in_good_order_on_a_full_disk(disk: Path) -> None:
    journal, run = begun(disk)
    flap(journal, run, 5, 2_000)
    journal.close()
    fill(disk)
    again = Journal.open(disk)
    assert again.close_previous(0) is not None
    later = Run("ab" * 8, opening("db"))
    again.begin_run(later.identity, later.opening, 0)
    flap(again, later, 10, 50_000)
    again.commit(later.end("stop", 61_000), 0)
    last = again.close_previous(0)
    assert last is not None
    assert last.stopped == "stop"
    again.close()


def test_nothing_is_set_aside_where_that_would_fill_the_disk(tmp_path: Path) -> None:
    assert not Reserve(tmp_path, free=lambda _: 8 * RESERVE_BYTES - 1).hold()
    assert Reserve(tmp_path, free=lambda _: 8 * RESERVE_BYTES).hold()
    assert list(tmp_path.iterdir()) == [tmp_path / "reserve"]


def test_a_full_disk_is_one_of_the_failures_that_end_an_agent() -> None:
    assert issubclass(DiskFullError, JournalError)
