"""When the checked thing itself began, as a continuity mark tells: by the rules it did not run in this boot before."""

from __future__ import annotations

from detak_collector.downtime.lives import Sighting

PROCESS_START = "process_start"
"""`pid:ticks` of the process from which all others of the check descend, as /proc/PID/stat has its start, proc(5)."""

_TICK_MS = 10
"""The kernel shows its clock ticks as hundredths of a second on every machine."""


def start_of(one: Sighting) -> int | None:
    """The UTC, as counted, at which what this sighting saw running began, in its boot; None where no mark tells."""
    told = dict(one.span.marks).get(PROCESS_START, "")
    _, _, ticks = told.partition(":")
    if one.settings.kind != "process" or not one.good or not ticks.isdecimal():
        return None
    return one.life.clock.middle(int(ticks) * _TICK_MS)
