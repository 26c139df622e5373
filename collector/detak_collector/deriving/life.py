"""Whether a process still gets on, how long it is waited for, and what its end is called."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST_WAIT_S = 60.0

NICENESS = 10
"""A tenth of what the serving process gets where both want the same core."""


@dataclass(frozen=True, slots=True)
class Patience:
    """With a process that derives. It may take long, at low priority; one that gets on uses the processor."""

    idle_s: float = 60.0
    least_cpu_s: float = 0.05
    """It does not get on where it used less in that time, and said nothing."""
    most_s: float = 3_600.0
    """However busy it is: what takes longer never ends."""
    end_s: float = 2.0
    """From the end of its line to its own."""

    def before_another(self, losses: int) -> float:
        """How long until another one is started, after so many were lost in a row before this one."""
        return min(LONGEST_WAIT_S, 2.0**losses) if losses else 0.0


@dataclass(frozen=True, slots=True)
class Signs:
    """Of a process's life: the processor seconds that it has used."""

    cpu_s: float

    @staticmethod
    def of(pid: int) -> Signs:
        """As the kernel counts them; none of one that has ended."""
        fields = _stat(pid)
        return Signs((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")) if fields else Signs(0.0)


async def started_behind(command: Sequence[str]) -> Process:
    """A process that gives way to this one from the start: what it imports at first would hold up beats for a second.

    In a session of its own it does not see a terminal's Ctrl-C.
    """
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
    return child


def is_running(pid: int) -> bool:
    """Whether the process has not ended, as the kernel has it."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in {"Z", "X"}


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def how_it_ended(status: int | None) -> str:
    """In words, from an exit status as subprocess counts them."""
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with {status}"
