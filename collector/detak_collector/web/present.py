"""Numbers, lengths and instants as people read them on the status page: exact to the last step, in each language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from fractions import Fraction
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date

from detak_collector.translation.language import Language, language

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ENGLISH = language("en")
EN_DASH = "\N{EN DASH}"
REMEMBERED = 8_192
"""A page is drawn again and again, and most of its instants are those of the time before."""

LAST_MS = 253_402_128_000_000
"""The last instant that has a date in every zone. One node with a mad clock must not take the page from all."""


def format_percent(percent: Fraction | None, decimals: int = 4, spoken: Language = ENGLISH) -> str:
    """A percentage rounded half up from its exact value; a dash where there is none."""
    return EN_DASH if percent is None else f"{spoken.decimals(percent, decimals)} %"


def format_target(percent: Fraction, spoken: Language = ENGLISH) -> str:
    """A target as somebody would write it: without the zeros at its end."""
    return f"{spoken.short(percent)} %"


def format_coverage(share: Fraction | None, spoken: Language = ENGLISH) -> str:
    """A share of time in percent, rounded down: 100 % is only said where nothing is missing."""
    if share is None:
        return EN_DASH
    return "100 %" if share == 1 else f"{spoken.decimals(Fraction(int(share * 10_000), 100), 2)} %"


def format_minutes(length_ms: int, spoken: Language = ENGLISH) -> str:
    """A length in minutes with one decimal, half up."""
    return f"{spoken.decimals(Fraction(length_ms, MINUTE_MS), 1)} {units(spoken)[2]}"


def format_duration_ms(length_ms: int, spoken: Language = ENGLISH) -> str:
    """A length in its two largest units, never longer than it is: `12 min 03 s`, `5 h 07 min`, `3 d 4 h`."""
    day, hour, minute, second = units(spoken)
    if length_ms < SECOND_MS:
        return f"0 {second}" if length_ms <= 0 else spoken.say("under {length}", length=f"1 {second}")
    if length_ms < MINUTE_MS:
        return f"{length_ms // SECOND_MS} {second}"
    if length_ms < HOUR_MS:
        return f"{length_ms // MINUTE_MS} {minute} {length_ms % MINUTE_MS // SECOND_MS:02} {second}"
    if length_ms < DAY_MS:
        return f"{length_ms // HOUR_MS} {hour} {length_ms % HOUR_MS // MINUTE_MS:02} {minute}"
    return f"{spoken.whole(length_ms // DAY_MS)} {day} {length_ms % DAY_MS // HOUR_MS} {hour}"


@lru_cache(maxsize=8)
def units(spoken: Language) -> tuple[str, str, str, str]:
    """Day, hour, minute and second, as they stand behind a number."""
    return spoken.say("d"), spoken.say("h"), spoken.say("min"), spoken.say("s")


@lru_cache(maxsize=REMEMBERED)
def format_instant(instant_ms: int, zone: ZoneInfo, spoken: Language = ENGLISH) -> str:
    """An instant in full, with the zone: `Tue 24 Nov 2026, 02:14:05 WIB`."""
    return f"{format_date(_local(instant_ms, zone), spoken)}, {format_clock(instant_ms, zone, spoken)}"


def format_clock(instant_ms: int, zone: ZoneInfo, spoken: Language = ENGLISH) -> str:
    """Only the time of day, with the zone: `02:14:05 WIB`, `02.14.05 WIB` in Indonesian."""
    local = _local(instant_ms, zone)
    return f"{_time(local, spoken, seconds=True)} {_zone_name(local)}"


def format_date(day: date, spoken: Language = ENGLISH) -> str:
    """A day: `Tue 24 Nov 2026`."""
    return _day(day.toordinal(), "EEE d MMM y", spoken)


def format_days(first: str, last: str, spoken: Language = ENGLISH) -> str:
    """A day or a range of days, from their ISO dates."""
    begin = format_date(date.fromisoformat(first), spoken)
    return begin if first == last else f"{begin} {EN_DASH} {format_date(date.fromisoformat(last), spoken)}"


@lru_cache(maxsize=REMEMBERED)
def format_iso(instant_ms: int) -> str:
    """An instant for machines, in UTC with milliseconds."""
    return _local(instant_ms, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant_ms % 1000:03}Z"


@dataclass(frozen=True, slots=True)
class LocalTime:
    """One zone at one moment: says instants as briefly as they stay unmistakable there and then."""

    zone: ZoneInfo
    now: int
    spoken: Language = ENGLISH

    def full(self, instant_ms: int) -> str:
        """An instant in full."""
        return format_instant(instant_ms, self.zone, self.spoken)

    def clock(self, instant_ms: int) -> str:
        """The time of day alone."""
        return format_clock(instant_ms, self.zone, self.spoken)

    def brief(self, instant_ms: int, *, seconds: bool = False) -> str:
        """An instant without what today, or this year, makes plain: `02:14`, `23 Nov, 02:14`, `31 Dec 2025, 23:59`."""
        local, today = _local(instant_ms, self.zone), _local(self.now, self.zone)
        clock = _time(local, self.spoken, seconds=seconds)
        if local.date() == today.date():
            return clock
        form = "d MMM" if local.year == today.year else "d MMM y"
        return f"{_day(local.toordinal(), form, self.spoken)}, {clock}"

    def exact(self, instant_ms: int) -> str:
        """As briefly, but to the second."""
        return self.brief(instant_ms, seconds=True)

    def exact_end(self, begin_ms: int, end_ms: int) -> str:
        """The end of a range whose begin stands beside it: its date only where it is another day."""
        return LocalTime(self.zone, begin_ms, self.spoken).exact(end_ms)

    @property
    def zone_name(self) -> str:
        """What the zone is called there: `WIB`."""
        return _zone_name(_local(self.now, self.zone))


def filters(spoken: Language) -> dict[str, Callable[..., str]]:
    """What templates may call, by name, in a language."""
    return {
        "percent": partial(format_percent, spoken=spoken),
        "target": partial(format_target, spoken=spoken),
        "coverage": partial(format_coverage, spoken=spoken),
        "minutes": partial(format_minutes, spoken=spoken),
        "duration": partial(format_duration_ms, spoken=spoken),
        "iso": format_iso,
    }


@lru_cache(maxsize=4_096)
def _day(ordinal: int, form: str, spoken: Language) -> str:
    return babel_date(date.fromordinal(ordinal), form, locale=spoken.locale)


def _time(local: datetime, spoken: Language, *, seconds: bool) -> str:
    clock = f"{local:%H}{spoken.clock}{local:%M}"
    return f"{clock}{spoken.clock}{local:%S}" if seconds else clock


@lru_cache(maxsize=REMEMBERED)
def _local(instant_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(max(0, min(instant_ms, LAST_MS)) // SECOND_MS, zone)


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name[:3]}{':' + name[3:] if len(name) > 3 else ''}" if name[:1] in "+-" else name
