"""A table of any length in a PDF: rows are measured once, and a page takes as many as fit, its heading repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from reportlab.lib.colors import HexColor
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable

from detak_collector.report.drawing import Ink
from detak_collector.report.pdf_fonts import BOLD, PLAIN, legible
from detak_collector.report.progress import Progress

SIZE, LEADING, PAD, GUTTER = 7.0, 9.0, 3.0, 8.0

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """One row: of each cell its lines, and how tall the row is."""

    lines: tuple[Lines, ...]
    height: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the columns stand: the left edge and width of each, and which hold numbers."""

    edges: tuple[float, ...]
    widths: tuple[float, ...]
    numbers: tuple[bool, ...]

    @staticmethod
    def of(weights: Sequence[int], numbers: Sequence[bool], whole: float) -> Grid:
        """Columns as wide as their weights say, with a gutter after each."""
        room = whole - GUTTER * (len(weights) - 1)
        widths = [room * weight / sum(weights) for weight in weights]
        edges, at = [], 0.0
        for width in widths:
            edges.append(at)
            at += width + GUTTER
        return Grid(tuple(edges), tuple(widths), tuple(numbers))

    def cells(self, texts: Sequence[str], font: str = PLAIN) -> Cells:
        """A row's texts, broken into lines where they are wider than their columns."""
        lines = tuple(_broken(legible(text), font, width) for text, width in zip(texts, self.widths, strict=True))
        return Cells(lines, max(map(len, lines)) * LEADING + 2 * PAD)


@lru_cache(maxsize=16_384)
def _broken(text: str, font: str, width: float) -> Lines:
    if stringWidth(text, font, SIZE) <= width:
        return (text,)
    lines: list[str] = []
    for line in simpleSplit(text, font, SIZE, width):
        lines += _cut(line, font, width)
    return tuple(lines)


def _cut(word: str, font: str, width: float) -> list[str]:
    """A word that is wider than its column, in pieces that are not."""
    pieces = []
    while len(word) > 1 and stringWidth(word, font, SIZE) > width:
        fits = next((size for size in range(len(word) - 1, 1, -1) if stringWidth(word[:size], font, SIZE) <= width), 1)
        pieces.append(word[:fits])
        word = word[fits:]
    return [*pieces, word]


class Rows(Flowable):
    """Rows `begin` to the last of a table, with its heading."""

    def __init__(self, grid: Grid, heading: Cells, rows: Sequence[Cells], progress: Progress, begin: int = 0) -> None:
        super().__init__()
        self.progress = progress
        self.grid, self.heading, self.rows, self.begin = grid, heading, rows, begin
        self.end = len(rows)

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:  # noqa: N803 - reportlab's names
        """How large it would be, all of it."""
        fits, height = self._fitting(aH)
        whole = fits == self.end
        return aW, height if whole else max(height, aH) + 1

    def split(self, aW: float, aH: float) -> list[Flowable]:  # noqa: ARG002, N803 - reportlab's names
        """What fits, and the rest; nothing where not even a row does."""
        fits, _ = self._fitting(aH)
        if fits == self.begin:
            return []
        head = Rows(self.grid, self.heading, self.rows, self.progress, self.begin)
        head.end = fits
        return [head, Rows(self.grid, self.heading, self.rows, self.progress, fits)]

    def _fitting(self, room: float) -> tuple[int, float]:
        height, at = self.heading.height, self.begin
        while at < self.end and height + self.rows[at].height <= room:
            height += self.rows[at].height
            at += 1
        return at, height

    def draw(self) -> None:
        """The heading, a rule, and each row with a fine one below it."""
        top = self.heading.height + sum(self.rows[at].height for at in range(self.begin, self.end))
        top = self._row(self.heading, top, Ink.QUIET, BOLD, Ink.QUIET)
        for at in range(self.begin, self.end):
            top = self._row(self.rows[at], top, Ink.TEXT, PLAIN, Ink.GRID)
        self.progress.step(self.end - self.begin)

    def _row(self, cells: Cells, top: float, ink: Ink, font: str, rule: Ink) -> float:
        canvas, grid = self.canv, self.grid
        canvas.setFillColor(HexColor(ink.value))
        canvas.setFont(font, SIZE)
        for lines, edge, width, number in zip(cells.lines, grid.edges, grid.widths, grid.numbers, strict=True):
            y = top - PAD - SIZE
            for line in lines:
                if number:
                    canvas.drawRightString(edge + width, y, line)
                else:
                    canvas.drawString(edge, y, line)
                y -= LEADING
        bottom = top - cells.height
        canvas.setStrokeColor(HexColor(rule.value))
        canvas.setLineWidth(0.4)
        canvas.line(0, bottom, grid.edges[-1] + grid.widths[-1], bottom)
        return bottom
