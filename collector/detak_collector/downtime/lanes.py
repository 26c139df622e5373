"""What a timeline draws of one service over a month: by lane the sets of time in which it was not simply up.

They are kept with the month, so that a year is drawn without deriving a year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from detak_collector.downtime.accounts import OUTSIDE_HOURS, Account
from detak_collector.downtime.assess import Month
from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.intervals import Interval, Intervals, union
from detak_collector.downtime.parts import Part
from detak_collector.downtime.reading import Reading

KINDS = ("closed", "unobserved", "degraded", "excluded", "presumed", "down")
"""What a lane may be besides up; of two that share a place the later one is drawn."""

Lane = Mapping[str, tuple[Interval, ...]]
"""By kind where it is so; kinds that it never is are left out."""


@dataclass(frozen=True, slots=True)
class MonthLanes:
    """The lanes of one service: its own, of groups by their key, of checks (`node/check`). Quiet ones are left out."""

    service: Lane
    groups: Mapping[str, Lane] = field(default_factory=dict)
    checks: Mapping[str, Lane] = field(default_factory=dict)


def lanes_of(month: Month, service: Service) -> MonthLanes:
    """What was derived of a month, as it is drawn."""
    account = month.accounts[service.id]
    checks = {check: month.readings[check] for check in dict.fromkeys(service.checks()) if check in month.readings}
    inside = (account.begin, account.end)
    return MonthLanes(
        _of_service(account),
        _told({key: _of_part(part) for key, part in account.layers.items()}),
        _told({check: _clipped(of_check(reading), inside) for check, reading in checks.items()}),
    )


def of_check(reading: Reading) -> Lane:
    """The lane of a check by itself."""
    return _lane({
        "unobserved": reading.unobserved,
        "degraded": reading.degraded,
        "presumed": reading.presumed,
        "down": reading.down.counted - reading.presumed,
    })  # fmt: skip


def joined(lanes: Iterable[Lane]) -> list[tuple[str, Intervals]]:
    """The same lane over one month after another, in the order in which kinds are drawn."""
    every: Sequence[Lane] = list(lanes)
    found = ((kind, union(Intervals(one[kind]) for one in every if kind in one)) for kind in KINDS)
    return [(kind, where) for kind, where in found if where]


def _of_part(part: Part) -> Lane:
    return _lane({
        "unobserved": part.unobserved,
        "degraded": part.degraded,
        "presumed": part.presumed,
        "down": part.gross.counted - part.presumed,
    })  # fmt: skip


def _of_service(account: Account) -> Lane:
    closed = Intervals.span(account.begin, account.end) - account.hours
    return _lane({
        "closed": closed,
        "unobserved": account.unobserved - closed,
        "degraded": account.degraded - closed,
        "excluded": union(where for reason, where in account.left.items() if reason != OUTSIDE_HOURS),
        "presumed": account.presumed,
        "down": account.net.counted - account.presumed,
    })  # fmt: skip


def _lane(kinds: Mapping[str, Intervals]) -> Lane:
    return {kind: where.parts for kind, where in kinds.items() if where}


def _clipped(lane: Lane, inside: Interval) -> Lane:
    return _lane({kind: Intervals(parts).clip(*inside) for kind, parts in lane.items()})


def _told(lanes: Mapping[str, Lane]) -> dict[str, Lane]:
    return {name: lane for name, lane in lanes.items() if lane}
