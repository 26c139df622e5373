"""The report as one HTML file: style and drawings inside it, no script, nothing fetched; it prints to A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from detak_collector.report.drawing import Drawing
from detak_collector.report.paper import Kind, Paper, Value, shown
from detak_collector.report.progress import Progress
from detak_collector.report.svg import svg


def html(paper: Paper, progress: Progress) -> bytes:
    """The whole file, UTF-8. Everything that came from outside is escaped by the template."""
    progress.begin(paper.size)

    def told_of(rows: Sequence[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
        for row in rows:
            yield row
            progress.step()

    def cell(value: Value, kind: Kind) -> str:
        return shown(value, kind, paper.language, paper.zone)

    told: str = _template().render(
        paper=paper,
        first=paper.first,
        cell=cell,
        exact=Kind.EXACT,
        moment=Kind.MOMENT,
        drawing=_drawing,
        told_of=told_of,
        style=_style(),
    )
    return told.encode()


def _drawing(drawing: Drawing) -> Markup:
    return Markup(svg(drawing))  # noqa: S704 - svg() escapes every word in it


@cache
def _style() -> Markup:
    return Markup(resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8"))  # noqa: S704 - ours


@cache
def _template() -> Any:  # noqa: ANN401 - as jinja2 types it
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
