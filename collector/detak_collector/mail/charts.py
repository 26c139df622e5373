"""The pictures of a mail: narrower than a report's, so that their words can be read on a telephone too. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from detak_collector.report.drawing import Box, Drawing, Ink, Shape, Stroke, Words

WIDTH = 320.0
HAIR = 1.5
"""The least that something greater than nothing is drawn long."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One month. `value` None: there is no figure. `bold`: it is what the mail is about."""

    label: str
    value: Fraction | None
    target: Fraction
    text: str
    over: bool
    bold: bool


def gauge(figure: Fraction, target: Fraction, mark_words: str, told: str) -> Drawing:
    """The figure against its target on one scale."""
    scale = float(max(figure * Fraction(11, 10), target * Fraction(8, 5))) or 1.0
    mark = float(target) / scale * WIDTH
    at_end = mark > WIDTH / 2
    length = max(float(figure) / scale * WIDTH, HAIR) if figure else 0.0
    shapes: tuple[Shape, ...] = (
        Box(0, 17, WIDTH, 14, Ink.PALE),
        Box(0, 17, length, 14, Ink.MISSED if figure > target else Ink.MET),
        Stroke(mark, 12, mark, 36, Ink.TEXT, 1.5),
        Words(mark - 4 if at_end else mark + 4, 11, mark_words, Ink.TEXT, 11, "end" if at_end else "start", bold=True),
    )
    return Drawing(WIDTH, 38, shapes, told)


def months(bars: Sequence[Bar], mark_words: str, told: str) -> Drawing:
    """The months of a year beside each other, each with its target across it."""
    floor, roof, step = 112.0, 34.0, WIDTH / 12
    most = max([*(bar.value or Fraction(0) for bar in bars), *(bar.target for bar in bars)], default=Fraction(0))
    scale = (floor - roof) / float(most) if most else 0.0
    shapes: list[Shape] = [
        Stroke(0, 7, 16, 7, Ink.TEXT, 1.2, dashed=True),
        Words(20, 11, mark_words, Ink.QUIET, 10),
        Stroke(0, floor, WIDTH, floor, Ink.GRID, 1),
    ]
    for place, bar in enumerate(bars):
        shapes += _bar(bar, place * step, step, floor, scale)
    return Drawing(WIDTH, 130, tuple(shapes), told)


def _bar(bar: Bar, left: float, step: float, floor: float, scale: float) -> list[Shape]:
    middle, shapes = left + step / 2, list[Shape]()
    top = floor
    if bar.value:
        tall = max(float(bar.value) * scale, HAIR)
        top = floor - tall
        shapes.append(Box(middle - 8, top, 16, tall, Ink.MISSED if bar.over else Ink.MET))
    at = floor - float(bar.target) * scale
    shapes.append(Stroke(left + 1, at, left + step - 1, at, Ink.TEXT, 1.2, dashed=True))
    if bar.bold:
        anchor, x = ("end", left + step) if middle > WIDTH - 40 else ("middle", max(middle, 20.0))
        # Upon its own bar, and not across the line of the target.
        foot = top if top - 18 > at else min(top, at)
        shapes.append(Words(x, foot - 4, bar.text, Ink.TEXT, 10, anchor, bold=True))
    ink = Ink.TEXT if bar.bold or bar.over else Ink.QUIET
    shapes.append(Words(middle, floor + 13, bar.label, ink, 10, "middle", bold=bar.bold))
    return shapes
