"""Exact numbers as decimal text: rounded once, half up, at the very end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decimal_text(value: Fraction, places: int) -> str:
    """`value` with so many decimals, half up (away from zero), as in published figures."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if value < 0 and whole else ""
    digits = str(whole).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def iso_utc(instant: int) -> str:
    """Milliseconds since 1970 as ISO 8601 UTC with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=instant)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}Z"


def length_text(duration_ms: int) -> str:
    """A length for people: `1 h 02 min 03.4 s`, in whole and exact parts."""
    sign, left = ("-", -duration_ms) if duration_ms < 0 else ("", duration_ms)
    hours, left = divmod(left, 3_600_000)
    minutes, left = divmod(left, 60_000)
    seconds = f"{left // 1000}.{left % 1000 // 100} s"
    if hours:
        return f"{sign}{hours:,} h {minutes:02d} min {seconds}"
    return f"{sign}{minutes} min {seconds}" if minutes else f"{sign}{seconds}"


def clock_text(duration_ms: int) -> str:
    """A length as short as a column wants it: `1:02:03.4`."""
    hours, left = divmod(duration_ms, 3_600_000)
    minutes, left = divmod(left, 60_000)
    return f"{hours}:{minutes:02d}:{left // 1000:02d}.{left % 1000 // 100}"


def moment_of(instant: int, zone: tzinfo) -> datetime:
    """An instant as a local clock shows it."""
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
