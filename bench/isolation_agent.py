"""The agent itself, run as `detak-agent run` runs it, which also notes how late its ticks are.

    python bench/isolation_agent.py CONFIGURATION NOTES

Nothing of it is changed: what it calls is written down on the way. At its end the notes go to a file, as JSON.
SIGUSR1 shows where each of its threads is, also when none of them goes on.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import signal
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from detak_agent.checks.base import Surroundings
from detak_agent.checks.registry import REGISTRY
from detak_agent.cli import log_to_stderr
from detak_agent.clocks import SystemClock
from detak_agent.config import load
from detak_agent.daemon import run_agent
from detak_agent.delivery import Courier
from detak_agent.journal import Journal
from detak_agent.life import Machine
from detak_agent.records import Commit, Loss
from detak_agent.refusals import DeliveryError
from detak_agent.run import Run
from detak_agent.systemd import Notifier


def _numbers() -> array[int]:
    """Eight bytes each: what is noted in an hour must not look like memory that the agent loses."""
    return array("q")


@dataclass
class Notes:
    """What happened, in milliseconds of agent time: when ticks were taken, and how long the journal's commits took.

    A beat is its begin, its end, and what went wrong, if anything did.
    """

    ticks: array[int] = field(default_factory=_numbers)
    commits: array[int] = field(default_factory=_numbers)
    begins: array[int] = field(default_factory=_numbers)
    ends: array[int] = field(default_factory=_numbers)
    wrong: dict[int, str] = field(default_factory=dict)

    def told(self) -> dict[str, list[object]]:
        """As JSON has it."""
        beats = enumerate(zip(self.begins, self.ends, strict=True))
        return {
            "ticks": list(self.ticks),
            "commits": list(self.commits),
            "beats": [(begin, end, self.wrong.get(at, "")) for at, (begin, end) in beats],
        }


def take_notes(notes: Notes) -> None:
    """From now on, of every tick, commit and beat."""
    tick, commit, attempt = Run.tick, Journal.commit, Courier._attempt  # noqa: SLF001 - it looks on, and changes nothing
    clock = SystemClock()

    def noted_tick(run: Run, now: int) -> None:
        notes.ticks.append(now)
        tick(run, now)

    def noted_commit(journal: Journal, one: Commit, now_utc: int) -> list[Loss]:
        begin = clock.begin()
        try:
            return commit(journal, one, now_utc)
        finally:
            notes.commits.append(clock.end() - begin)

    async def noted_attempt(courier: Courier) -> DeliveryError | None:
        begin = clock.begin()
        error = await attempt(courier)
        if error is not None:
            notes.wrong[len(notes.begins)] = str(error)
        notes.begins.append(begin)
        notes.ends.append(clock.end())
        return error

    for owner, name, noted in (
        (Run, "tick", noted_tick),
        (Journal, "commit", noted_commit),
        (Courier, "_attempt", noted_attempt),
    ):
        setattr(owner, name, noted)


def main(path: Path, told: Path) -> int:
    """One life of the agent; its exit code."""
    log_to_stderr(debug=False)
    faulthandler.register(signal.SIGUSR1)
    os.umask(0o077)
    notes = Notes()
    take_notes(notes)
    machine = Machine(SystemClock(), Surroundings(), random.random, Notifier())
    code = run_agent(path, load(path, REGISTRY), REGISTRY, machine)
    told.write_text(json.dumps(notes.told()), encoding="utf-8")
    return code


if __name__ == "__main__":
    # As the command does it: a thread that hangs must not keep the process from ending.
    os._exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
