"""Drawings in a PDF, in the same shapes as on screen."""

from __future__ import annotations

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from detak_collector.report.drawing import Box, Drawing, Shape, Stroke, Words
from detak_collector.report.pdf_fonts import BOLD, PLAIN, legible


class Picture(Flowable):
    """A drawing as wide as its column."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.drawing = drawing
        self.scale = 1.0

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:  # noqa: ARG002, N803 - reportlab's names
        """Scaled to the width there is."""
        self.scale = aW / self.drawing.width
        return aW, self.drawing.height * self.scale

    def draw(self) -> None:
        """Every shape, from the top left."""
        canvas = self.canv
        canvas.saveState()
        canvas.scale(self.scale, self.scale)
        for shape in self.drawing.shapes:
            _draw(canvas, shape, self.drawing.height)
        canvas.restoreState()


def _draw(canvas: Canvas, shape: Shape, height: float) -> None:
    match shape:
        case Box():
            canvas.setFillColor(HexColor(shape.ink.value))
            canvas.rect(shape.x, height - shape.y - shape.height, shape.width, shape.height, stroke=0, fill=1)
        case Stroke():
            canvas.setStrokeColor(HexColor(shape.ink.value))
            canvas.setLineWidth(shape.width)
            canvas.setDash([4, 2.5] if shape.dashed else [])
            canvas.line(shape.x1, height - shape.y1, shape.x2, height - shape.y2)
        case Words():
            canvas.setFillColor(HexColor(shape.ink.value))
            canvas.setFont(BOLD if shape.bold else PLAIN, shape.size)
            put = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            put[shape.anchor](shape.x, height - shape.y, legible(shape.text))
