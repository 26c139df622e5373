"""Man pages of section 5, about files: the documents in docs/ as they are, turned from Markdown into roff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from manual import roff

_COMMENT = re.compile(r"\s*<!--.*?-->")
_READER = MarkdownIt("commonmark").enable("table")


def file_page(name: str, summary: str, program: str, documents: Sequence[Path], see: Sequence[str]) -> str:
    """The man page of a file. The first document is the page, each further one a section of it."""
    lines = [*roff.title(name, 5, program), roff.section("name"), f"{roff.escaped(name)} \\- {roff.escaped(summary)}"]
    for at, path in enumerate(documents):
        tokens = _READER.parse(_COMMENT.sub("", path.read_text(encoding="utf-8")))
        lines += [] if at else [roff.section("description")]
        lines += _Rendering(tokens, within=at > 0).lines()
    lines += [roff.section("see also"), *roff.text_lines(", ".join(roff.escaped(one) for one in see))]
    return roff.page(lines)


class _Rendering:
    """One document on its way into roff."""

    def __init__(self, tokens: Sequence[Token], *, within: bool) -> None:
        self._tokens = iter(tokens)
        self._within = within
        self._items: list[str] = []
        """The marks of the lists that are open."""

    def lines(self) -> list[str]:
        return [line for token in self._tokens for line in self._of(token)]

    def _of(self, token: Token) -> Iterable[str]:
        match token.type:
            case "heading_open":
                return self._heading(token.tag, next(self._tokens))
            case "paragraph_open":
                return self._paragraph(next(self._tokens))
            case "fence" | "code_block":
                return roff.example(token.content)
            case "table_open":
                return self._table()
            case _:
                return self._of_list(token.type)

    def _of_list(self, kind: str) -> list[str]:
        match kind:
            case "bullet_list_open" | "ordered_list_open":
                self._items.append("\\(bu" if kind.startswith("bullet") else "1.")
                return [".RS 2"] if len(self._items) > 1 else []
            case "bullet_list_close" | "ordered_list_close":
                self._items.pop()
                return [".RE"] if self._items else []
            case "list_item_open":
                return [f'.IP "{self._mark()}" 3']
            case _:
                return []

    def _mark(self) -> str:
        mark = self._items[-1]
        if mark != "\\(bu":
            self._items[-1] = f"{int(mark[:-1]) + 1}."
        return mark

    def _heading(self, tag: str, inline: Token) -> list[str]:
        if tag == "h1":
            return [roff.section(inline.content)] if self._within else []
        if tag == "h2" and not self._within:
            return [roff.section(_plain(inline))]
        return [roff.subsection(roff.escaped(_plain(inline)))]

    def _paragraph(self, inline: Token) -> list[str]:
        return [*([] if self._items else [".PP"]), *roff.text_lines(_inline(inline))]

    def _table(self) -> Iterator[str]:
        rows: list[list[Token]] = []
        for token in self._tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        head, *body = rows
        for first, *rest in body:
            cells = sorted(zip(head[1:], rest, strict=False), key=lambda pair: pair[0].content == "default")
            yield from roff.tagged(_inline(first), " ".join(_cell(name, cell) for name, cell in cells))


def _cell(head: Token, cell: Token) -> str:
    """A cell of a row as a sentence; that of a default says what it is."""
    text = _inline(cell)
    if head.content == "default":
        return {"needed": "Needed.", "required": "Required.", "none": "", "": ""}.get(cell.content, f"Default: {text}.")
    if head.content == "meaning" and text:
        return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
    return f"{_plain(head).capitalize()}: {text}." if head.content and text else text


def _plain(inline: Token) -> str:
    return "".join(one.content for one in inline.children or ())


def _inline(inline: Token) -> str:
    """The text of a paragraph or cell as roff, links as their words."""
    parts: list[str] = []
    for one in inline.children or ():
        match one.type:
            case "code_inline":
                parts.append(roff.bold(one.content))
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "strong_open" | "em_open":
                parts.append("\\fI")
            case "strong_close" | "em_close":
                parts.append("\\fP")
            case _:
                parts.append(roff.escaped(one.content))
    return "".join(parts)
