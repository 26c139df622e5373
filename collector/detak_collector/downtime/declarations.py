"""Declarations: time down that no check saw, and time not observed that other evidence proves to have been up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from detak_collector.downtime.catalogue import Declaration
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.triple import Triple

DOWN, UP = "down", "up"


def declared_down(declarations: Iterable[Declaration]) -> Mapping[str, Intervals]:
    """By service: the windows of those in force that say it was down."""
    windows: dict[str, list[tuple[int, int]]] = {}
    for one in declarations:
        if one.in_force and one.category == DOWN:
            windows.setdefault(one.scope, []).append((one.begin, one.end))
    return {service: Intervals.of(pairs) for service, pairs in windows.items()}


def declared_up(declarations: Iterable[Declaration], check: str) -> Intervals:
    """The windows of those in force that say this check, or its node, was up."""
    scopes = {("check", check), ("node", check.partition("/")[0])}
    return Intervals.of(
        (one.begin, one.end)
        for one in declarations
        if one.in_force and one.category == UP and (one.scope_kind, one.scope) in scopes
    )


def with_up(reading: Reading, windows: Intervals) -> Reading:
    """The reading with what was not observed, or only presumed, taken as up there; a bad sample stands."""
    proven = windows & (reading.unobserved | reading.presumed)
    if not proven:
        return reading
    counted = reading.down.counted - (proven & reading.presumed)
    return replace(
        reading,
        down=Triple.nested(reading.down.certain, counted, reading.down.possible - (proven - counted)),
        unobserved=reading.unobserved - proven,
        presumed=reading.presumed - proven,
        proven_up=proven,
    )
