"""The figure in its course, for a terminal: the months with the year so far, and the years before with their source.

And how a terminal is told one number, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from fractions import Fraction

from rich.console import RenderableType
from rich.text import Text

from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import is_year, local_year
from detak_collector.downtime.summary import months_of
from detak_collector.report.numbers import clock_text, moment_of
from detak_collector.report.tables import VERDICT_COLOURS, local_text, plain_table
from detak_collector.report.terminal import printable
from detak_collector.translation import ENGLISH
from detak_collector.translation.language import Language

UNKNOWN = "-"
"""What has no value, in every language."""


def rate(percent: Fraction | None, told: Language) -> str:
    """A figure with the four decimals in which it is published."""
    return "-" if percent is None else f"{told.decimals(percent, 4)} %"


def coverage(share: Fraction | None, told: Language) -> str:
    """The share of service time that was observed, in percent."""
    return f"{'-' if share is None else told.decimals(share * 100, 3)} %"


def clock(duration_ms: int, told: Language) -> str:
    """A length as short as a column wants it: `1:02:03.4`."""
    return clock_text(duration_ms).replace(".", told.decimal)


def moment(instant: int, zone: tzinfo, told: Language) -> str:
    """An instant to the second, with its zone: in English as programs like it, else as the language writes it."""
    if told.code == ENGLISH:
        return local_text(instant, zone)
    return f"{told.stamp(instant, zone)} {moment_of(instant, zone):%Z}"


def verdict_text(verdict: str | None, told: Language) -> Text:
    """A verdict in its colour."""
    return Text(told.say(verdict) if verdict else "-", style=VERDICT_COLOURS.get(verdict or "", ""))


def year_so_far(result: Result, told: Language) -> Text | None:
    """The year up to the period's end in one line; None where the period is that itself."""
    strip = months_of(result)
    totals = strip[-1].year_to_date if strip else None
    if result.year is None or totals is None or totals.percent is None:
        return None
    target = strip[-1].target_percent
    year = told.say("{year} to date: {percent}", year=result.year.period.name[:4], percent=rate(totals.percent, told))
    text = Text(year, style="bold")
    against = told.say(
        "counted {counted}, target {target} %: {verdict}; proof: {proof}",
        counted=told.length(totals.counted_ms),
        target=told.short(target),
        verdict=told.say(totals.standing(target) or UNKNOWN),
        proof=told.say(totals.proof(target) or UNKNOWN),
    )
    text.append(f"  {against}", style="not bold")
    return text


def months_table(result: Result, told: Language) -> Iterator[RenderableType]:
    """Each month's own figure, and the year's up to its end; nothing for a period within one month."""
    strip = months_of(result)
    if len(strip) < 2:
        return
    heads = tuple(map(told.say, ("month", "percent", "counted", "coverage", "verdict", "year to date")))
    table = plain_table(told.say("Months"), *heads, right=(*heads[1:4], heads[5]))
    for month in strip:
        since_january = None if month.year_to_date is None else month.year_to_date.percent
        table.add_row(
            month.name,
            rate(month.totals.percent, told),
            clock(month.totals.counted_ms, told),
            coverage(month.totals.coverage, told),
            verdict_text(month.verdict, told),
            rate(since_january, told),
        )
    yield table


def years_table(result: Result, told: Language) -> Iterator[RenderableType]:
    """The published figures of earlier years above this one's; nothing for a period that is no year."""
    if not result.published or not is_year(result.period, result.case.zone):
        return
    heads = tuple(map(told.say, ("year", "percent", "target", "verdict", "source")))
    table = plain_table(told.say("Years"), *heads, right=(heads[1], heads[2]))
    for one in result.published:
        target = "-" if one.target_percent is None else f"{told.short(one.target_percent)} %"
        source = printable(f"{one.document}  {one.note}" if one.note else one.document)
        table.add_row(str(one.year), f"{told.short(one.percent)} %", target, verdict_text(one.verdict, told), source)
    table.add_row(
        str(local_year(result.period.begin, result.case.zone)),
        rate(result.figure.percent, told),
        f"{told.short(result.target_percent)} %",
        verdict_text(result.figure.standing(result.target_percent), told),
        told.say("this report, so far") if result.running else told.say("this report"),
    )
    yield table
