"""The report for a terminal: the figure first, then services, then outages, with rich tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.summary import warnings
from detak_collector.report.numbers import clock_text, decimal_text, length_text
from detak_collector.report.terminal import printable

MOST_OUTAGES = 50
_VERDICTS = {"met": "green", "missed": "red", "undecided": "yellow"}


def print_report(result: Result, zone: tzinfo, console: Console) -> None:
    """Everything a reader at a terminal wants to know of the period."""
    for part in (_headline(result, zone), _services(result), *_outages(result, zone), _method(result)):
        console.print(part)
        console.print()


def _headline(result: Result, zone: tzinfo) -> RenderableType:
    figure, target = result.figure, result.target_percent
    percent = figure.percent
    lines = Text()
    lines.append(f"Downtime rate {result.period.name}", style="bold")
    so_far = f", so far (as of {_local(result.as_of, zone)})" if result.running else ""
    lines.append(f"  {_local(result.period.begin, zone)} to {_local(result.period.end, zone)}{so_far}\n", style="dim")
    if percent is None:
        lines.append("No service of counted criticality has service time in this period: there is no figure.")
        return lines
    verdict = figure.verdict(target) or ""
    lines.append(f"{decimal_text(percent, 4)} %", style=f"bold {_VERDICTS[verdict]}")
    lines.append(f"  target {_plain(target)} %: {verdict}; proof: {figure.proof(target)}\n")
    lines.append(
        f"counted {length_text(figure.counted_ms)} of {length_text(figure.service_time_ms)} service time\n"
        f"certain {length_text(figure.certain_ms)}, possible {length_text(figure.possible_ms)}\n"
    )
    lines.append(f"coverage {_percentage(figure.coverage)} %   gross {length_text(figure.gross_ms)}")
    for reason, total in (figure.excluded_ms or {}).items():
        if total:
            lines.append(f"   {reason.replace('_', ' ')} -{length_text(total)}")
    remaining = figure.remaining_ms(target)
    lines.append(f"\n{length_text(remaining)} left before the target is missed" if remaining >= 0 else "")
    lines.append(_undecided(figure, target))
    return lines


def _undecided(figure: Totals, target: Fraction) -> str:
    """What would decide it, where the bounds lie on both sides of the target."""
    if figure.proof(target) != "undecided":
        return ""
    return (
        f"\nUndecided: {length_text(figure.unobserved_ms)} of service time were not observed; "
        "evidence or declarations for that time would decide it."
    )


def _table(title: str, *headings: str, right: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def _services(result: Result) -> RenderableType:
    table = _table(
        "Services", "service", "percent", "counted", "certain - possible", "coverage", "verdict",
        right=("percent", "counted", "certain - possible", "coverage"),
    )  # fmt: skip
    for one in result.services:
        table.add_row(*_service_row(one, result.target_percent))
        all_down, worst = (one.beside[name][0].counted_ms for name in ("all_down", "worst_member"))
        if len({all_down, one.totals.counted_ms, worst}) > 1:
            beside = f"all down {clock_text(all_down)}, worst member {clock_text(worst)}"
            table.add_row("", "", "", Text(beside, style="dim"), "", "")
    return table


def _service_row(one: ServiceResult, target: Fraction) -> Iterator[RenderableType]:
    totals = one.totals
    verdict = totals.verdict(target) or "-"
    yield one.service.id if one.in_figure is not None else Text(f"{one.service.id} (not counted)", style="dim")
    yield "-" if totals.percent is None else f"{decimal_text(totals.percent, 4)} %"
    yield clock_text(totals.counted_ms)
    yield f"{clock_text(totals.certain_ms)} - {clock_text(totals.possible_ms)}"
    yield f"{_percentage(totals.coverage)} %"
    yield Text(verdict, style=_VERDICTS.get(verdict, ""))


def _outages(result: Result, zone: tzinfo) -> Iterator[RenderableType]:
    found = sorted((outage for one in result.services for outage in one.outages), key=lambda outage: outage.begin)
    if not found:
        yield Text("No outage in this period.")
        return
    table = _table(f"Outages ({len(found)})", "from", "counted", "certain - possible", "what", right=("counted",))
    for outage in found[-MOST_OUTAGES:]:
        what = Text(f"{outage.service}: {outage.shown_as}, {outage.cause}")
        what.append(f"\n{printable(outage.detail)}" if outage.detail else "", style="dim")
        table.add_row(
            _local(outage.begin, zone),
            clock_text(outage.counted_ms) + ("+" if outage.running else ""),
            f"{clock_text(outage.certain_ms)} - {clock_text(outage.possible_ms)}",
            what,
        )
    yield table
    if any(outage.running for outage in found):
        yield Text("+ still running", style="dim")
    if len(found) > MOST_OUTAGES:
        yield Text(f"The latest {MOST_OUTAGES} of {len(found)}; --format json has them all.", style="dim")


def _method(result: Result) -> RenderableType:
    never = [
        check
        for check, reading in result.readings.items()
        if any(passage.shown_as == "not observed: never reported" for passage in reading.passages)
    ]
    told = "".join(f"Warning: {warning}\n" for warning in warnings(result))
    text = Text(told, style="yellow")
    text.append(f"Rule version {RULE_VERSION}. Ratio of sums over counted services.", style="dim")
    if never:
        text.append(f"\nNever reported: {', '.join(sorted(never))}", style="yellow")
    return text


def _local(instant: int, zone: tzinfo) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _plain(value: Fraction) -> str:
    return decimal_text(value, 6).rstrip("0").rstrip(".")


def _percentage(share: Fraction | None) -> str:
    return "-" if share is None else decimal_text(share * 100, 3)
