"""Runs a real agent, with one check kind that says what a file says: started by the tests as a process of its own.

The file `machine` beside its configuration says which machine it takes itself for, if it is there. A folder `root`
there is where it looks for the machine's /proc and /sys.
"""

import os
import random
import sys
from functools import partial
from pathlib import Path

from detak_agent.checks.base import CheckSettings, Kind, Outcome, Silence, Surroundings
from detak_agent.cli import log_to_stderr
from detak_agent.clocks import SystemClock
from detak_agent.config import load
from detak_agent.daemon import run_agent
from detak_agent.life import Machine
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.systemd import Notifier
from detak_agent.way import way_to


class FileSettings(CheckSettings, frozen=True, kw_only=True):
    path: str


class FileProbe:
    def __init__(self, settings: FileSettings, surroundings: Surroundings) -> None:
        self._path = Path(settings.path)

    async def sample(self, deadline_ms: int) -> Outcome:
        said = self._path.read_text().strip()
        if said == "raise":
            raise ValueError(said)
        return Outcome("down" if said == "down" else "up", said)


REGISTRY = {
    "file-says": Kind(
        "file-says", "what a file says", FileSettings, FileProbe, lambda s: s.path, lambda _s: False, Silence.DOWN
    )
}

if __name__ == "__main__":
    log_to_stderr(debug=False)
    path = Path(sys.argv[1])
    told = path.with_name("machine")

    def identify() -> MachineIdentity:
        return MachineIdentity(told.read_text()) if told.exists() else this_machine()

    root = path.with_name("root")
    surroundings = Surroundings(root) if root.exists() else Surroundings()
    machine = Machine(
        SystemClock(), surroundings, random.random, Notifier(), connect=partial(way_to, identify=identify)
    )
    os._exit(run_agent(path, load(path, REGISTRY), REGISTRY, machine))
