"""Drawings as PNG, which every mail program shows: SVG few do. Drawn by Pillow, which the PDF's library brings."""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from detak_collector.report.drawing import Box, Drawing, Shape, Stroke, Words

SCALE = 4
"""Pixels to a point: sharp also on a telephone."""

DASH, GAP = 4.0, 2.5
COLOURS = 64
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(drawing: Drawing) -> bytes:
    """The drawing on white."""
    image = Image.new("RGB", (round(drawing.width * SCALE), round(drawing.height * SCALE)), "white")
    pen = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        _draw(pen, shape)
    written = BytesIO()
    image.quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


def _draw(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    match shape:
        case Box():
            right, bottom = shape.x + shape.width, shape.y + shape.height
            if shape.width > 0 and shape.height > 0:
                pen.rectangle(_scaled(shape.x, shape.y, right, bottom), fill=shape.ink.value)
        case Stroke():
            width = max(round(shape.width * SCALE), 1)
            for piece in _pieces(shape):
                pen.line(_scaled(*piece), fill=shape.ink.value, width=width)
        case Words():
            place = (shape.x * SCALE, shape.y * SCALE)
            font = _font(round(shape.size * SCALE), bold=shape.bold)
            pen.text(place, shape.text, fill=shape.ink.value, font=font, anchor=_ANCHORS[shape.anchor])


def _pieces(line: Stroke) -> list[tuple[float, float, float, float]]:
    """The whole line, or its dashes where it lies."""
    if not line.dashed:
        return [(line.x1, line.y1, line.x2, line.y2)]
    pieces, x = list[tuple[float, float, float, float]](), line.x1
    while x < line.x2:
        pieces.append((x, line.y1, min(x + DASH, line.x2), line.y2))
        x += DASH + GAP
    return pieces


def _scaled(*edges: float) -> list[int]:
    return [round(edge * SCALE) for edge in edges]


@cache
def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    name = "NotoSans-Bold.ttf" if bold else "NotoSans-Regular.ttf"
    content = resources.files("detak_collector.report").joinpath("fonts", name).read_bytes()
    return ImageFont.truetype(BytesIO(content), size)
