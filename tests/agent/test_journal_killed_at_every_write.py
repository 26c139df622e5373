"""A kill between any two writes of the journal: strace ends the process at the n-th write or synchronisation."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.agent_fakes import URL, open_journal

pytestmark = pytest.mark.system("strace")

NIGHTLY = os.environ.get("DETAK_NIGHTLY") == "1"
BOUNDARIES = range(1, 201) if NIGHTLY else range(2, 62, 5)
"""Which write is the last: the first make the file, then each tick takes about three, and the log is written over."""

_CHILD = """
import sys
from pathlib import Path
from agent.agent_fakes import RUN, URL, open_journal, opening, sample
from detak_agent.run import Run
journal = open_journal(Path(sys.argv[1]), URL)
run = Run(RUN, opening("db"))
journal.begin_run(run.identity, run.opening, 0)
for now in range(3_000, 63_000, 1_000):
    run.add(sample(now, "down" if now % 7_000 < 2_000 else "up"))
    run.tick(now)
    taken = run.take()
    journal.commit(taken, 0)
    run.committed(taken)
    print(now, run.last_number, flush=True)
"""


def last_said(strace: str, folder: Path, boundary: int) -> tuple[int, int]:
    """The last tick that the journal had acknowledged, and its greatest number; zeros if it came to none."""
    search = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    calls, nowhere = "pwrite64,fdatasync,fsync", os.devnull
    finished = subprocess.run(
        [strace, "-qq", "-o", nowhere, "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGKILL:when={boundary}",
         sys.executable, "-c", _CHILD, str(folder)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": search}, timeout=120,
    )  # fmt: skip
    lines = finished.stdout.splitlines()
    assert len(lines) < 60, "the kill came too late to show anything"
    tick, number = lines[-1].split() if lines else ("0", "0")
    return int(tick), int(number)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_nothing_that_was_ticked_is_lost(tmp_path: Path, boundary: int, require: Callable[[str], str]) -> None:
    tick, number = last_said(require("strace"), tmp_path, boundary)
    journal = open_journal(tmp_path, URL)
    previous = journal.close_previous(0)
    if tick:
        assert previous is not None
        assert previous.last_tick >= tick
        assert previous.last_number >= number
        spans = [span for part in journal.outbox.owed(URL, 10_000).parts for span in part.spans]
        assert {span.number for span in spans} == set(range(1, previous.last_number + 1))
        assert max(span.last_end for span in spans if span.check == "db") >= tick
    journal.close()
