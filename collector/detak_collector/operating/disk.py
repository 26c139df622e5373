"""How full the store's disk is, and when it will be full. What decides is pure; measuring asks the file system only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import msgspec

DAY_MS = 86_400_000
SAMPLE_EVERY_MS = 3_600_000
KEPT_MS = 60 * DAY_MS
LEAST_HISTORY_MS = DAY_MS
"""Growth of less than a day says nothing: a morning is busier than a night."""

FULL_BYTES = 64 * 1024 * 1024
SCARCE_BYTES = 1024 * 1024 * 1024
SOON_DAYS = 30
HISTORY_NAME = "disk-usage.json"


class Sample(msgspec.Struct, frozen=True):
    """One look at the disk: free space for this user, and what the store's files take."""

    utc: int
    free_bytes: int
    store_bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk at this moment. `days_left` is None where nothing grows, or it was not watched for a day yet."""

    path: Path
    total_bytes: int
    free_bytes: int
    store_bytes: int
    days_left: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether the next hours cannot be stored."""
        return self.free_bytes < FULL_BYTES

    @property
    def is_scarce(self) -> bool:
        """Whether somebody should see to it."""
        is_soon = self.days_left is not None and self.days_left < SOON_DAYS
        return self.is_full or self.free_bytes < SCARCE_BYTES or is_soon


def measured(state_directory: Path, history: Sequence[Sample] = ()) -> Disk:
    """The file system of a directory and the store's files in it; raises OSError."""
    told = os.statvfs(state_directory)
    free = told.f_bavail * told.f_frsize if told.f_favail or not told.f_files else 0
    stored = sum(one.stat().st_size for one in state_directory.glob("detak.sqlite*"))
    return Disk(state_directory, told.f_blocks * told.f_frsize, free, stored, days_left(history, free))


def days_left(history: Sequence[Sample], free_bytes: int) -> float | None:
    """When the disk is full if it goes on as it did: by what others wrote, or by the store alone if that is sooner.

    A clean-up or a deleted file makes free space jump: the median of the steps from sample to sample passes over that.
    """
    if len(history) < 2 or history[-1].utc - history[0].utc < LEAST_HISTORY_MS:
        return None
    consumed = _bytes_per_day([(one.utc, -one.free_bytes) for one in history])
    grown = _bytes_per_day([(one.utc, one.store_bytes) for one in history])
    fastest = max(consumed, grown)
    return free_bytes / fastest if fastest > 0 else None


def _bytes_per_day(points: Sequence[tuple[int, int]]) -> float:
    """The median of each day's growth."""
    days = _daily(points)
    return median((after[1] - before[1]) * DAY_MS / (after[0] - before[0]) for before, after in pairwise(days))


def _daily(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of the points those that lie a day apart, counted back from the last."""
    chosen = [points[-1]]
    for point in reversed(points):
        if chosen[-1][0] - point[0] >= LEAST_HISTORY_MS:
            chosen.append(point)
    return chosen[::-1]


def with_sample(history: Sequence[Sample], sample: Sample) -> tuple[Sample, ...]:
    """The history with one more look, without what is too old or, after a step of the clock, lies ahead."""
    return (*(one for one in history if sample.utc - KEPT_MS <= one.utc < sample.utc), sample)


def load_history(state_directory: Path) -> tuple[Sample, ...]:
    """What was noted; nothing where it is not there or cannot be read, since it only makes a forecast."""
    try:
        return tuple(msgspec.json.decode((state_directory / HISTORY_NAME).read_bytes(), type=list[Sample]))
    except (OSError, msgspec.DecodeError):
        return ()


def save_history(state_directory: Path, history: Sequence[Sample]) -> None:
    """Notes it, whole or not at all; raises OSError."""
    path = state_directory / HISTORY_NAME
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(list(history)))
    fresh.replace(path)


def in_words(size: int) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1024:.0f} KiB"
