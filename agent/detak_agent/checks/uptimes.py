"""A continuity mark for what tells only how long it runs: the start as first computed, which only a restart changes.

Computed anew from each sample it would wobble, step with the wall clock, and jump where a counter of hundredths wraps.
"""

from __future__ import annotations

STEADY_S = 3.0
"""By how much a told uptime may be off: whole seconds, and the way of the answer."""


class UptimeMark:
    """Remembers one thing's start. `wraps_s` is where its uptime begins anew without a restart, None where nowhere."""

    def __init__(self, wraps_s: float | None = None) -> None:
        self._wraps_s = wraps_s
        self._started = ""
        self._uptime_s = 0.0
        self._at_s = 0.0

    def of(self, uptime_s: float, at_s: float, unix_s: float) -> str:
        """The start in Unix seconds; `at_s` is the time of this reading on a clock that never steps or stops."""
        if not self._started or self._restarted(uptime_s, at_s - self._at_s):
            self._started = str(int(unix_s - uptime_s))
        self._uptime_s, self._at_s = uptime_s, at_s
        return self._started

    def _restarted(self, uptime_s: float, elapsed_s: float) -> bool:
        """Less uptime than there would be without a restart, and not more than there can be after one."""
        expected_s = self._uptime_s + elapsed_s
        if self._wraps_s is not None and abs(expected_s - self._wraps_s - uptime_s) < STEADY_S:
            return False
        return uptime_s < expected_s - STEADY_S and uptime_s < elapsed_s + STEADY_S
