"""The days of the status page: the local days of the last three months, and the running year. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.board import Day
from detak_collector.downtime.accounts import OUTSIDE_HOURS, Account
from detak_collector.downtime.intervals import union
from detak_collector.downtime.periods import days, midnight

DAYS = 90
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Year:
    """The running year so far, in the organisation's zone."""

    name: str
    begin: int
    end: int


def days_of(account: Account, now: int, zone: tzinfo) -> tuple[Day, ...]:
    """One service day by day; a day that ended before anything was known of it is empty."""
    known = (account.hours - account.unobserved).parts
    known_from = known[0][0] if known else now
    first = max(account.begin, midnight_before(now, zone) - (DAYS - 1) * DAY_MS)
    spread = [(str(day), begin, min(end, now)) for day, begin, end in days(first, now, zone)][-DAYS:]
    return tuple(
        Day(day, 0, 0, 0, 0, 0) if end <= known_from else _day(day, account.clip(begin, end))
        for day, begin, end in spread
    )


def _day(date: str, day: Account) -> Day:
    counted = day.net.counted
    excluded = union(where for reason, where in day.left.items() if reason != OUTSIDE_HOURS)
    unobserved = day.unobserved & day.service_time
    degraded = (day.degraded & day.service_time) - unobserved - counted - excluded
    return Day(
        date, day.service_time.total, counted.total, excluded.total, (unobserved - excluded).total, degraded.total
    )


def midnight_before(now: int, zone: tzinfo) -> int:
    """The begin of the local day in which `now` lies."""
    return next(begin for _, begin, end in days(now, now + 1, zone) if begin <= now < end)


def year_of(now: int, zone: tzinfo) -> Year:
    """The local calendar year in which `now` lies, up to now."""
    day = next(day for day, begin, end in days(now, now + 1, zone) if begin <= now < end)
    return Year(str(day.year), midnight(day.replace(month=1, day=1), zone), now)
