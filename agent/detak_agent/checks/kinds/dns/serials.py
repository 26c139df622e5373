"""How far name servers are behind each other, as seen from here: the serials of a zone, and when each was first seen.

Pure: it is given the time. It keeps a bounded number of serials, the oldest that some server still has among them.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_KEPT = 256
_HALF = 1 << 31
_ALL = 1 << 32


def newer(one: int, other: int) -> bool:
    """Whether serial `one` comes after `other` (RFC 1982: they run in a circle)."""
    return 0 < (one - other) % _ALL < _HALF


def newest(serials: Iterable[int]) -> int:
    """The one that no other is newer than."""
    found: int | None = None
    for serial in serials:
        if found is None or newer(serial, found):
            found = serial
    if found is None:
        raise ValueError("no serial")
    return found


class SerialHistory:
    """The newest serials, oldest first, each with the time in seconds when it was first seen."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, float]] = []

    def note(self, serials: Iterable[int], now: float) -> int:
        """What all servers that answered have now; returns the newest."""
        found = list(serials)
        latest = newest(found)
        if self._seen and newer(self._seen[-1][0], latest):
            # Nobody has what somebody had: the zone was set back, and its history starts again.
            self._seen = []
        if not self._seen or newer(latest, self._seen[-1][0]):
            self._seen.append((latest, now))
        self._forget(found)
        return latest

    def behind_s(self, serial: int, now: float) -> float:
        """For how long a server with `serial` has lacked something that another had: since the first it lacks."""
        lacking = [since for seen, since in self._seen if newer(seen, serial)]
        return now - lacking[0] if lacking else 0.0

    def _forget(self, held: list[int]) -> None:
        while len(self._seen) > 1 and not any(newer(self._seen[0][0], serial) for serial in held):
            del self._seen[0]
        if len(self._seen) > MOST_KEPT:
            del self._seen[1:-1:2]
