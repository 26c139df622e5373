"""From what a monitor has kept, samples or changes of state, to when it says that a service was down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.targets import Target
from lab.truth import Interval

Times = tuple[int, int]
"""From a moment until another, in UTC milliseconds."""


def of_samples(samples: Iterable[tuple[int, bool]], begin: int, end: int) -> list[Times]:
    """From each first bad sample to the next good one: a sample stands until the next.

    A sample is its time and whether all was well. What goes on is cut at `end`, what began before at `begin`.
    """
    found: list[Times] = []
    since: int | None = None
    for at, well in sorted(samples):
        if not well and since is None:
            since = at
        elif well and since is not None:
            found.append((since, at))
            since = None
    if since is not None:
        found.append((since, end))
    return _clipped(found, begin, end)


def united(times: Iterable[Times]) -> list[Times]:
    """The same time, in intervals that neither overlap nor touch, in order."""
    found: list[Times] = []
    for since, until in sorted(times):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def common(some: Iterable[Times], others: Sequence[Times]) -> list[Times]:
    """The time in both."""
    return united(time for one in some for time in _clipped(others, *one))


def of_services(down: Iterable[tuple[Target, Iterable[Times]]]) -> list[Interval]:
    """A service is down while every target of it is: one with two targets has the second for when the first fails."""
    by_service: dict[str, list[Times]] = {}
    for target, times in down:
        own, before = united(times), by_service.get(target.service)
        by_service[target.service] = own if before is None else common(before, own)
    return [Interval(service, *times) for service, all_times in by_service.items() for times in all_times]


def _clipped(times: Iterable[Times], begin: int, end: int) -> list[Times]:
    cut = ((max(since, begin), min(until, end)) for since, until in times)
    return [(since, until) for since, until in cut if since < until]
