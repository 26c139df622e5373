"""Dates and times as people write them, turned into UTC milliseconds by the rules of a zone. No clock is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from detak_collector.catalogue.place import Place, resembling
from detak_collector.downtime.periods import EPOCH, local_instant, to_ms

MILLISECOND = timedelta(milliseconds=1)
FIRST_YEAR, LAST_YEAR = 1971, 9000
"""Every zone's instants in these years can be written as a date, with room on both sides."""

_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
_EXPECTED = (
    "a date such as 2026-07-01, a local time such as 2026-07-01T08:00, or an instant such as 2026-07-01T01:00:00Z"
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's civil time."""

    rules: tzinfo

    def moment(self, value: object, place: Place) -> int | None:
        """A local date (its midnight), a local time or an instant, as a TOML date or as a string."""
        written = _written(value)
        if written is None:
            place.refuse(_EXPECTED, value)
            return None
        if not isinstance(written, datetime):
            written = datetime(written.year, written.month, written.day)  # noqa: DTZ001 - local, by meaning
        return to_ms(written) if written.tzinfo else self.instant(written)

    def instant(self, local: datetime) -> int:
        """When it is `local` here: the first time if it comes twice, the end of the gap if it never comes."""
        return local_instant(local, self.rules)

    def said(self, instant: int) -> str:
        """An instant in local time, as short as it can be."""
        local = (EPOCH + instant * MILLISECOND).astimezone(self.rules)
        return local.date().isoformat() if local.time() == datetime.min.time() else local.isoformat()


def zone_name(value: object, place: Place) -> str | None:
    """The name of a zone whose rules this machine has."""
    if isinstance(value, str) and _has_rules(value):
        return value
    hint = resembling(value, available_timezones()) if isinstance(value, str) else ""
    place.refuse(f"the name of a time zone{hint or ', such as Asia/Jakarta'}", value)
    return None


def _has_rules(called: str) -> bool:
    try:
        ZoneInfo(called)
    except (KeyError, ValueError, OSError):
        return False
    return True


def instant(value: object, place: Place) -> int | None:
    """A time with its zone, as in the files that hold no organisation's local times."""
    written = _written(value)
    if isinstance(written, datetime) and written.tzinfo:
        return to_ms(written)
    place.refuse("a time with its zone, such as 2026-03-01T15:00:00Z", value)
    return None


def day(value: object, place: Place) -> date | None:
    """A calendar day."""
    written = _written(value)
    if written is not None and not isinstance(written, datetime):
        return written
    place.refuse("a date such as 2026-07-01", value)
    return None


def _written(value: object) -> date | None:
    """What was written: a date, or a datetime with or without a zone. None for anything else."""
    if isinstance(value, str):
        match = _WRITTEN.fullmatch(value)
        try:
            value = match and (datetime if match[1] else date).fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, date) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None
    return None if isinstance(value, datetime) and value.microsecond % 1000 else value
