"""The plain text of a mail: what reads well in 72 columns, for people and programs without HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from detak_collector.mail.content import Summary, Table
from detak_collector.mail.notice import Notice

WIDTH = 72
INDENT = "  "


def text(mail: Summary) -> str:
    """The whole summary."""
    label = max(len(mail.figure_label), 7) + 2
    lines = [
        *_wrapped(mail.organisation), *_wrapped(mail.title), *_wrapped(mail.dates), "",
        *_wrapped(f"{mail.figure_label[:1].upper()}{mail.figure_label[1:]}:".ljust(label) + f" {mail.figure}"),
        *_wrapped(f"{mail.verdict}. {mail.target}."), *_wrapped(mail.so_far), *_wrapped(mail.standing), "",
        *_wrapped(mail.sentence),
    ]  # fmt: skip
    for title, body in _sections(mail):
        lines += ["", title.upper(), "", *body]
    lines += ["", "-" * WIDTH]
    for one in (*mail.notes, *mail.footer):
        lines += _wrapped(one)
    if mail.head:
        lines += ["", *_wrapped(mail.head_words), mail.head]
    return "\n".join(lines) + "\n"


def _sections(mail: Summary) -> Iterator[tuple[str, list[str]]]:
    if mail.points:
        yield mail.points_title, [line for one in mail.points for line in (*_item(one.title), *_under(one.text))]
    if mail.outages:
        lines = [line for one in mail.outages for line in (*_item(one.title), *_under(one.text), *_under(one.said))]
        yield mail.outages_title, [*lines, *_wrapped(mail.outages_more)]
    if mail.causes:
        label = max(len(one.label) for one in mail.causes)
        rows = [f"{one.label.ljust(label)}  {one.percent:>3} %  {one.text}" for one in mail.causes]
        yield mail.causes_title, [line for row in rows for line in _wrapped(row)]
    yield mail.services.title, list(_table(mail.services))
    yield mail.certainty_title, [*_wrapped(mail.certainty), *_wrapped(mail.waiting)]
    if mail.link:
        yield mail.link_words, [mail.link]


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        yield from _wrapped(table.empty)
        return
    every = [table.columns, *table.rows]
    widths = [max(len(row[at]) for row in every) for at in range(1, len(table.columns))]
    first = WIDTH - sum(widths) - 2 * len(widths)
    for row in every:
        name, *more = textwrap.wrap(row[0], first) or [""]
        cells = "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths, strict=True))
        yield f"{name.ljust(first)}{cells}"
        yield from more
    yield from _wrapped(table.more)


def notice_text(notice: Notice) -> str:
    """The whole of a mail that says that something waits."""
    lines = [*_wrapped(notice.title), "", *_wrapped(notice.sentence), ""]
    for one in notice.items:
        lines += [*_item(one.title), *(line for row in one.lines for line in _under(row)), f"{INDENT}{one.link}", ""]
    return "\n".join([*lines, "-" * WIDTH, *_wrapped(notice.footer)]) + "\n"


def _item(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent="* ", subsequent_indent=INDENT)


def _under(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _wrapped(words: str) -> Iterable[str]:
    return textwrap.wrap(words, WIDTH)
