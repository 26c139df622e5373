"""A paper as plain text: what a terminal shows of reports that are papers in every format."""

from __future__ import annotations

from collections.abc import Sequence

from detak_collector.report.paper import FirstPage, Kind, Paper, shown
from detak_collector.report.terminal import printable


def paper_text(paper: Paper) -> str:
    """The first page without its pictures and signatures, then every section."""
    first, language = paper.first, paper.language
    lines = [first.organisation, first.title, *([first.period] if first.period else []), "", _headline(first)]
    lines += [first.summary, ""]
    for section in paper.sections:
        lines += [section.title, *section.sentences]
        for table in section.tables:
            kinds = [one.kind for one in table.columns]
            cells = [[one.heading for one in table.columns]]
            cells += [
                [shown(value, kind, language, paper.zone) for value, kind in zip(row, kinds, strict=True)]
                for row in table.rows
            ]
            lines += _aligned(cells, kinds) if table.rows else [table.empty]
        lines += [*section.notes, ""]
    lines += [f"{first.action_title}: {' '.join(first.action)}", first.certainty]
    return "".join(f"{printable(line)}\n" for line in lines)


def _headline(first: FirstPage) -> str:
    beside = "" if first.target == first.figure_label else f". {first.target}"
    return f"{first.figure} {first.figure_label}{beside}; {first.verdict}"


def _aligned(cells: Sequence[Sequence[str]], kinds: Sequence[Kind]) -> list[str]:
    widths = [max(len(row[at]) for row in cells) for at in range(len(kinds))]
    return [
        "  ".join(
            text.rjust(width) if kind.is_number else text.ljust(width)
            for text, width, kind in zip(row, widths, kinds, strict=True)
        ).rstrip()
        for row in cells
    ]
