"""A time as another program writes it, as an instant. Pure. Where a local clock was put back, that is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from detak_collector.catalogue.moments import FIRST_YEAR, LAST_YEAR
from detak_collector.catalogue.place import Place
from detak_collector.downtime.periods import EPOCH, local_instant, to_ms
from detak_collector.past.mapping import EPOCH as SECONDS
from detak_collector.past.mapping import EPOCH_MS, ISO
from detak_collector.report.numbers import iso_utc

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?", re.ASCII)
_SUCH_AS = {ISO: "2026-03-01 09:12:33", SECONDS: "1700000000", EPOCH_MS: "1700000000000"}


@dataclass(frozen=True, slots=True)
class Instant:
    """When it was: at its first and its last occurrence, which differ where the clock was put back. `note`: of that."""

    first: int
    last: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """How times are written in a file."""

    forms: tuple[str, ...]
    zone: ZoneInfo

    def read(self, value: str, place: Place) -> Instant | None:
        """When that was; None where it was refused."""
        told = value.strip()
        for form in self.forms:
            found = self._by(form, told)
            if found is not None:
                return found
        place.refuse(f"a time such as {' or '.join(_SUCH_AS.get(form, form) for form in self.forms)}", value)
        return None

    def _by(self, form: str, told: str) -> Instant | None:
        if form in {SECONDS, EPOCH_MS}:
            return _numbered(told, 1_000 if form == SECONDS else 1)
        try:
            written = _iso(told) if form == ISO else datetime.strptime(told, form)  # noqa: DTZ007 - may be local
        except (ValueError, OverflowError, re.error):
            return None
        if written is None or not FIRST_YEAR <= written.year <= LAST_YEAR:
            return None
        if written.tzinfo is not None:
            return _once(to_ms(written))
        return self._local(written)

    def _local(self, wall: datetime) -> Instant:
        first, second = (to_ms(wall.replace(tzinfo=self.zone, fold=fold)) for fold in (0, 1))
        if first == second:
            return _once(first)
        clock = f"{wall:%Y-%m-%d %H:%M:%S}"
        if first < second:
            return Instant(first, second, f"{clock} came twice in {self.zone.key}, {iso_utc(first)} and "
                           f"{iso_utc(second)}: an outage begins at the first and ends at the last")  # fmt: skip
        at = local_instant(wall, self.zone)
        return Instant(at, at, f"{clock} never came in {self.zone.key}: taken as {iso_utc(at)}, when the clock was put "
                       "forward")  # fmt: skip


def _once(instant: int) -> Instant:
    return Instant(instant, instant)


def _iso(told: str) -> datetime | None:
    if not _ISO.fullmatch(told):
        return None
    written = datetime.fromisoformat(told.replace(" Z", "Z").replace(" +", "+").replace(" -", "-").replace(",", "."))
    return written.replace(microsecond=written.microsecond // 1_000 * 1_000)


def _numbered(told: str, factor: int) -> Instant | None:
    if not _NUMBER.fullmatch(told):
        return None
    instant = int(Decimal(told) * factor)
    try:
        year = (EPOCH + timedelta(milliseconds=instant)).astimezone(UTC).year
    except OverflowError:
        return None
    return _once(instant) if FIRST_YEAR <= year <= LAST_YEAR else None
