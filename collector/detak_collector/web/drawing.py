"""Where things lie in the page's two drawings: the strip of days and the figure against its target. Pure geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter

from detak_collector.board.board import Day, FigureState
from detak_collector.translation.language import Language, mark
from detak_collector.web.present import ENGLISH, format_days, format_duration_ms

STRIP_DAYS = 90
STEP = 4
BAR = 3
HEIGHT = 32


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day: one bad second of it is drawn `least` high, more with the square root of its share."""

    field: str
    kind: str
    words: str
    least: int

    def of(self, day: Day) -> int:
        """Its length on that day."""
        length: int = getattr(day, self.field)
        return length


PARTS = (
    Part("counted_ms", "counted", mark("counted as downtime"), 12),
    Part("excluded_ms", mark("excluded"), mark("excluded"), 8),
    Part("degraded_ms", mark("degraded"), mark("degraded"), 8),
    Part("unobserved_ms", "unobserved", mark("not observed"), 8),
)
_lengths = attrgetter(*(part.field for part in PARTS))
PLAIN = {
    "up": mark("up throughout"),
    "before": mark("before the first evidence"),
    "closed": mark("outside the service's hours"),
}
STUB = 3
"""How high a day is drawn on which the service was not due."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of one day's bar, in the strip's units, `top` counted from above."""

    kind: str
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One day (`date`, by ISO) with something to tell, or a run of days with nothing: `path` draws them all at once."""

    days: str
    text: str
    left: int
    kind: str = "mixed"
    segments: tuple[Segment, ...] = ()
    path: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """The last days of one service."""

    marks: tuple[Mark, ...]
    summary: str

    @property
    def eventful(self) -> tuple[Mark, ...]:
        """The days with something to tell, latest first."""
        return tuple(mark for mark in reversed(self.marks) if mark.segments)


def strip(days: tuple[Day, ...], spoken: Language = ENGLISH) -> Strip:
    """At most the last 90 days, the last one at the right edge."""
    shown = days[-STRIP_DAYS:]
    offset = STRIP_DAYS - len(shown)
    marks: list[Mark] = []
    run: list[int] = []
    kinds = _kinds(shown)
    for index, day in enumerate(shown):
        if kinds[index] == "mixed":
            label, words = format_days(day.date, day.date, spoken), day_words(day, spoken)
            marks.append(Mark(label, words, (offset + index) * STEP, segments=segments(day), date=day.date))
            continue
        run.append(index)
        if index + 1 == len(shown) or kinds[index + 1] != kinds[index]:
            marks.append(_plain(shown, run, kinds[index], offset, spoken))
            run = []
    return Strip(tuple(marks), _summary(shown, kinds, spoken))


def _kinds(days: tuple[Day, ...]) -> list[str]:
    kinds: list[str] = []
    for day in days:
        unseen = day.unobserved_ms >= day.elapsed_ms
        if unseen and (not kinds or kinds[-1] == "before"):
            kinds.append("before")
        elif any(_lengths(day)):
            kinds.append("mixed")
        else:
            kinds.append("up" if day.elapsed_ms else "closed")
    return kinds


def _plain(days: tuple[Day, ...], run: list[int], kind: str, offset: int, spoken: Language) -> Mark:
    height = STUB if kind == "closed" else HEIGHT
    path = "".join(f"M{(offset + index) * STEP} {HEIGHT}h{BAR}v-{height}h-{BAR}z" for index in run)
    label = format_days(days[run[0]].date, days[run[-1]].date, spoken)
    return Mark(label, spoken.say(PLAIN[kind]), (offset + run[0]) * STEP, kind, path=path)


def segments(day: Day) -> tuple[Segment, ...]:
    """The day's bar from the bottom up: each part that is there is visible, what was up is the rest above them."""
    heights = {}
    whole = max(day.elapsed_ms, sum(_lengths(day)))
    for part in PARTS:
        if part.of(day) > 0:
            heights[part.kind] = max(part.least, round(HEIGHT * math.sqrt(part.of(day) / whole)))
    while sum(heights.values()) > HEIGHT:
        heights[max(heights, key=lambda kind: heights[kind])] -= 1
    drawn: list[Segment] = []
    bottom = HEIGHT
    for kind, height in heights.items():
        bottom -= height
        drawn.append(Segment(kind, bottom, height))
    return (Segment("up", 0, bottom), *drawn) if bottom > 0 else tuple(drawn)


def day_words(day: Day, spoken: Language = ENGLISH) -> str:
    """What happened on a day: `12 min 00 s counted as downtime, 3 h 00 min not observed`."""
    told = [
        f"{format_duration_ms(part.of(day), spoken)} {spoken.say(part.words)}" for part in PARTS if part.of(day) > 0
    ]
    return ", ".join(told) or spoken.say(PLAIN["up"])


def _summary(days: tuple[Day, ...], kinds: list[str], spoken: Language) -> str:
    if "up" not in kinds and "mixed" not in kinds:
        return spoken.say("Nothing observed yet")
    quiet = _days(kinds.count("up"), spoken)
    told = [f"{quiet} {spoken.say(PLAIN['up'])}"]
    seen = [day for day, kind in zip(days, kinds, strict=True) if kind == "mixed"]
    for part in PARTS:
        lengths = [part.of(day) for day in seen if part.of(day)]
        if lengths:
            length, words = format_duration_ms(sum(lengths), spoken), spoken.say(part.words)
            days_long = _days(len(lengths), spoken)
            told.append(spoken.say("{length} {what} on {days}", length=length, what=words, days=days_long))
    return spoken.say("Last {days}: {told}", days=_days(len(days), spoken), told=", ".join(told))


def _days(number: int, spoken: Language) -> str:
    return spoken.count("{number} day", "{number} days", number)


@dataclass(frozen=True, slots=True)
class Gauge:
    """The figure against its target: positions in percent of the drawing's width. `beyond`: possible is off its end."""

    certain: str
    counted: str
    possible: str
    target: str
    beyond: bool


def gauge(figure: FigureState) -> Gauge:
    """A scale on which the target stays in sight: it ends at four times the target at most."""
    possible = figure.possible_percent or Fraction(0)
    end = min(max(figure.target_percent * Fraction(8, 5), possible * Fraction(11, 10)), figure.target_percent * 4)
    end = end or max(possible, Fraction(1))

    def place(percent: Fraction | None) -> str:
        return f"{float(min((percent or Fraction(0)) / end, Fraction(1)) * 100):.2f}%"

    return Gauge(
        place(figure.certain_percent),
        place(figure.percent),
        place(possible),
        place(figure.target_percent),
        possible > end,
    )
