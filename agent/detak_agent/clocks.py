"""The clocks of this machine behind one small object, which is handed to whatever needs the time.

Agent time is `MONOTONIC_RAW + (BOOTTIME - MONOTONIC)`: it counts suspends and no NTP steering. Nothing here decides.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import Protocol

from detak_agent.failures import CouldNotError

_NS_PER_MS = 1_000_000
_TIME_ERROR = 5
_UNSYNCHRONISED = 0x40
_READ_WITHIN_NS = 100_000
_READ_TRIES = 20

_library = ctypes.CDLL(None)


class Clock(Protocol):
    """What the agent may ask about time; all in integer milliseconds."""

    def begin(self) -> int:
        """Agent time, rounded down: for the begin of a measurement."""
        ...

    def end(self) -> int:
        """Agent time, rounded up: for the end of a measurement."""
        ...

    def utc(self) -> int:
        """The wall clock, as this node has it."""
        ...

    def boot(self) -> str:
        """The identity of this boot, as hexadecimal digits."""
        ...

    def init_started(self) -> int:
        """When PID 1 started, in agent time."""
        ...

    def suspended(self) -> int:
        """How long this boot was suspended so far."""
        ...

    def error_ms(self) -> int | None:
        """How wrong the wall clock may be as the kernel claims; None where it is not synchronised."""
        ...


class SystemClock:
    """The kernel's clocks."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._suspended_ns = 0
        self._suspended_ns = self._read_suspended()

    def begin(self) -> int:
        return self._agent_ns() // _NS_PER_MS

    def end(self) -> int:
        return -(-self._agent_ns() // _NS_PER_MS)

    def utc(self) -> int:
        return time.time_ns() // _NS_PER_MS

    def boot(self) -> str:
        return self._read("sys/kernel/random/boot_id").strip().replace("-", "").lower()

    def init_started(self) -> int:
        """PID 1's start is kept on BOOTTIME; the steering since boot is taken as even, which makes it none at boot.

        Where /proc hides PID 1 from the agent (hidepid) it is the kernel's own start: earlier than that nothing ran.
        """
        try:
            stat = (self._proc / "1/stat").read_text(encoding="utf-8")
        except OSError:
            return 0
        ticks = int(stat.rpartition(")")[2].split()[19])
        started_ns = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        booted_ns = max(1, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        return min(self.begin(), started_ns * self._agent_ns() // booted_ns // _NS_PER_MS)

    def suspended(self) -> int:
        return self._read_suspended() // _NS_PER_MS

    def error_ms(self) -> int | None:
        answer = _Timex()
        state = _library.adjtimex(ctypes.byref(answer))
        if state in {-1, _TIME_ERROR} or answer.status & _UNSYNCHRONISED:
            return None
        return int(-(-answer.maxerror // 1_000))

    def _agent_ns(self) -> int:
        suspended = self._read_suspended()
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) + suspended

    def _read_suspended(self) -> int:
        # The two clocks cannot be read at one instant. What was known is kept while it can still be true, so
        # that a process stopped between the readings does not take its own stop for a suspend.
        for attempt in range(_READ_TRIES):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            booted = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            if booted - after <= self._suspended_ns <= booted - before:
                break
            if after - before <= _READ_WITHIN_NS or attempt == _READ_TRIES - 1:
                self._suspended_ns = booted - after
                break
        return self._suspended_ns

    def _read(self, name: str) -> str:
        path = self._proc / name
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise CouldNotError(f"{path}: {error.strerror}; the agent needs a mounted /proc") from error


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read, with room for all of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )
