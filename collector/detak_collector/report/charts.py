"""The report's charts: numbers in, a drawing out. Pure geometry; what is written in them comes in as words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from detak_collector.report.drawing import Box, Drawing, Ink, Shape, Stroke, Words

WIDTH = 480.0
HAIR = 1.2
"""The least that something greater than nothing is drawn long."""

MOST_LABELLED = 16
"""More bars than these have no room for a number each."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An upright bar with its target. `value` None: there is no figure. `over`: it misses its target."""

    label: str
    value: Fraction | None
    text: str
    target: Fraction | None
    over: bool
    pale: bool = False


@dataclass(frozen=True, slots=True)
class Beam:
    """A bar that lies: from `begin`, `length` long, in one unit."""

    label: str
    begin: int
    length: int
    text: str
    ink: Ink
    bold: bool = False


def gauge(figure: Fraction, target: Fraction, words: tuple[str, str], *, missed: bool, told: str) -> Drawing:
    """The figure against its target on one scale; `words` are what the bar and the target's mark are called."""
    scale = float(max(figure * Fraction(23, 20), target * Fraction(8, 5))) or 1.0
    length, mark = float(figure) / scale * WIDTH, float(target) / scale * WIDTH
    at_end = mark > WIDTH * 0.6
    shapes: tuple[Shape, ...] = (
        Box(0, 20, WIDTH, 16, Ink.PALE),
        Box(0, 20, _visible(length, figure), 16, Ink.MISSED if missed else Ink.MET),
        Stroke(mark, 12, mark, 44, Ink.TEXT, 1.5),
        Words(mark - 4 if at_end else mark + 4, 10, words[1], Ink.TEXT, 8.5, "end" if at_end else "start", bold=True),
        Words(0, 50, words[0], Ink.QUIET, 8.5),
    )
    return Drawing(WIDTH, 54, shapes, told)


def columns(bars: Sequence[Bar], target_words: str, told: str) -> Drawing:
    """Upright bars beside each other, each with its target across it."""
    height, floor, roof = 150.0, 128.0, 22.0
    most = max([*(bar.value or 0 for bar in bars), *(bar.target or 0 for bar in bars)], default=0)
    scale = (floor - roof) / float(most) if most else 0.0
    step = min(WIDTH / max(len(bars), 1), 80.0)
    shapes: list[Shape] = [Stroke(0, floor, step * len(bars), floor, Ink.GRID, 1)]
    for place, bar in enumerate(bars):
        shapes += _column(bar, place * step, step, floor, scale, labelled=len(bars) <= MOST_LABELLED)
    if any(bar.target is not None for bar in bars):
        shapes += [Stroke(0, 6, 18, 6, Ink.TEXT, 1.2, dashed=True), Words(22, 9, target_words, Ink.QUIET, 8)]
    return Drawing(WIDTH, height, tuple(shapes), told)


def _column(bar: Bar, left: float, step: float, floor: float, scale: float, *, labelled: bool) -> list[Shape]:
    middle, width = left + step / 2, min(step * 0.62, 34.0)
    shapes: list[Shape] = []
    top = floor
    if bar.value is not None:
        tall = _visible(float(bar.value) * scale, bar.value)
        top = floor - tall
        ink = Ink.MISSED if bar.over else Ink.LEFT if bar.pale else Ink.MET
        shapes.append(Box(middle - width / 2, top, width, tall, ink))
    if bar.target is not None:
        at = floor - float(bar.target) * scale
        shapes.append(Stroke(left + 1, at, left + step - 1, at, Ink.TEXT, 1.2, dashed=True))
    if labelled:
        ink = Ink.TEXT if bar.value is not None else Ink.QUIET
        shapes.append(Words(middle, top - 3.5, bar.text, ink, 7, "middle", bold=bar.over))
    if labelled or bar.over:
        shapes.append(Words(middle, floor + 12, bar.label, Ink.QUIET, 8, "middle", bold=bar.over))
    return shapes


def beams(rows: Sequence[Beam], told: str) -> Drawing:
    """Lying bars below each other: name, bar, number."""
    tall, label_width, text_width = 20.0, 170.0, 108.0
    room = WIDTH - label_width - text_width
    end = max((row.begin + row.length for row in rows), default=0)
    scale = room / end if end else 0.0
    shapes: list[Shape] = []
    for place, row in enumerate(rows):
        y = place * tall
        shapes.append(Words(0, y + 13.5, row.label, Ink.TEXT, 8, bold=row.bold))
        shapes.append(Box(label_width, y + 4, room, 13, Ink.PALE))
        length = _visible(row.length * scale, Fraction(row.length))
        shapes.append(Box(label_width + min(row.begin * scale, room - length), y + 4, length, 13, row.ink))
        shapes.append(Words(WIDTH, y + 13.5, row.text, Ink.TEXT, 8, "end", bold=row.bold))
    return Drawing(WIDTH, max(len(rows) * tall, tall), tuple(shapes), told)


def _visible(length: float, value: Fraction) -> float:
    return max(length, HAIR) if value else 0.0
