"""The figure in its course, for a terminal: the months with the year so far, and the years before with their source."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import is_year, local_year
from detak_collector.downtime.summary import months_of
from detak_collector.report.numbers import clock_text, length_text
from detak_collector.report.tables import coverage_text, percent_text, plain_table, plain_text, verdict_text
from detak_collector.report.terminal import printable


def year_so_far(result: Result) -> Text | None:
    """The year up to the period's end in one line; None where the period is that itself."""
    strip = months_of(result)
    totals = strip[-1].year_to_date if strip else None
    if result.year is None or totals is None or totals.percent is None:
        return None
    target = strip[-1].target_percent
    text = Text(f"{result.year.period.name[:4]} to date: {percent_text(totals.percent)}", style="bold")
    text.append(
        f"  counted {length_text(totals.counted_ms)}, target {plain_text(target)} %: {totals.verdict(target)}; "
        f"proof: {totals.proof(target)}",
        style="not bold",
    )
    return text


def months_table(result: Result) -> Iterator[RenderableType]:
    """Each month's own figure, and the year's up to its end; nothing for a period within one month."""
    strip = months_of(result)
    if len(strip) < 2:
        return
    table = plain_table(
        "Months", "month", "percent", "counted", "coverage", "verdict", "year to date",
        right=("percent", "counted", "coverage", "year to date"),
    )  # fmt: skip
    for month in strip:
        verdict = month.totals.verdict(month.target_percent)
        since_january = None if month.year_to_date is None else month.year_to_date.percent
        table.add_row(
            month.name,
            percent_text(month.totals.percent),
            clock_text(month.totals.counted_ms),
            coverage_text(month.totals.coverage),
            verdict_text(verdict),
            percent_text(since_january),
        )
    yield table


def years_table(result: Result) -> Iterator[RenderableType]:
    """The published figures of earlier years above this one's; nothing for a period that is no year."""
    if not result.published or not is_year(result.period, result.case.zone):
        return
    table = plain_table("Years", "year", "percent", "target", "verdict", "source", right=("percent", "target"))
    for one in result.published:
        target = "-" if one.target_percent is None else f"{plain_text(one.target_percent)} %"
        source = printable(f"{one.document}  {one.note}" if one.note else one.document)
        table.add_row(str(one.year), f"{plain_text(one.percent)} %", target, verdict_text(one.verdict), source)
    table.add_row(
        str(local_year(result.period.begin, result.case.zone)),
        percent_text(result.figure.percent),
        f"{plain_text(result.target_percent)} %",
        verdict_text(result.figure.verdict(result.target_percent)),
        "this report, so far" if result.running else "this report",
    )
    yield table
