"""Drawings as inline SVG: no script, no style sheet, nothing fetched."""

from __future__ import annotations

from html import escape

from detak_collector.report.drawing import Box, Drawing, Shape, Stroke, Words


def svg(drawing: Drawing) -> str:
    """The drawing as an `<svg>` element that scales with its column."""
    told = escape(drawing.told)
    inside = "".join(_shape(shape) for shape in drawing.shapes)
    return (
        f'<svg viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" role="img" aria-label="{told}">'
        f"<title>{told}</title>{inside}</svg>"
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Box():
            return (
                f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}" '
                f'fill="{shape.ink.value}"/>'
            )
        case Stroke():
            dashes = ' stroke-dasharray="4 2.5"' if shape.dashed else ""
            return (
                f'<line x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}" y2="{_n(shape.y2)}" '
                f'stroke="{shape.ink.value}" stroke-width="{_n(shape.width)}"{dashes}/>'
            )
        case Words():
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{shape.ink.value}" '
                f'text-anchor="{shape.anchor}"{weight}>{escape(shape.text)}</text>'
            )


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
