"""Numbers, lengths and instants as people read them: pure functions, exact to the last step, English for now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HALF = Fraction(1, 2)
EN_DASH = "\N{EN DASH}"
LAST_MS = 253_402_128_000_000
"""The last instant that has a date in every zone. One node with a mad clock must not take the page from all."""


def format_percent(percent: Fraction | None, decimals: int = 4) -> str:
    """A percentage rounded half up from its exact value; a dash where there is none."""
    if percent is None:
        return EN_DASH
    return f"{_decimal(percent + HALF / 10**decimals, decimals):,} %"


def format_target(percent: Fraction) -> str:
    """A target as somebody would write it: without the zeros at its end."""
    return f"{Decimal(percent.numerator) / Decimal(percent.denominator):f} %"


def format_coverage(share: Fraction | None) -> str:
    """A share of time in percent, rounded down: 100 % is only said where nothing is missing."""
    if share is None:
        return EN_DASH
    return "100 %" if share == 1 else f"{_decimal(share * 100, 2)} %"


def format_minutes(length_ms: int) -> str:
    """A length in minutes with one decimal, half up."""
    return f"{_decimal(Fraction(length_ms, MINUTE_MS) + HALF / 10, 1):,} min"


def format_duration_ms(length_ms: int) -> str:
    """A length in its two largest units, never longer than it is: `12 min 03 s`, `5 h 07 min`, `3 d 4 h`."""
    if length_ms < SECOND_MS:
        return "0 s" if length_ms <= 0 else "under 1 s"
    if length_ms < MINUTE_MS:
        return f"{length_ms // SECOND_MS} s"
    if length_ms < HOUR_MS:
        return f"{length_ms // MINUTE_MS} min {length_ms % MINUTE_MS // SECOND_MS:02} s"
    if length_ms < DAY_MS:
        return f"{length_ms // HOUR_MS} h {length_ms % HOUR_MS // MINUTE_MS:02} min"
    return f"{length_ms // DAY_MS:,} d {length_ms % DAY_MS // HOUR_MS} h"


def format_instant(instant_ms: int, zone: ZoneInfo) -> str:
    """An instant in full, with the zone: `Tue 24 Nov 2026, 02:14:05 WIB`."""
    local = _local(instant_ms, zone)
    return f"{format_date(local)}, {local:%H:%M:%S} {_zone_name(local)}"


def format_clock(instant_ms: int, zone: ZoneInfo) -> str:
    """Only the time of day, with the zone: `02:14:05 WIB`."""
    local = _local(instant_ms, zone)
    return f"{local:%H:%M:%S} {_zone_name(local)}"


def format_date(day: date) -> str:
    """A day: `Tue 24 Nov 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def format_days(first: str, last: str) -> str:
    """A day or a range of days, from their ISO dates."""
    begin = format_date(date.fromisoformat(first))
    return begin if first == last else f"{begin} {EN_DASH} {format_date(date.fromisoformat(last))}"


def format_iso(instant_ms: int) -> str:
    """An instant for machines, in UTC with milliseconds."""
    return _local(instant_ms, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant_ms % 1000:03}Z"


@dataclass(frozen=True, slots=True)
class LocalTime:
    """One zone at one moment: says instants as briefly as they stay unmistakable there and then."""

    zone: ZoneInfo
    now: int

    def full(self, instant_ms: int) -> str:
        """An instant in full."""
        return format_instant(instant_ms, self.zone)

    def clock(self, instant_ms: int) -> str:
        """The time of day alone."""
        return format_clock(instant_ms, self.zone)

    def brief(self, instant_ms: int, form: str = "%H:%M") -> str:
        """An instant without what today, or this year, makes plain: `02:14`, `23 Nov, 02:14`, `31 Dec 2025, 23:59`."""
        local, today = _local(instant_ms, self.zone), _local(self.now, self.zone)
        if local.date() == today.date():
            return local.strftime(form)
        year = "" if local.year == today.year else f" {local.year}"
        return f"{local.day} {MONTHS[local.month - 1]}{year}, {local.strftime(form)}"

    def exact(self, instant_ms: int) -> str:
        """As briefly, but to the second."""
        return self.brief(instant_ms, "%H:%M:%S")

    def exact_end(self, begin_ms: int, end_ms: int) -> str:
        """The end of a range whose begin stands beside it: its date only where it is another day."""
        return LocalTime(self.zone, begin_ms).exact(end_ms)

    @property
    def zone_name(self) -> str:
        """What the zone is called there: `WIB`."""
        return _zone_name(_local(self.now, self.zone))


FILTERS: dict[str, Callable[..., str]] = {
    "percent": format_percent,
    "target": format_target,
    "coverage": format_coverage,
    "minutes": format_minutes,
    "duration": format_duration_ms,
    "iso": format_iso,
}
"""What templates may call, by name."""


def _decimal(value: Fraction, decimals: int) -> Decimal:
    return Decimal(value.numerator * 10**decimals // value.denominator).scaleb(-decimals)


def _local(instant_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(max(0, min(instant_ms, LAST_MS)) // SECOND_MS, zone)


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name[:3]}{':' + name[3:] if len(name) > 3 else ''}" if name[:1] in "+-" else name
