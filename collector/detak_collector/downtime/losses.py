"""Records of a run that are not there, and what they may have told: a number that is missing may be of any check."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from detak_collector.downtime.facts import ALIVE, Lost, Previous, Run
from detak_collector.downtime.lives import Life, Sighting


class Missing(Enum):
    """Whether a record may be missing between two sightings, and whether it may still arrive."""

    NOTHING = "nothing"
    SO_FAR = "so far"
    FOR_GOOD = "for good"


def missing_between(earlier: Sighting, later: Sighting, lives: tuple[Life, ...]) -> Missing:
    """Whether the check may have said something between two sightings that has not arrived.

    Of the agent's own liveness nothing else can be missing: its samples only ever say up.
    """
    if earlier.span.check == ALIVE:
        return Missing.NOTHING
    lost = list(_lost_between(earlier, later, lives))
    if any(one.told for one in lost):
        return Missing.FOR_GOOD
    if lost or _unfinished(earlier.place, later.place, lives):
        return Missing.SO_FAR
    return Missing.NOTHING


def _lost_between(earlier: Sighting, later: Sighting, lives: tuple[Life, ...]) -> Iterator[Lost]:
    """What is missing in the runs from the one sighting to the other, and may have begun between the two."""
    for place in range(earlier.place, later.place + 1):
        for one in lives[place].run.lost:
            after = place > earlier.place or (
                earlier.span.last < one.last and one.may_begin_in(earlier.span.last_begin, _FOREVER)
            )
            before = place < later.place or (
                one.first < later.span.number and one.may_begin_in(-_FOREVER, later.span.first_end)
            )
            if after and before:
                yield one


_FOREVER = 2**63


def _unfinished(first: int, last: int, lives: tuple[Life, ...]) -> bool:
    """Whether a run that another one followed has records at its end that have not arrived."""
    return any(
        (told := lives[place + 1].run.previous) is not None
        and told.run == lives[place].run.run
        and told.last_number > lives[place].run.complete_to
        for place in range(first, last)
    )


def lacks_its_end(run: Run, previous: Previous, earlier: Sighting) -> bool:
    """Whether the run's journal held more than has arrived, of the time since the last sample that has."""
    if previous.last_number > run.complete_to:
        return True
    if earlier.life.run is not run:
        return bool(run.lost)
    return any(earlier.span.last < one.last and one.may_begin_in(earlier.span.last_begin, _FOREVER) for one in run.lost)
