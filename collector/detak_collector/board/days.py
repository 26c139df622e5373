"""The days of the status page: the local days of the last three months, and the running year. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.board.board import Day
from detak_collector.downtime.days import DayTotals
from detak_collector.downtime.periods import days, midnight

DAYS = 90
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Year:
    """The running year so far, in the organisation's zone."""

    name: str
    begin: int
    end: int


def shown_days(known: Sequence[DayTotals]) -> tuple[Day, ...]:
    """The last days; those before anything was known are empty."""
    last = known[-DAYS:]
    first = next((at for at, day in enumerate(last) if day.known), len(last))
    return tuple(_day(day) if at >= first else Day(day.date, 0, 0, 0, 0, 0) for at, day in enumerate(last))


def _day(day: DayTotals) -> Day:
    return Day(day.date, day.service_time_ms, day.counted_ms, day.excluded_ms, day.unobserved_ms, day.degraded_ms)


def midnight_before(now: int, zone: tzinfo) -> int:
    """The begin of the local day in which `now` lies."""
    return next(begin for _, begin, end in days(now, now + 1, zone) if begin <= now < end)


def year_of(now: int, zone: tzinfo) -> Year:
    """The local calendar year in which `now` lies, up to now."""
    day = next(day for day, begin, end in days(now, now + 1, zone) if begin <= now < end)
    return Year(str(day.year), midnight(day.replace(month=1, day=1), zone), now)
