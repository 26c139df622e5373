"""Proves that what the collector acknowledged survives a loss of power.

    python bench/power_loss.py [--seconds 8] [--states 3000] [--seed 1] [--jobs 2]

The real process runs under strace while nodes enrol and beat over HTTP; it is started and stopped as an operator
would. Then its power fails at thousands of moments: the files are made anew as the disk may have left them
(`power_loss_disk.py` says what a disk may do), opened by the real store, and everything that had been acknowledged by
that moment is looked for. The same is done with stores that promise too early, and must find that something is lost.

Ends with `power-loss states=… lost=… mutants_caught=…/…`, and with exit code 1 where anything was lost or a mutant was
not caught.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.store.sqlite import FILE_NAME
from power_loss_calls import Step, Sync
from power_loss_disk import Disk
from power_loss_judge import faults
from power_loss_promises import Promises, Told, told_by
from power_loss_run import record
from power_loss_states import everything_kept, moments, states

MUTANT_SHARE, MUTANT_LEAST = 10, 150
"""A mutant is tried with this part of the states, and with so many at least."""

AT_A_TIME = 12
"""Moments that one worker tries before it tells what came of them."""

SHOWN = 5
SCRATCH = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Course:
    """What is played: a recorded run, on a disk that honours syncs or not."""

    name: str
    steps: Sequence[Step]
    told: dict[int, list[Told]]
    seed: int
    syncs_files: bool = True
    syncs_directories: bool = True

    def disk(self) -> Disk:
        """A disk on which nothing is yet."""
        return Disk(syncs_files=self.syncs_files, syncs_directories=self.syncs_directories)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of some moments: states tried, and of those in which something was wrong the first fault of each."""

    states: int
    lost: tuple[str, ...]


def main() -> int:
    """Records, replays, prints; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long nodes beat")
    parser.add_argument("--nodes", type=int, default=8, help="how many of them")
    parser.add_argument("--states", type=int, default=3_000, help="how many states of the honest store, about")
    parser.add_argument("--seed", type=int, default=1, help="of what is lost and when")
    parser.add_argument("--jobs", type=int, default=2, help="processes that look")
    asked = parser.parse_args()
    if shutil.which("strace") is None:
        raise SystemExit("strace is not on this machine: apt-get install strace")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}\n")
    with (
        tempfile.TemporaryDirectory(prefix="detak-power-loss-") as directory,
        _bench(asked.jobs, Path(directory)) as bench,
    ):
        honest = bench.recorded("the collector as it is", "", asked)
        outcome = bench.play(honest, asked.states)
        share = max(MUTANT_LEAST, asked.states // MUTANT_SHARE)
        found = [bool(bench.play(mutant, share).lost) for mutant in _mutants(bench, honest, asked)]
    caught = f"{sum(found)}/{len(found)}"
    print(f"\npower-loss states={outcome.states} lost={len(outcome.lost)} mutants_caught={caught}")
    return 0 if not outcome.lost and all(found) else 1


def _mutants(bench: _Bench, honest: Course, asked: argparse.Namespace) -> Iterator[Course]:
    for name, weakness in _WEAKNESSES:
        yield bench.recorded(name, weakness, asked)
    yield replace(honest, name="no fsync at all", syncs_files=False, syncs_directories=False)
    yield replace(honest, name="no fsync of directories", syncs_directories=False)


_WEAKNESSES = (
    ("synchronous = NORMAL", "normal"),
    ("synchronous = OFF", "off"),
    ("acknowledged before the commit", "early"),
)


@contextmanager
def _bench(jobs: int, directory: Path) -> Iterator[_Bench]:
    console = Console(highlight=False)
    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bench(jobs, directory, progress)


@dataclass(frozen=True, slots=True)
class _Bench:
    jobs: int
    directory: Path
    progress: Progress

    def recorded(self, name: str, weakness: str, asked: argparse.Namespace) -> Course:
        """A run of the collector, and what it promised."""
        home = self.directory / (weakness or "honest")
        home.mkdir()
        seconds = asked.seconds if not weakness else asked.seconds / 2
        task = self.progress.add_task(f"recording: {name}", total=None)
        steps = record(home, weakness, asked.nodes, seconds)
        self.progress.remove_task(task)
        told = told_by(steps)
        _refuse_incomplete(steps, home / "state")
        ended = [step.call for step in steps if step.ends and isinstance(step.call, Sync)]
        moved = sum(call.path.endswith(FILE_NAME) for call in ended)
        self._say(f"{name}: {sum(map(len, told.values()))} acknowledgements, {len(ended)} syncs, {moved} checkpoints")
        return Course(name, steps, told, asked.seed)

    def play(self, course: Course, most: int) -> Outcome:
        """Fails the power at many moments, and shows what came of it."""
        random = Random(course.seed)
        chosen = moments(course.steps, course.told.keys(), most, random)
        pieces = [chosen[at : at + AT_A_TIME] for at in range(0, len(chosen), AT_A_TIME)]
        task = self.progress.add_task(course.name, total=len(chosen))
        found: list[Outcome] = []
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(self.jobs, context, _be_given, (course,)) as pool:
            for piece in as_completed([pool.submit(_try, piece) for piece in pieces]):
                found.append(piece.result())
                self.progress.advance(task, AT_A_TIME)
        self.progress.remove_task(task)
        outcome = Outcome(sum(one.states for one in found), tuple(fault for one in found for fault in one.lost))
        self._say(f"{course.name}: {outcome.states} states, {len(outcome.lost)} with something lost")
        for fault, count in Counter(outcome.lost).most_common(SHOWN):
            self._say(f"    {count:>4}: {fault}")
        return outcome

    def _say(self, line: str) -> None:
        self.progress.console.print(line, soft_wrap=True)


_given: list[Course] = []
"""What this worker plays: it is inherited, since sending it would take longer than playing it."""


def _be_given(course: Course) -> None:
    _given[:] = [course]


def _try(chosen: Sequence[int]) -> Outcome:
    """Plays up to each of the moments and looks what a failure there leaves."""
    (course,) = _given
    disk, promises = course.disk(), Promises()
    tried, lost, at = 0, [], 0
    for moment in chosen:
        while at < moment:
            disk.play(course.steps[at])
            for told in course.told.get(at, ()):
                promises.add(told)
            at += 1
        random = Random(f"{course.seed}/{moment}")
        for state in states(disk, random):
            tried += 1
            wrong = faults(state.files, promises, random, SCRATCH)
            if wrong:
                lost.append(f"{wrong[0]} ({state.how})")
    return Outcome(tried, tuple(lost))


def _refuse_incomplete(steps: Sequence[Step], state: Path) -> None:
    """The replay of the whole run must give what is on the disk now, to the byte: else it has overlooked something."""
    disk = Disk()
    for step in steps:
        disk.play(step)
    for path, content in everything_kept(disk).items():
        if Path(path).parent == state and Path(path).is_file() and _digest(Path(path).read_bytes()) != _digest(content):
            raise SystemExit(f"{path}: the replay does not give what is on the disk")
    missing = {str(path) for path in state.glob("*.sqlite*")} - everything_kept(disk).keys()
    if missing:
        raise SystemExit(f"the replay knows nothing of {missing}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
