"""What people type, made plain and judged: line ends, lengths, characters that nobody sees. Pure."""

from __future__ import annotations

import unicodedata

from detak_collector.annotations.faults import NO_LINE_BREAK, TOO_LONG, UNSHOWN, Fault


def plain(typed: str) -> str:
    """The text with one kind of line end, no blanks at the ends of lines, and letters in their composed form."""
    lines = unicodedata.normalize("NFC", typed).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.replace("\t", " ").rstrip() for line in lines).strip()


def fault_of(field: str, text: str, most: int, *, lines: bool = False) -> Fault | None:
    """What is wrong with a plain text; with `lines` it may have several."""
    if len(text) > most:
        return Fault(field, TOO_LONG, {"most": str(most), "number": str(len(text))})
    if not lines and "\n" in text:
        return Fault(field, NO_LINE_BREAK)
    # Also what turns the direction of writing: a line could be read as another one than it is.
    if not text.replace("\n", "").isprintable():
        return Fault(field, UNSHOWN)
    return None
