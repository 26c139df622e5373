"""What the tables of a terminal report share."""

from __future__ import annotations

from datetime import tzinfo
from fractions import Fraction

from rich.table import Table
from rich.text import Text

from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.report.numbers import decimal_text, moment_of

VERDICT_COLOURS = {"met": "green", "missed": "red", "undecided": "yellow", NOT_OBSERVED: "yellow"}


def plain_table(title: str, *headings: str, right: tuple[str, ...]) -> Table:
    """A table without lines; the columns named in `right` hold numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def percent_text(percent: Fraction | None) -> str:
    """A figure with the four decimals in which it is published."""
    return "-" if percent is None else f"{decimal_text(percent, 4)} %"


def coverage_text(share: Fraction | None) -> str:
    """The share of service time that was observed, in percent."""
    return f"{'-' if share is None else decimal_text(share * 100, 3)} %"


def plain_text(value: Fraction) -> str:
    """A number as somebody would write it: without the zeros at its end."""
    return decimal_text(value, 6).rstrip("0").rstrip(".")


def verdict_text(verdict: str | None) -> Text:
    """A verdict in its colour."""
    return Text(verdict or "-", style=VERDICT_COLOURS.get(verdict or "", ""))


def local_text(instant: int, zone: tzinfo) -> str:
    """An instant to the second, with its zone."""
    return moment_of(instant, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
