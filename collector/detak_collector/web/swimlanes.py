"""The lanes of a timeline: from sets of time to a few rectangles each. Pure geometry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from detak_collector.downtime.accounts import OUTSIDE_HOURS, Account
from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.derive import Result
from detak_collector.downtime.intervals import Interval, Intervals, union
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


def service_lanes(result: Result, service: Service, name: str, window: Interval) -> tuple[Lane, ...]:
    """The service, then each group with its members, then its probes. The result has details of all its months."""
    accounts = [month.accounts[service.id] for month in result.details]
    readings = [month.readings for month in result.details]
    now = result.as_of

    def lane(check: str, level: int) -> Lane:
        said = [month[check] for month in readings if check in month]
        return Lane(check, level, pieces(_of_check(said), window, now), check)

    lanes = [Lane(name, 0, pieces(_of_service(accounts), window, now))]
    for group in service.groups:
        members = [one for one in group.members if one.was_in_force(*window)]
        if members:
            lanes.append(Lane(group.name, 1, pieces(_of_group(accounts, group.key), window, now)))
            lanes += [lane(check, 2) for check in dict.fromkeys(check for one in members for check in one.checks)]
    probes = [one for one in service.probes if one.was_in_force(*window)]
    lanes += [lane(check, 1) for check in dict.fromkeys(check for one in probes for check in one.checks)]
    return tuple(lanes)


def check_lane(label: str, reading: Reading, window: Interval, now: int) -> Lane:
    """One check by itself."""
    return Lane(label, 0, pieces(_of_check([reading]), window, now), reading.check)


def _of_check(readings: Iterable[Reading]) -> list[tuple[str, Intervals]]:
    said = list(readings)
    presumed = union(one.presumed for one in said)
    return [
        ("unobserved", union(one.unobserved for one in said)),
        ("degraded", union(one.degraded for one in said)),
        ("presumed", presumed),
        ("down", union(one.down.counted for one in said) - presumed),
    ]


def _of_group(accounts: Iterable[Account], key: str) -> list[tuple[str, Intervals]]:
    parts = [one.layers[key] for one in accounts if key in one.layers]
    presumed = union(one.presumed for one in parts)
    return [
        ("unobserved", union(one.unobserved for one in parts)),
        ("degraded", union(one.degraded for one in parts)),
        ("presumed", presumed),
        ("down", union(one.gross.counted for one in parts) - presumed),
    ]


def _of_service(accounts: Iterable[Account]) -> list[tuple[str, Intervals]]:
    every = list(accounts)
    closed = union(Intervals.span(one.begin, one.end) - one.hours for one in every)
    excluded = (where for one in every for reason, where in one.left.items() if reason != OUTSIDE_HOURS)
    presumed = union(one.presumed for one in every)
    return [
        ("closed", closed),
        ("unobserved", union(one.unobserved for one in every) - closed),
        ("degraded", union(one.degraded for one in every) - closed),
        ("excluded", union(excluded)),
        ("presumed", presumed),
        ("down", union(one.net.counted for one in every) - presumed),
    ]
