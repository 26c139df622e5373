"""Numbers, lengths and instants on pages in two languages: what templates say of values. Rounds only what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from detak_collector.board.board import Condition
from detak_collector.report.wording import cause_words, detail_words, reason_words, shown_words
from detak_collector.translation.language import Language, mark

NONE = "\N{EN DASH}"
LAST_MS = 253_402_128_000_000
CONDITIONS = {
    Condition.UP: mark("up"),
    Condition.DEGRADED: mark("degraded"),
    Condition.UNOBSERVED: mark("not observed"),
    Condition.PRESUMED_DOWN: mark("presumed down"),
    Condition.DOWN: mark("down"),
}
SHOWN = {
    "degraded": mark("degraded"),
    "degraded: frozen": mark("degraded: the host stood still for a short time"),
    "not observed: agent": mark("not observed: the agent did not run"),
    "not observed: before its first report": mark("not observed: before its first report"),
    "not observed: check": mark("not observed: the check itself could not run"),
    "not observed: collector": mark("not observed: this collector was not watching"),
    "not observed: contradicted": mark("not observed: two records contradict each other"),
    "not observed: frozen": mark("not observed: the host stood still"),
    "not observed: isolated": mark("not observed: its node was cut off"),
    "not observed: lost": mark("not observed: records were lost"),
    "not observed: never reported": mark("not observed: never reported"),
    "not observed: no facts": mark("not observed: nothing is known"),
    "not observed: observer": mark("not observed: who looks at it could not"),
    "not observed: removed": mark("not observed: the check was not configured"),
    "not observed: starved": mark("not observed: the agent got no processor time"),
    "not observed: stopped": mark("not observed: the agent was stopped"),
    "not observed: two agents with one identity": mark("not observed: two agents with one identity"),
    "certain by the watchdog assumption": mark("certain by the watchdog assumption"),
}
"""Readings that only pages tell beside those of a report."""

DECLARED = {"down": mark("was down"), "up": mark("was up")}
CRITICAL = (mark("within the target"), mark("a little over the target"), mark("over the target"))
COLOURS = dict(zip(("green", "yellow", "red"), CRITICAL, strict=True))


@dataclass(frozen=True, slots=True)
class Telling:
    """To one kind of reader, at one moment (UTC ms)."""

    language: Language
    zone: ZoneInfo
    now: int

    def rate(self, percent: Fraction | None) -> str:
        """A figure with the four decimals in which it is published."""
        return NONE if percent is None else f"{self.language.decimals(percent, 4)} %"

    def target(self, percent: Fraction | None) -> str:
        """A target without the zeros at its end."""
        return NONE if percent is None else f"{self.language.short(percent)} %"

    def coverage(self, share: Fraction | None) -> str:
        """A share in percent, rounded down: 100 % is only said where nothing is missing."""
        if share is None:
            return NONE
        return f"{self.language.decimals(Fraction(int(share * 10_000), 100), 0 if share == 1 else 2)} %"

    def share(self, part: int, whole: int) -> str:
        """A part in percent of a whole."""
        return f"{self.language.decimals(Fraction(100 * part, whole), 1)} %" if whole else NONE

    def length(self, length_ms: int) -> str:
        """A length to the tenth of a second; a long one, which nobody adds up by hand, in days and hours."""
        days, left = divmod(abs(length_ms), 86_400_000)
        if days < 10:
            return self.language.length(length_ms)
        sign, hours, hour = "-" if length_ms < 0 else "", left // 3_600_000, self.language.say("h")
        told = self.language.count("{number} day", "{number} days", days)
        return f"{sign}{told} {hours} {hour}"

    def minutes(self, length_ms: int) -> str:
        """A length in minutes with one decimal."""
        minute = self.language.say("min")
        return f"{self.language.decimals(Fraction(length_ms, 60_000), 1)} {minute}"

    def stamp(self, instant: int) -> str:
        """An instant to the second."""
        return self.language.stamp(_shown(instant), self.zone)

    def until(self, begin: int, end: int) -> str:
        """The end of a stretch whose begin stands beside it: without the date where that is the same."""
        day = self.language.stamp(_shown(begin), self.zone).rpartition(" ")[0]
        return self.stamp(end).removeprefix(f"{day} ")

    def moment(self, instant: int) -> str:
        """An instant in words, with its zone."""
        return self.language.moment(_shown(instant), self.zone)

    def iso(self, instant: int) -> str:
        """An instant for machines."""
        return datetime.fromtimestamp(_shown(instant) // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def day(self, name: str) -> str:
        """A day of the calendar, as it is written in a board."""
        return self.language.day(date.fromisoformat(name))

    def whole(self, number: int) -> str:
        """A number of things."""
        return self.language.whole(number)

    def cause(self, cause: str) -> str:
        """The layer that failed."""
        return cause_words(cause, self.language)

    def reason(self, reason: str) -> str:
        """Why time is not counted, or what it was declared to be."""
        if reason in DECLARED:
            return self.language.say(DECLARED[reason])
        return reason_words(reason, self.language)

    def shown(self, shown_as: str) -> str:
        """How a stretch was read."""
        return reading_words(shown_as, self.language)

    def detail(self, detail: str) -> str:
        """What the checks of an outage said."""
        return detail_words(detail, self.language)

    def condition(self, condition: Condition) -> str:
        """What is known of something now."""
        return self.language.say(CONDITIONS[condition])

    def colour(self, colour: str | None) -> str:
        """What a colour of a month stands for."""
        return NONE if colour is None else self.language.say(COLOURS[colour])


def reading_words(shown_as: str, language: Language) -> str:
    """How a stretch was read; what is no known reading stands as it is."""
    return language.say(SHOWN[shown_as]) if shown_as in SHOWN else shown_words(shown_as, language)


def _shown(instant: int) -> int:
    return max(0, min(instant, LAST_MS))
