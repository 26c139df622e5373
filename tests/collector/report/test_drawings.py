"""The charts: what is greater than nothing is seen, bars and targets share one scale, and words stay words."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.report.charts import HAIR, WIDTH, Bar, Beam, beams, columns, gauge
from detak_collector.report.drawing import Box, Drawing, Ink, Stroke, Words
from detak_collector.report.svg import svg

percents = st.fractions(0, 100)
TARGET = Fraction(1, 10)


def bar(value: Fraction | None, target: Fraction | None = TARGET) -> Bar:
    return Bar("Jan", value, "x", target, over=value is not None and target is not None and value > target)


def boxes(drawing: Drawing) -> list[Box]:
    return [shape for shape in drawing.shapes if isinstance(shape, Box)]


@given(st.lists(st.one_of(st.none(), percents), max_size=40))
def test_every_bar_lies_in_the_drawing_and_none_that_has_a_value_vanishes(values: list[Fraction | None]) -> None:
    drawing = columns([bar(value) for value in values], "target", "told")
    drawn = boxes(drawing)
    known = [value for value in values if value is not None]
    assert len(drawn) == len(known)
    assert all(box.height >= HAIR for box, value in zip(drawn, known, strict=True) if value)
    assert all(box.x >= 0 and box.x + box.width <= WIDTH + 0.01 and box.y >= 0 for box in drawn)


def test_a_bar_at_its_target_reaches_the_mark_and_one_of_half_the_target_half_of_it() -> None:
    drawing = columns([bar(TARGET), bar(TARGET / 2)], "target", "told")
    full, half = boxes(drawing)
    marks = [shape for shape in drawing.shapes if isinstance(shape, Stroke) and shape.dashed and shape.y1 > 6]
    assert abs(full.y - marks[0].y1) < 0.01
    assert abs(half.height * 2 - full.height) < 0.01


@given(percents, percents)
def test_the_gauge_holds_figure_and_target_whatever_they_are(figure: Fraction, target: Fraction) -> None:
    drawing = gauge(figure, target, ("bar", "target"), missed=figure > target, told="told")
    assert all(0 <= box.x + box.width <= WIDTH + 0.01 for box in boxes(drawing))
    assert all(0 <= shape.x1 <= WIDTH for shape in drawing.shapes if isinstance(shape, Stroke))


def test_steps_of_the_way_down_stand_where_the_ones_before_ended() -> None:
    drawing = beams([Beam("all", 0, 100, "", Ink.GROSS), Beam("left", 60, 40, "", Ink.LEFT)], "told")
    beds_and_bars = boxes(drawing)
    whole, left = beds_and_bars[1], beds_and_bars[3]
    assert abs(left.x + left.width - (whole.x + whole.width)) < 0.01
    assert abs(left.width - whole.width * 0.4) < 0.01


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs"))))
def test_words_in_a_drawing_are_never_markup(text: str) -> None:
    drawing = Drawing(10, 10, (Words(0, 0, text),), text)
    found = ET.fromstring(svg(drawing))
    assert "".join(found.itertext()) == text + text
    assert found.get("aria-label") == text
