"""When each check is due: pure. Slots lie on a grid of agent time, so nothing drifts and a restart keeps the grid."""

from __future__ import annotations

import zlib

SETTLING_MS = 1_000
"""The first samples of a run are spread over this long, so that its state is known at once without a stampede."""


def phase(name: str, interval_ms: int) -> int:
    """Where in its interval a check is due: checks of one interval are spread over it by their names."""
    return zlib.crc32(name.encode()) % interval_ms


def first_due(name: str, interval_ms: int, now: int) -> int:
    """When the first sample of a run is due: soon, whatever the grid says."""
    return now + phase(name, min(interval_ms, SETTLING_MS))


def next_due(name: str, interval_ms: int, now: int) -> int:
    """The first slot after `now`; slots that a slow sample has missed are skipped, never made up for."""
    offset = phase(name, interval_ms)
    return (now - offset) // interval_ms * interval_ms + interval_ms + offset
