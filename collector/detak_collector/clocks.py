"""The collector's own clocks, read at the edge and handed in; nothing that decides may read them itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NANOSECONDS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment: UTC for facts, BOOTTIME of boot `boot` for durations. Both are integer milliseconds."""

    utc: int
    boottime: int
    boot: str

    def utc_of(self, boottime: int, boot: str, utc: int) -> int:
        """The UTC, as this clock counts it now, of an earlier moment of the same boot; of another boot: as noted."""
        return self.utc - (self.boottime - boottime) if boot == self.boot else utc


Clock = Callable[[], Reading]


def system_clock(boot_id: Path = Path("/proc/sys/kernel/random/boot_id")) -> Clock:
    """The clock of this machine."""
    boot = boot_id.read_text(encoding="ascii").strip()

    def read() -> Reading:
        return Reading(
            utc=time.time_ns() // NANOSECONDS_PER_MS,
            boottime=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // NANOSECONDS_PER_MS,
            boot=boot,
        )

    return read
