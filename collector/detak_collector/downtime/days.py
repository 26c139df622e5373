"""A service day by day, for what shows days: the local days of one month in sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import lru_cache

from detak_collector.downtime.accounts import OUTSIDE_HOURS, Account
from detak_collector.downtime.intervals import Intervals, union
from detak_collector.downtime.periods import days


@dataclass(frozen=True, slots=True)
class DayTotals:
    """Milliseconds of one service on one local day, disjoint but for `service_time_ms`, which holds them all.

    `known`: some of the day's hours were observed.
    """

    date: str
    service_time_ms: int
    counted_ms: int
    excluded_ms: int
    unobserved_ms: int
    degraded_ms: int
    known: bool


def days_of(account: Account, zone: tzinfo) -> tuple[DayTotals, ...]:
    """The local days of an account that has any time, in order; the first and the last may be cut by its edges."""
    spread = _spread(account.begin, account.end, zone)
    edges = [account.begin, *(begin for _, begin, _ in spread[1:]), account.end]
    counted = account.net.counted
    excluded = union(where for reason, where in account.left.items() if reason != OUTSIDE_HOURS)
    unobserved = account.unobserved & account.service_time
    degraded = (account.degraded & account.service_time) - unobserved - counted - excluded
    sets = (account.service_time, counted, excluded, unobserved - excluded, degraded)
    columns = [split(where, edges) for where in (*sets, account.hours - account.unobserved)]
    return tuple(
        DayTotals(str(day), service, down, gone, unseen, slow, known > 0)
        for (day, _, _), service, down, gone, unseen, slow, known in zip(spread, *columns, strict=True)
    )


@lru_cache(maxsize=64)
def _spread(begin: int, end: int, zone: tzinfo) -> Sequence[tuple[date, int, int]]:
    """The local days of a month: the same for all services."""
    return tuple(days(begin, end, zone))


def split(where: Intervals, edges: Sequence[int]) -> list[int]:
    """How much of a set, all of which lies within the edges, lies between each two of them."""
    sums = [0] * (len(edges) - 1)
    place = 0
    for begin, end in where:
        while edges[place + 1] <= begin:
            place += 1
        for at, piece in _pieces(begin, end, edges, place):
            sums[at] += piece
    return sums


def _pieces(begin: int, end: int, edges: Sequence[int], place: int) -> Iterator[tuple[int, int]]:
    while begin < end:
        until = min(end, edges[place + 1])
        yield place, until - begin
        begin, place = until, place + 1
