"""What /proc says of processes. A process may be gone, or hidden from the agent: the two are never mixed up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

STOPPED = "T"
TRACED = "t"
ZOMBIE = "Z"
_NOT_RUNNING = frozenset({STOPPED, TRACED, ZOMBIE, "X", "x"})


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `started` is its start in clock ticks since boot, which with the id names it for good."""

    pid: int
    parent: int
    name: str
    state: str
    started: int

    @property
    def runs(self) -> bool:
        """Whether it can do its work: it is neither stopped nor a zombie."""
        return self.state not in _NOT_RUNNING

    @property
    def identity(self) -> tuple[int, int]:
        return self.pid, self.started


class Absence(Enum):
    """Why there is nothing to see of a process."""

    GONE = "there is no such process"
    HIDDEN = "the kernel does not let the agent see it"


def parse_stat(text: str) -> Process:
    """From /proc/PID/stat, proc(5). The name may hold spaces and parentheses."""
    pid, _, rest = text.partition(" (")
    name, _, numbers = rest.rpartition(") ")
    fields = numbers.split()
    return Process(int(pid), int(fields[1]), name, fields[0], int(fields[19]))


class ProcessTable:
    """Reads processes. Only a command line can block, on a process whose memory is stuck: ask in a daemon thread."""

    def __init__(self, root: Path) -> None:
        self._proc = str(root / "proc")

    def find(self, pid: int) -> Process | Absence:
        """The process as it is now."""
        text = self._read(f"{self._proc}/{pid}/stat")
        return text if isinstance(text, Absence) else parse_stat(text)

    def command_line(self, pid: int) -> list[str]:
        """Its arguments; none for a zombie, a kernel thread, or a process that cannot be seen."""
        text = self._read(f"{self._proc}/{pid}/cmdline")
        return [] if isinstance(text, Absence) or not text else text.rstrip("\0").split("\0")

    def pids(self) -> list[int]:
        """All process ids that the kernel shows."""
        return [int(name) for name in os.listdir(self._proc) if name.isdecimal()]  # noqa: PTH208 - ten times cheaper

    def shows_others(self) -> bool:
        """Whether processes of other users are shown: process 1, which always exists, is a process like any other."""
        return isinstance(self.find(1), Process)

    @staticmethod
    def _read(path: str) -> str | Absence:
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - half the time, and a sample is nothing else
                return file.read(65_536).decode(errors="surrogateescape")
        except PermissionError:
            return Absence.HIDDEN
        except (FileNotFoundError, ProcessLookupError):
            return Absence.GONE
