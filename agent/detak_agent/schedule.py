"""When each check is due: pure. Slots lie on a grid of agent time, so nothing drifts and a restart keeps the grid."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

SETTLING_MS = 1_000
"""The first samples of a run are spread over this long, so that its state is known at once without a stampede."""

_SECOND_MS = 1_000
_PARTS = (1, 2, 4, 5, 10, 20, 40, 50, 100)
_TOGETHER = 4
"""So many checks begin at once: waking up costs the processor more than a small check does, a crowd its own latency."""


def grid_ms(intervals_ms: Iterable[int]) -> int:
    """How far apart the moments are at which checks of these intervals may begin; the ticks lie on the same grid."""
    rate = sum(_SECOND_MS / interval_ms for interval_ms in intervals_ms)
    return next((_SECOND_MS // parts for parts in _PARTS if rate <= parts * _TOGETHER), _SECOND_MS // _PARTS[-1])


def phase(name: str, interval_ms: int, grid: int = 1) -> int:
    """Where in its interval a check is due: checks of one interval are spread over it, on the grid, by their names."""
    moments = max(1, interval_ms // grid)
    return zlib.crc32(name.encode()) % moments * grid


def first_due(name: str, interval_ms: int, now: int) -> int:
    """When the first sample of a run is due: soon, whatever the grid says."""
    return now + phase(name, min(interval_ms, SETTLING_MS))


def next_due(name: str, interval_ms: int, now: int, grid: int = 1) -> int:
    """The first slot after `now`; slots that a slow sample has missed are skipped, never made up for."""
    offset = phase(name, interval_ms, grid)
    return (now - offset) // interval_ms * interval_ms + interval_ms + offset
