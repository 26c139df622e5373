"""The first page in a PDF: one page, whatever the lengths of names, with the signatures at its foot."""

from __future__ import annotations

from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, KeepInFrame, PageBreak, Paragraph, Spacer

from detak_collector.report.drawing import Ink
from detak_collector.report.paper import FirstPage
from detak_collector.report.pdf_drawing import Picture
from detak_collector.report.pdf_fonts import BOLD, PLAIN, legible, paragraph

TEXT, QUIET = HexColor(Ink.TEXT.value), HexColor(Ink.QUIET.value)
TONES = {"met": HexColor(Ink.MET.value), "missed": HexColor(Ink.MISSED.value), "none": QUIET}
BODY = ParagraphStyle("first", fontName=PLAIN, fontSize=10, leading=14.5, textColor=TEXT, spaceAfter=4)
SMALL = ParagraphStyle("small", BODY, textColor=QUIET)
ORGANISATION = ParagraphStyle("organisation", BODY, fontName=BOLD, spaceBefore=10)
TITLE = ParagraphStyle("title", BODY, fontName=BOLD, fontSize=20, leading=25, spaceAfter=2)
HEADING = ParagraphStyle("heading", BODY, fontName=BOLD, fontSize=11.5, leading=15, spaceBefore=13, spaceAfter=3)
SUMMARY = ParagraphStyle("summary", BODY, fontSize=11.5, leading=16.5, spaceBefore=9)
SIGNERS_TALL = 112.0


def first_page(first: FirstPage, width: float, height: float) -> list[Flowable]:
    """The page, and the break after it."""
    told: list[Flowable] = [
        Band(width, TONES[first.tone]),
        paragraph(first.organisation, ORGANISATION),
        paragraph(first.title, TITLE),
    ]
    told += [paragraph(one, SMALL) for one in (first.period, first.standing) if one]
    told.append(Headline(first, width))
    if first.gauge is not None:
        told.append(Picture(first.gauge))
    told += [paragraph(first.summary, SUMMARY), paragraph(first.points_title, HEADING)]
    told += _points(first)
    told.append(paragraph(first.action_title, HEADING))
    told += [paragraph(one, BODY) for one in first.action]
    if first.points:
        told.append(Ruled(width))
    told += [paragraph(first.certainty_title, HEADING), paragraph(first.certainty, BODY)]
    whole = KeepInFrame(width, height - SIGNERS_TALL - 6, told, mode="shrink")
    return [Page(whole, Signatures(first, width), height), PageBreak()]


def _points(first: FirstPage) -> list[Flowable]:
    if not first.points:
        return [paragraph(first.points_empty, BODY)]
    style = ParagraphStyle("point", BODY, leftIndent=16, bulletIndent=0, bulletFontName=PLAIN, bulletFontSize=10)
    return [
        Paragraph(
            f"<b>{escape(legible(point.title))}</b><br/>{escape(legible(point.text))}", style, bulletText=f"{place}."
        )
        for place, point in enumerate(first.points, 1)
    ]


class Page(Flowable):
    """What is told at the top, the signatures at the foot."""

    def __init__(self, told: Flowable, signatures: Flowable, height: float) -> None:
        super().__init__()
        self.told, self.signatures, self.tall = told, signatures, height
        self.told_tall = 0.0

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:  # noqa: ARG002, N803 - reportlab's names
        """The whole page."""
        _, self.told_tall = self.told.wrapOn(self.canv, aW, self.tall - SIGNERS_TALL - 6)
        return aW, self.tall - 1

    def draw(self) -> None:
        """Both."""
        self.told.drawOn(self.canv, 0, self.tall - 1 - self.told_tall)
        self.signatures.drawOn(self.canv, 0, 0)


class Band(Flowable):
    """The coloured band at the head; the verdict in words stands below it."""

    def __init__(self, width: float, colour: Color) -> None:
        super().__init__()
        self.width, self.height, self.colour = width, 5, colour

    def draw(self) -> None:
        """It."""
        self.canv.setFillColor(self.colour)
        self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)


class Headline(Flowable):
    """The figure, and beside it the verdict above the target."""

    def __init__(self, first: FirstPage, width: float) -> None:
        super().__init__()
        self.first, self.width, self.height = first, width, 70

    def draw(self) -> None:
        """The figure at the left."""
        canvas, first = self.canv, self.first
        canvas.setFillColor(TEXT)
        canvas.setFont(BOLD, 46)
        canvas.drawString(0, 16, first.figure)
        beside = canvas.stringWidth(first.figure, BOLD, 46) + 26
        canvas.setFillColor(TONES[first.tone])
        room = self.width - beside
        for words, font, size, y in ((first.verdict, BOLD, 17.0, 34), (first.target, PLAIN, 10.0, 17)):
            canvas.setFont(font, min(size, size * room / max(canvas.stringWidth(words, font, size), 1.0)))
            canvas.drawString(beside, y, words)
            canvas.setFillColor(TEXT)


class Ruled(Flowable):
    """Two lines to write on."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.width, self.height = width, 46

    def draw(self) -> None:
        """The lines."""
        self.canv.setStrokeColor(HexColor(Ink.GRID.value))
        for y in (2, 24):
            self.canv.line(0, y, self.width, y)


class Signatures(Spacer):
    """Room for each signer beside the others."""

    def __init__(self, first: FirstPage, width: float) -> None:
        super().__init__(width, SIGNERS_TALL)
        self.first = first

    def draw(self) -> None:
        """Role, place and date, room, name."""
        gap = 34.0
        each = (self.width - gap * (len(self.first.signers) - 1)) / len(self.first.signers)
        for place, signer in enumerate(self.first.signers):
            left = place * (each + gap)
            self.canv.setFillColor(TEXT)
            self.canv.setFont(PLAIN, 10)
            self.canv.drawString(left, SIGNERS_TALL - 12, signer.role)
            for y, words in ((SIGNERS_TALL - 42, self.first.signing[0]), (11, self.first.signing[1])):
                self.canv.setStrokeColor(HexColor(Ink.GRID.value))
                self.canv.line(left, y, left + each, y)
                self.canv.setFillColor(QUIET)
                self.canv.setFont(PLAIN, 7.5)
                self.canv.drawString(left, y - 9, words)
