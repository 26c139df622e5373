"""The report as a PDF on A4, set from the same paper as the HTML, with its own fonts; equal input, equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
)

from detak_collector.report.drawing import Ink
from detak_collector.report.paper import Paper, Section, Table, shown
from detak_collector.report.pdf_drawing import Picture
from detak_collector.report.pdf_first import first_page
from detak_collector.report.pdf_fonts import BOLD, PLAIN, legible, paragraph, register_fonts
from detak_collector.report.pdf_rows import Grid, Rows
from detak_collector.report.progress import Progress

MARGIN, FOOT = 18 * mm, 20 * mm
WIDTH, HEIGHT = A4[0] - 2 * MARGIN, A4[1] - MARGIN - FOOT
ROOM_BELOW_HEADING = 120
"""Points that a page must have left for a chapter to begin on it: its heading with a few rows."""

BODY = ParagraphStyle("body", fontName=PLAIN, fontSize=9, leading=13, textColor=HexColor(Ink.TEXT.value), spaceAfter=4)
NOTE = ParagraphStyle("note", BODY, fontSize=7.5, leading=10.5, textColor=HexColor(Ink.QUIET.value), spaceBefore=2)
CHAPTER = ParagraphStyle("chapter", BODY, fontName=BOLD, fontSize=13, leading=17, spaceBefore=16, spaceAfter=5)
CAPTION = ParagraphStyle("caption", BODY, fontName=BOLD, spaceBefore=8, spaceAfter=2)


def pdf(paper: Paper, progress: Progress) -> bytes:
    """The whole file. Each row is a step when it is measured and when it is set."""
    progress.begin(2 * paper.size)
    register_fonts()
    out = BytesIO()
    document = BaseDocTemplate(
        out, pagesize=A4, title=paper.title, author=paper.first.organisation, lang=paper.language.code, invariant=1
    )
    frame = Frame(MARGIN, FOOT, WIDTH, HEIGHT, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates([PageTemplate(frames=[frame])])

    def sheets(file: str | IO[bytes], **settings: Any) -> Canvas:  # noqa: ANN401 - reportlab's own
        return _Sheets(paper, file, **settings)

    document.build([*first_page(paper.first, WIDTH, HEIGHT), *_sections(paper, progress)], canvasmaker=sheets)
    return out.getvalue()


def _sections(paper: Paper, progress: Progress) -> Iterator[Flowable]:
    for section in paper.sections:
        yield from _section(section, paper, progress)


def _section(section: Section, paper: Paper, progress: Progress) -> Iterator[Flowable]:
    opening: list[Flowable] = [Chapter(section.name, section.title)]
    opening += [paragraph(one, BODY) for one in section.sentences]
    for picture in section.pictures:
        opening += [Spacer(1, 4), Picture(picture.drawing), paragraph(picture.caption, NOTE)]
    yield CondPageBreak(ROOM_BELOW_HEADING)
    yield KeepTogether(opening)
    for table in section.tables:
        yield from _table(table, paper, progress)
    for note in section.notes:
        yield paragraph(note, NOTE)


def _table(table: Table, paper: Paper, progress: Progress) -> Iterator[Flowable]:
    if table.caption and (table.rows or table.empty):
        yield paragraph(table.caption, CAPTION)
    if not table.rows:
        if table.empty:
            yield paragraph(table.empty, BODY)
        return
    kinds = [column.kind for column in table.columns]
    grid = Grid.of([column.width for column in table.columns], [kind.is_number for kind in kinds], WIDTH)
    heading = grid.cells([column.heading for column in table.columns], BOLD)
    rows = []
    for row in table.rows:
        texts = [shown(value, kind, paper.language, paper.zone) for value, kind in zip(row, kinds, strict=True)]
        rows.append(grid.cells(texts))
        progress.step()
    yield Rows(grid, heading, rows, progress)
    yield Spacer(1, 6)


class Chapter(Paragraph):
    """A heading that the reader's outline leads to."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(escape(legible(title)), CHAPTER)
        self.name, self.title = name, title

    def draw(self) -> None:
        """The heading, marked."""
        self.canv.bookmarkPage(self.name)
        self.canv.addOutlineEntry(self.title, self.name)
        super().draw()


class _Sheets(Canvas):
    """Numbers its pages once all are known."""

    def __init__(self, paper: Paper, file: str | IO[bytes], **settings: Any) -> None:  # noqa: ANN401 - reportlab's own
        super().__init__(file, **settings)
        self._paper = paper
        self._kept: list[dict[str, object]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Keeps the page until the last one is there."""
        self._kept.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # not in its type stubs

    def save(self) -> None:
        """Every page with its foot."""
        for number, page in enumerate(self._kept, 1):
            self.__dict__.update(page)
            self._foot(number)
            super().showPage()
        super().save()

    def _foot(self, number: int) -> None:
        told = self._paper.page.format(page=number, pages=len(self._kept))
        self.setFont(PLAIN, 7)
        self.setFillColor(HexColor(Ink.QUIET.value))
        self.drawRightString(A4[0] - MARGIN, 11 * mm, told)
        if number > 1:
            self.drawString(MARGIN, 11 * mm, _shortened(legible(self._paper.footer)))


def _shortened(text: str) -> str:
    """As much of it as the foot of a page has room for."""
    room = WIDTH - 30 * mm
    if pdfmetrics.stringWidth(text, PLAIN, 7) <= room:
        return text
    while pdfmetrics.stringWidth(f"{text}…", PLAIN, 7) > room:
        text = text[:-1]
    return f"{text}…"
