"""Stable outage numbers: which of the outages found now are those that had a number before.

An outage takes the number of the known outage of its service that it overlaps, and of several the lowest: that one was
known first. What overlaps none gets the next number of the organisation. A number that was merged into another one is
never given out again. A view sees its own window alone, so what it says of an outage that reaches over the window's
edge is said of the part inside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from detak_collector.downtime.intervals import Interval

FOREVER = 2**62


class Found(NamedTuple):
    """An outage as it was derived. `running`: it had not ended at the moment of deriving."""

    service: str
    begin: int
    end: int
    running: bool = False


class Known(NamedTuple):
    """An outage that has a number, as far as it was known last.

    While `running` its end is open, and `end` only says how far it was known to reach when that began. A number that
    was `merged_into` an earlier one keeps its last extent, for the record.
    """

    number: int
    service: str
    begin: int
    end: int
    running: bool = False
    merged_into: int | None = None

    @property
    def reach(self) -> int:
        """Where it may end at the latest, as far as is known."""
        return FOREVER if self.running else self.end


Outage = TypeVar("Outage", Found, Known)


@dataclass(frozen=True, slots=True)
class Match:
    """The number of each found outage, in the order given; what is new to the register, and what changes in it."""

    numbers: tuple[int, ...]
    new: tuple[Known, ...]
    changed: tuple[Known, ...]


def as_known(known: Mapping[tuple[str, int, int, bool], int], found: Sequence[Found]) -> tuple[int, ...] | None:
    """The numbers where nothing is news, None where anything is: mostly nothing is, and a year has many outages.

    `known` are the numbers of the live outages in the window, by what a Found of it would hold.
    """
    numbers = [number for one in found if (number := known.get(one)) is not None]
    return tuple(numbers) if len(numbers) == len(known) == len(found) else None


def match(known: Iterable[Known], found: Sequence[Found], window: Interval, next_number: int) -> Match:
    """Gives every found outage its number.

    `known` are at least those of the register that touch the window; `found` are all outages in it, cut at its edges,
    those of one service apart. A window up to now ends at FOREVER. New numbers count up from `next_number`, in order
    of time.
    """
    live = _by_service(one for one in known if one.merged_into is None)
    numbers: dict[tuple[str, int], int] = {}
    held: dict[str, list[_Held]] = {}
    for service, mine in _by_service(found).items():
        before = live.get(service, [])
        if _is_as_known(before, mine):
            numbers.update(((service, one.begin), one.number) for one in live.pop(service))
            continue
        held[service] = [_Held(one) for one in mine]
        _claim(before, held[service], window)
    fresh = sorted(
        (one for mine in held.values() for one in mine if one.known is None),
        key=lambda one: (one.found.begin, one.found.service),
    )
    for number, one in enumerate(fresh, next_number):
        one.number = number
    numbers.update(((one.found.service, one.found.begin), one.number) for mine in held.values() for one in mine)
    return Match(
        numbers=tuple(numbers[one.service, one.begin] for one in found),
        new=tuple(one.as_known() for one in fresh),
        changed=tuple(after for service in live for after in _changed(live[service], held.get(service, ()), window)),
    )


def _by_service(outages: Iterable[Outage]) -> dict[str, list[Outage]]:
    """Outages of each service in order of time."""
    services: dict[str, list[Outage]] = {}
    for one in outages:
        services.setdefault(one.service, []).append(one)
    for mine in services.values():
        mine.sort(key=lambda one: one.begin)
    return services


def _is_as_known(known: Sequence[Known], found: Sequence[Found]) -> bool:
    """Whether a service's outages are, one by one, just what they were: mostly they are, and then nothing is to do."""
    return len(known) == len(found) and all(
        (before.begin, before.end, before.running) == (one.begin, one.end, one.running)
        for before, one in zip(known, found, strict=True)
    )


def cut(found: Iterable[Found], window: Interval) -> list[Found]:
    """The outages, or the parts of them, that lie in the window: what a view of that window would have found."""
    begin, end = window
    return [
        one._replace(begin=max(begin, one.begin), end=min(end, one.end), running=one.running and one.end <= end)
        for one in found
        if one.begin < end and begin < one.end
    ]


@dataclass(slots=True)
class _Held:
    """A found outage, the known one that it continues, and its number."""

    found: Found
    known: Known | None = None
    number: int = 0

    def as_known(self) -> Known:
        return Known(self.number, self.found.service, self.found.begin, self.found.end, self.found.running)


def _claim(known: Sequence[Known], held: Sequence[_Held], window: Interval) -> None:
    """Each found outage, in order of time, takes the lowest number that it continues and that is still free.

    Outages that touch are one outage, seen in two views. Of a known one that began before the window, the part inside
    can only go on from the window's begin.
    """
    free: list[Known] = []
    later = 0
    for one in held:
        found = one.found
        while later < len(known) and known[later].begin <= found.end:
            free.append(known[later])
            later += 1
        free = [before for before in free if before.reach >= found.begin]
        continued = [before for before in free if before.begin >= window[0] or found.begin <= window[0]]
        if continued:
            one.known = min(continued, key=lambda before: before.number)
            one.number = one.known.number
            free.remove(one.known)


def _changed(known: Sequence[Known], held: Sequence[_Held], window: Interval) -> Iterable[Known]:
    claims = {one.number: one.found for one in held if one.known is not None}
    for before in known:
        if before.number in claims:
            after = _grown(before, claims[before.number], window)
        else:
            after = _unclaimed(before, held, window)
        if after != before:
            yield after


def _grown(mine: Known, one: Found, window: Interval) -> Known:
    """What is known of an outage after `one` was found to be its part in the window."""
    begin = min(mine.begin, one.begin) if one.begin <= window[0] else one.begin
    if one.running:
        return mine._replace(begin=begin, end=mine.end if mine.running else one.end, running=True)
    if one.end >= window[1]:
        return mine._replace(begin=begin, end=max(mine.end, one.end))
    return mine._replace(begin=begin, end=one.end, running=False)


def _unclaimed(one: Known, held: Sequence[_Held], window: Interval) -> Known:
    """A known outage that nothing found continues: merged into what took its time, or gone as far as the view sees."""
    if one.begin >= window[1] or one.reach <= window[0]:
        return one
    if one.begin < window[0]:
        return one._replace(end=min(one.end, window[0]), running=False)
    if one.reach > window[1]:
        return one
    first = bisect_right(held, one.begin, key=lambda other: other.found.end)
    if first < len(held) and held[first].found.begin < one.reach:
        return one._replace(merged_into=held[first].number, running=False)
    return one._replace(running=False)
