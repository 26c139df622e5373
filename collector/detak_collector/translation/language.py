"""One language: its sentences, numbers, lengths of time and dates. It rounds nothing but what it is asked to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo
from fractions import Fraction
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_decimal_symbol, get_group_symbol
from babel.support import NullTranslations

from detak_collector.report.numbers import decimal_text, moment_of
from detak_collector.translation.catalogues import translations_of
from detak_collector.translation.saying import Saying
from detak_collector.translation.saying import mark as mark  # noqa: PLC0414 - where what is said is marked

_LOCALES = {"en": Locale("en", "GB"), "id": Locale("id", "ID")}
_CLOCKS = {"en": ":", "id": "."}
"""What stands between hours and minutes: 08:00, and 08.00 by Indonesian rules."""


@dataclass(frozen=True, eq=False)
class Language:
    """A language with a catalogue. Instants and lengths are integer milliseconds."""

    code: str
    locale: Locale
    translations: NullTranslations
    decimal: str
    group: str
    clock: str

    def say(self, message: str, **named: str) -> str:
        """The sentence `message` in this language, with what is named in its braces."""
        told = self.translations.gettext(message)
        return told.format(**named) if named else told

    def count(self, one: str, many: str, number: int, **named: str) -> str:
        """The sentence about `number` things; `{number}` in it is that number."""
        return self.translations.ngettext(one, many, number).format(number=self.whole(number), **named)

    def told(self, text: str) -> str:
        """A text that may be a Saying, and then also what stands in it, in this language; any other as it is."""
        if not isinstance(text, Saying):
            return text
        named = {key: self.whole(one) if isinstance(one, int) else self.told(one) for key, one in text.named.items()}
        if text.many:
            return self.translations.ngettext(text.message, text.many, text.number).format(**named)
        return self.translations.gettext(text.message).format(**named)

    def listed(self, names: list[str]) -> str:
        """The names with commas, and *and* before the last."""
        if len(names) < 2:
            return "".join(names)
        return self.say("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])

    def whole(self, number: int) -> str:
        """`1.234` in Indonesian, `1,234` in English."""
        return f"{number:,}".replace(",", self.group)

    def decimals(self, value: Fraction, places: int) -> str:
        """A number with so many decimals, half up: `1.234,56` in Indonesian."""
        text = decimal_text(value, places)
        before, _, after = text.removeprefix("-").partition(".")
        sign = "-" if text.startswith("-") else ""
        return sign + self.whole(int(before)) + (f"{self.decimal}{after}" if places else "")

    def short(self, value: Fraction) -> str:
        """A number as somebody would write it: without zeros at its end."""
        return self.decimals(value, 6).rstrip("0").rstrip(self.decimal)

    def length(self, duration_ms: int) -> str:
        """A length for people, to the tenth of a second: `1 h 02 min 3.4 s`, `1 jam 02 mnt 3,4 dtk`."""
        sign, left = ("-", -duration_ms) if duration_ms < 0 else ("", duration_ms)
        hours, left = divmod(left, 3_600_000)
        minutes, left = divmod(left, 60_000)
        hour, minute, second = _units(self)
        seconds = f"{left // 1000}{self.decimal}{left % 1000 // 100} {second}"
        if hours:
            return f"{sign}{self.whole(hours)} {hour} {minutes:02d} {minute} {seconds}"
        return f"{sign}{minutes} {minute} {seconds}" if minutes else f"{sign}{seconds}"

    def clock_length(self, duration_ms: int) -> str:
        """A length as short as a column wants it, hours first: `1:02:03,4`."""
        sign, left = ("-", -duration_ms) if duration_ms < 0 else ("", duration_ms)
        hours, left = divmod(left, 3_600_000)
        minutes, left = divmod(left, 60_000)
        return f"{sign}{self.whole(hours)}:{minutes:02d}:{left // 1000:02d}{self.decimal}{left % 1000 // 100}"

    def spoken(self, duration_ms: int) -> str:
        """A length as somebody would say it, to the minute, or below an hour to the second; half up."""
        seconds = (duration_ms + 500) // 1000
        if seconds < 60:
            return self.count("{number} second", "{number} seconds", seconds)
        if seconds < 3600:
            whole, rest = divmod(seconds, 60)
            minutes = self.count("{number} minute", "{number} minutes", whole)
            seconds_left = self.count("{number} second", "{number} seconds", rest)
            return f"{minutes} {seconds_left}" if rest else minutes
        whole, rest = divmod((duration_ms + 30_000) // 60_000, 60)
        hours = self.count("{number} hour", "{number} hours", whole)
        minutes_left = self.count("{number} minute", "{number} minutes", rest)
        return f"{hours} {minutes_left}" if rest else hours

    def day(self, day: date) -> str:
        """`31 Desember 2026`."""
        return format_date(day, "d MMMM y", locale=self.locale)

    def month(self, day: date) -> str:
        """`Desember 2026`."""
        return format_date(day, "MMMM y", locale=self.locale)

    def short_month(self, day: date) -> str:
        """`Des`."""
        return format_date(day, "MMM", locale=self.locale)

    def moment(self, instant: int, zone: tzinfo) -> str:
        """`31 Desember 2026 pukul 08.00 WIB`."""
        local = moment_of(instant, zone)
        clock = f"{local:%H}{self.clock}{local:%M} {local:%Z}"
        return self.say("{day} at {clock}", day=self.day(local.date()), clock=clock)

    def stamp(self, instant: int, zone: tzinfo) -> str:
        """As short as a column wants it, to the second: `31 Des 2026 08.00.00`."""
        local = moment_of(instant, zone)
        return f"{_short_day(self.code, local.date())} {local:%H}{self.clock}{local:%M}{self.clock}{local:%S}"


@cache
def language(code: str) -> Language:
    """The language `code`, one of LANGUAGES."""
    locale = _LOCALES[code]
    return Language(
        code, locale, translations_of(code), get_decimal_symbol(locale), get_group_symbol(locale), _CLOCKS[code]
    )


@lru_cache(maxsize=8)
def _units(of: Language) -> tuple[str, str, str]:
    return of.say("h"), of.say("min"), of.say("s")


@lru_cache(maxsize=4096)
def _short_day(code: str, day: date) -> str:
    return format_date(day, "d MMM y", locale=_LOCALES[code])
