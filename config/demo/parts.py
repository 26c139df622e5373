"""Processes that a person may hurt: started in order, ended together, and never left behind."""

import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

STOP_PATIENCE_S = 5
PARENT_DEATH_SIGNAL = 1
"""The option's number in prctl(2)."""


@dataclass
class Part:
    """One process of the demo. `what` says for people what it is; `gone` that its end has been told."""

    name: str
    what: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    gone: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                preexec_fn=end_with_the_demo,  # noqa: PLW1509 - the demo has one thread
            )  # fmt: skip
        self.gone = False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if there is still something to receive it."""
        if self.runs:
            os.kill(self.pid, number)

    def heal(self) -> None:
        """Wake it if it is frozen, start it if it is gone."""
        if self.runs:
            self.signal(signal.SIGCONT)
        else:
            self.start()

    def wait(self, deadline: float) -> None:
        """Until it has ended; past the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def end_with_the_demo() -> None:
    """In the new process: if the demo itself is killed, the kernel kills this one too, even a frozen one."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def stop_together(parts: list[Part]) -> None:
    """Ask all of them to end, the frozen ones too, and see to it that they do."""
    for part in parts:
        part.signal(signal.SIGTERM)
        part.signal(signal.SIGCONT)
    deadline = time.monotonic() + STOP_PATIENCE_S
    for part in parts:
        part.wait(deadline)
