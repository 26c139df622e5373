"""What of a page in Indonesian is English: words of our own sentences that none of their translations has."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from babel.messages.pofile import read_po

from browser.fabricated import HOSTILE, LONG

LEFT_OUT = re.compile(r"<(style|code|pre)\b.*?</\1>|<!--.*?-->", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
NO_WORDS = re.compile(r"{\w+}|`[^`]*`|\b[\w-]+\.(?:toml|ics)\b|\w+_\w+|[0-9a-f]{16,}|\S+(?:@|://)\S+")
"""Names, commands, files, keys, digests and addresses."""

OTHERS = (
    "connection refused", "so be it", "the battery of the UPS is replaced", "alert('name')", HOSTILE, LONG,
)  # fmt: skip
"""What checks said and people wrote on the stage."""

ALIKE = {"min", "up", "percent"}
"""Sunday as Indonesians shorten it, what a check of that name is called, and a name in a report's table of numbers."""

TEXTS = """() => {
    if (document.documentElement.lang !== 'id') return [];
    const skipped = 'code, pre, kbd, textarea, script, style, [lang=en], .audit .body';
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [document.title];
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest(skipped)) found.push(walker.currentNode.data);
    for (const name of ['aria-label', 'title', 'data-label', 'placeholder'])
        for (const one of document.querySelectorAll(`[${name}]`))
            if (!one.closest(skipped)) found.push(one.getAttribute(name));
    return found;
}"""
"""Gives a browser all that its page says, but for what is no language and what is marked as English."""


@cache
def english() -> frozenset[str]:
    """The words of the sentences, in small letters, without those that some translation has too."""
    with resources.files("detak_collector.translation").joinpath("id.po").open("rb") as content:
        messages = [one for one in read_po(content, locale="id") if one.id]
    sentences, translations = (words(texts) for texts in zip(*((one.id, one.string) for one in messages), strict=True))
    return frozenset(sentences - translations - ALIKE)


def words(texts: Iterable[object]) -> set[str]:
    every = (one for text in texts for one in ((text,) if isinstance(text, str) else text))  # type: ignore[attr-defined]
    return {word.lower() for one in every for word in WORD.findall(NO_WORDS.sub(" ", one))}


def english_in(texts: Iterable[str]) -> list[str]:
    """Those that have English words, with them."""
    found = {}
    for text in texts:
        own = " ".join(text.split())
        for other in OTHERS:
            own = own.replace(other, " ")
        wrong = words([own]) & english()
        if wrong:
            found[own[:200]] = sorted(wrong)
    return [f"{text!r} has {', '.join(wrong)}" for text, wrong in found.items()]


def texts_of(page: str) -> list[str]:
    """What a page in HTML says, without attributes."""
    return [html.unescape(one) for one in re.findall(r">([^<]+)<", LEFT_OUT.sub("", page))]
