"""The lanes of a timeline: from sets of time to a few rectangles each. Pure geometry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.lanes import MonthLanes, joined, of_check
from detak_collector.downtime.reading import Reading

COLUMNS = 720
"""A lane is drawn in so many columns: more cannot be told apart, and no flapping check makes a page of any size."""

UP = "up"
AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns [left, left + width) of one kind, a name in style sheets. `part`: of less than half of that time."""

    kind: str
    left: int
    width: int
    begin: int
    end: int
    part: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """One row. `check` is empty for the service and its groups; `level` is how deep it stands under the service."""

    label: str
    level: int
    pieces: tuple[Piece, ...]
    check: str = ""

    def told(self, kind: str) -> int:
        """How often it is of that kind, as far as columns tell times apart."""
        return sum(one == kind for one, _ in groupby(self.pieces, key=attrgetter("kind")))


def pieces(layers: Sequence[tuple[str, Intervals]], window: Interval, now: int) -> tuple[Piece, ...]:
    """The window in pieces; of layers that share a column the later one is drawn, so that no short outage is lost."""
    begin, end = window
    edges = [begin + (end - begin) * column // COLUMNS for column in range(COLUMNS + 1)]
    cells = [(UP, False)] * COLUMNS
    for kind, where in (*layers, (AHEAD, Intervals.span(max(begin, now), end) if now < end else Intervals())):
        for column, covered in _covered(where.clip(begin, end), edges).items():
            cells[column] = (kind, covered * 2 < edges[column + 1] - edges[column])
    found: list[Piece] = []
    for (kind, part), group in groupby(range(COLUMNS), key=cells.__getitem__):
        columns = list(group)
        left, width = columns[0], len(columns)
        found.append(Piece(kind, left, width, edges[left], edges[left + width], part))
    return tuple(found)


def _covered(where: Intervals, edges: Sequence[int]) -> dict[int, int]:
    """By column, how much of it lies in the set; columns that it does not touch are left out."""
    found: dict[int, int] = {}
    for since, until in where:
        column = bisect_right(edges, since) - 1
        while column < COLUMNS and edges[column] < until:
            length = min(until, edges[column + 1]) - max(since, edges[column])
            found[column] = found.get(column, 0) + length
            column += 1
    return found


def service_lanes(
    months: Sequence[MonthLanes], service: Service, name: str, window: Interval, now: int
) -> tuple[Lane, ...]:
    """The service, then each group with its members, then its probes, over the months that the window touches."""

    def check_of(check: str, level: int) -> Lane:
        told = joined(month.checks[check] for month in months if check in month.checks)
        return Lane(check, level, pieces(told, window, now), check)

    own = joined(month.service for month in months)
    lanes = [Lane(name, 0, pieces(own, window, now))]
    for group in service.groups:
        members = [one for one in group.members if one.was_in_force(*window)]
        if members:
            told = joined(month.groups[group.key] for month in months if group.key in month.groups)
            lanes.append(Lane(group.name, 1, pieces(told, window, now)))
            lanes += [check_of(check, 2) for check in dict.fromkeys(check for one in members for check in one.checks)]
    probes = [one for one in service.probes if one.was_in_force(*window)]
    lanes += [check_of(check, 1) for check in dict.fromkeys(check for one in probes for check in one.checks)]
    return tuple(lanes)


def check_lane(label: str, reading: Reading, window: Interval, now: int) -> Lane:
    """One check by itself."""
    return Lane(label, 0, pieces(joined([of_check(reading)]), window, now), reading.check)
