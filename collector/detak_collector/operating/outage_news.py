"""Which outages began, ended or turned out not to be since the board was last looked at. Pure.

Of an outage its number is what lasts. Where the store could not give it one yet, its begin stands in for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from detak_collector.board.board import OutageState
from detak_collector.board.glance import Glance
from detak_collector.operating.events import Event, Value


@dataclass(slots=True)
class OutageNews:
    """Remembers which outages ran, and which of those that ended lately were told of."""

    _running: tuple[OutageState, ...] | None = field(default=None, init=False)
    _ended: tuple[OutageState, ...] = field(default=(), init=False)

    def of(self, glance: Glance) -> list[Event]:
        """What this board says that the one before it did not. The first one tells of all outages that run."""
        is_first, known, told = self._running is None, _Known(self._running or ()), _Known(self._ended)
        self._running, self._ended = glance.running, glance.lately
        if is_first:
            return list(_began(glance, known, "outage-running"))
        return [*_began(glance, known, "outage-begun"), *_ended(glance, known, told), *_withdrawn(glance, known)]


class _Known:
    """Outages, found again by their number or by their begin."""

    def __init__(self, outages: Iterable[OutageState]) -> None:
        self.outages = tuple(outages)
        self._numbers = {one.number for one in self.outages if one.number is not None}
        self._ids = {one.id for one in self.outages}

    def __contains__(self, outage: OutageState) -> bool:
        return outage.number in self._numbers or outage.id in self._ids


def _began(glance: Glance, known: _Known, name: str) -> Iterator[Event]:
    return (_event(name, one, glance.now) for one in glance.running if one not in known)


def _ended(glance: Glance, known: _Known, told: _Known) -> Iterator[Event]:
    """Also of those that were too short to be seen running."""
    return (_event("outage-ended", one, glance.now) for one in glance.lately if one in known or one not in told)


def _withdrawn(glance: Glance, known: _Known) -> Iterator[Event]:
    present = _Known((*glance.running, *glance.lately))
    return (_event("outage-withdrawn", one, glance.now) for one in known.outages if one not in present)


_WORDS = {
    "outage-begun": (logging.ERROR, "is down"),
    "outage-running": (logging.ERROR, "is still down"),
    "outage-ended": (logging.WARNING, "is up again"),
    "outage-withdrawn": (logging.WARNING, "was not down after all, or as part of another outage"),
}


def _event(name: str, outage: OutageState, now: int) -> Event:
    level, words = _WORDS[name]
    called = f"{outage.service_name}{f' (outage {outage.number})' if outage.number is not None else ''}"
    detail = f", {outage.detail}" if outage.detail else ""
    length = f" after {(outage.end - outage.begin + 500) // 1_000} s" if outage.end is not None else ""
    fields: dict[str, Value] = {
        "service": outage.service_id,
        "begin_utc": outage.begin,
        "cause": outage.cause,
        "counted_ms": outage.counted_ms,
        "certain_ms": outage.certain_ms,
        "possible_ms": outage.possible_ms,
        "in_figure": "yes" if outage.in_figure else "no",
    }
    if outage.number is not None:
        fields["outage"] = outage.number
    if outage.end is not None:
        fields["end_utc"] = outage.end
    text = f"{called} {words}{length}: {outage.cause}{detail} ({outage.shown_as})"
    return Event("outage", name, now, text, level, fields)
