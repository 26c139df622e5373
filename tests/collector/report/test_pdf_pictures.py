"""The PDF as it looks: its first page and its months, kept as pictures that somebody has looked at."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from detak_collector.report.effects import effects, from_facts
from detak_collector.report.formats import FORMATS, Order
from detak_collector.translation import LANGUAGES
from pictures import difference, keep, pages
from report_cases import report

GOLDEN = Path(__file__).parent / "golden"
HEAD = "4711:" + "9f86d081" * 8
SHOWN = {"first": 0, "months": 1}


@cache
def drawn(code: str) -> tuple[Image.Image, ...]:
    result = replace(report(), ledger=HEAD, drills=frozenset({"x1"}))
    return tuple(pages(FORMATS["pdf"].made(result, Order(code, effects=effects(result, from_facts(result))))))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("page", SHOWN)
def test_a_page_looks_as_it_did_when_somebody_looked_at_it(page: str, code: str, tmp_path: Path) -> None:
    """After a change that is meant: run with DETAK_GOLDEN=write, and look at what was written."""
    picture, path = drawn(code)[SHOWN[page]], GOLDEN / f"{page}-{code}.png"
    if os.environ.get("DETAK_GOLDEN") == "write":
        keep(picture, path)
    told = difference(picture, Image.open(path))
    if told:
        keep(picture, tmp_path / path.name)
    assert not told, f"{path.name}: {told}; what it looks like now is in {tmp_path}"


def test_another_figure_another_language_and_a_moved_line_look_different() -> None:
    (first, *_), (english, *_) = drawn("id"), drawn("en")
    assert difference(first, english)
    moved = Image.new("RGB", first.size, "white")
    moved.paste(first, (0, 4))
    assert difference(first, moved)
    result = replace(report(), ledger=HEAD)
    other = replace(result, figure=replace(result.figure, counted_ms=result.figure.counted_ms + 200_000))
    assert difference(first, pages(FORMATS["pdf"].made(other, Order("id")))[0])
