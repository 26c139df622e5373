"""Text as man pages have it: the macros of man(7), escaped so that nothing in it is taken for one."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

_WIDTH = 78
_MARKED = re.compile(r"`([^`]+)`")


def escaped(text: str) -> str:
    """As it is to be read: a backslash, a hyphen, a dot that begins a line."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", safe, flags=re.MULTILINE)


def bold(text: str) -> str:
    """Words that are typed as they stand."""
    return f"\\fB{escaped(text)}\\fP" if text else ""


def italic(text: str) -> str:
    """A word that stands for another one."""
    return f"\\fI{escaped(text)}\\fP" if text else ""


def marked(text: str) -> str:
    """A text in which what stands between backticks is bold."""
    parts = _MARKED.split(text)
    return "".join(bold(part) if at % 2 else escaped(part) for at, part in enumerate(parts))


def text_lines(text: str) -> list[str]:
    """Running text, broken between words and never taken for a macro."""
    words = " ".join(text.split())
    broken = textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_no_macro(one) for one in broken]


def _no_macro(text: str) -> str:
    return f"\\&{text}" if text.startswith((".", "'")) else text


def title(name: str, section: int, program: str) -> list[str]:
    """The first lines of a page. It names no date and no version: a page changes only with what it says."""
    comment = '.\\" Made by `make manuals`; change the program or the document, not this file.'
    return [comment, f'.TH "{escaped(name.upper())}" "{section}" "" "{program}" "Detak"', ".nh", ".ad l"]


def section(heading: str) -> str:
    """A section's heading."""
    return f'.SH "{escaped(heading.upper())}"'


def subsection(heading: str) -> str:
    """A heading within a section."""
    return f'.SS "{heading}"'


def tagged(tag: str, text: str) -> list[str]:
    """A term and what it means; both are roff already."""
    return [".TP", _no_macro(" ".join(tag.split())), *(text_lines(text) or ["\\&"])]


def example(text: str) -> list[str]:
    """Lines that stay as they are."""
    lines = [escaped(one) if one.strip() else "\\&" for one in text.rstrip().splitlines()]
    return [".PP", ".RS 4", ".nf", *lines, ".fi", ".RE"]


def page(lines: Iterable[str]) -> str:
    """The whole page. Directly below a heading a paragraph needs no mark."""
    kept: list[str] = []
    for one in lines:
        if one == ".PP" and kept and kept[-1].startswith((".SH", ".SS", ".PP")):
            continue
        kept.append(one)
    return "\n".join(kept) + "\n"
