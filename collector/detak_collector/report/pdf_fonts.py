"""The PDF's own fonts, which have every Latin, Greek and Cyrillic letter, and what is shown for a letter they lack."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

PLAIN, BOLD = "NotoSans", "NotoSans-Bold"
LACKING = "\N{REPLACEMENT CHARACTER}"


@cache
def register_fonts() -> frozenset[int]:
    """Makes the fonts known; the code points that both have."""
    known = []
    for name, file in ((PLAIN, "NotoSans-Regular.ttf"), (BOLD, "NotoSans-Bold.ttf")):
        font = TTFont(name, BytesIO(resources.files(__package__).joinpath("fonts", file).read_bytes()))
        pdfmetrics.registerFont(font)
        known.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return known[0] & known[1]


@lru_cache(maxsize=16_384)
def legible(text: str) -> str:
    """The text with a sign in the place of each letter that the fonts lack, so that none vanishes unseen."""
    known = register_fonts()
    if all(ord(letter) in known for letter in text):
        return text
    return "".join(letter if ord(letter) in known else LACKING for letter in text)


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """Plain words as a paragraph: nothing in them is markup, and no number is parted from its percent sign."""
    return Paragraph(escape(legible(text)).replace(" %", "\N{NO-BREAK SPACE}%"), style)
