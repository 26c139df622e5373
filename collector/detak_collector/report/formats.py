"""The one list of the report's formats: what each is made by, and whether it is for people or for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from detak_collector.downtime.derive import Result
from detak_collector.report.delimited import TABLES, delimited
from detak_collector.report.progress import Progress, Unwatched
from detak_collector.report.stated import whole_document

if TYPE_CHECKING:
    from detak_collector.report.paper import Paper


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: the language of what people read, the rows of a CSV, and who is told how far it has come.

    `effects` are those of `effects.py`, None where they were not measured.
    """

    language: str = "en"
    table: str = TABLES[0]
    progress: Progress = field(default_factory=Unwatched)
    effects: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """`made` gives its bytes. `worded`: a language decides what it says. `binary`: it is nothing for a terminal.

    `whole`: it shows all that makes the figure, so that it cannot have the rows of one service alone.
    """

    made: Callable[[Result, Order], bytes]
    worded: bool = False
    binary: bool = False
    whole: bool = False


def _json(result: Result, order: Order) -> bytes:
    return msgspec.json.format(msgspec.json.encode(whole_document(result, order.effects)), indent=2) + b"\n"


def _csv(result: Result, order: Order) -> bytes:
    return delimited(result, order.table, order.effects)


# The libraries of these three take a second to load, which no other command should wait for.
def _html(result: Result, order: Order) -> bytes:
    from detak_collector.report.html import html  # noqa: PLC0415
    from detak_collector.report.write import paper  # noqa: PLC0415
    from detak_collector.translation.language import language  # noqa: PLC0415

    return html(paper(result, language(order.language), order.effects or {}), order.progress)


def _pdf(result: Result, order: Order) -> bytes:
    from detak_collector.report.pdf import pdf  # noqa: PLC0415
    from detak_collector.report.write import paper  # noqa: PLC0415
    from detak_collector.translation.language import language  # noqa: PLC0415

    return pdf(paper(result, language(order.language), order.effects or {}), order.progress)


def set_in(paper: Paper, form: str) -> bytes:
    """A paper of another kind in a form that people read: `html`, `pdf`, or as plain text."""
    if form == "pdf":
        from detak_collector.report.pdf import pdf  # noqa: PLC0415

        return pdf(paper, Unwatched())
    if form == "html":
        from detak_collector.report.html import html  # noqa: PLC0415

        return html(paper, Unwatched())
    from detak_collector.report.paper_text import paper_text  # noqa: PLC0415

    return paper_text(paper).encode()


def _xlsx(result: Result, order: Order) -> bytes:
    from detak_collector.report.xlsx import xlsx  # noqa: PLC0415
    from detak_collector.translation.language import language  # noqa: PLC0415

    return xlsx(result, language(order.language), order.progress, order.effects or {})


FORMATS = {
    "json": Format(_json),
    "html": Format(_html, worded=True, whole=True),
    "csv": Format(_csv),
    "xlsx": Format(_xlsx, worded=True, binary=True, whole=True),
    "pdf": Format(_pdf, worded=True, binary=True, whole=True),
}
"""Beside these there is `text`, which a terminal shows."""
