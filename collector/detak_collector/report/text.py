"""The report for a terminal: the figure first, then services, then outages, with rich tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from fractions import Fraction
from heapq import nlargest
from operator import attrgetter

from rich.console import Console, RenderableType
from rich.text import Text

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.incidents import homes
from detak_collector.downtime.months import WITHOUT_WATCHDOG
from detak_collector.downtime.summary import never_reported, tally, warnings
from detak_collector.report.numbers import clock_text, decimal_text, length_text
from detak_collector.report.tables import (
    VERDICT_COLOURS,
    coverage_text,
    local_text,
    percent_text,
    plain_table,
    plain_text,
    verdict_text,
)
from detak_collector.report.terminal import printable
from detak_collector.report.trend import months_table, year_so_far, years_table

MOST_OUTAGES = 50
MOST_SERVICES = 100


def print_report(result: Result, zone: tzinfo, console: Console) -> None:
    """Everything a reader at a terminal wants to know of the period."""
    parts = (
        _headline(result, zone),
        *_services(result),
        *months_table(result),
        *years_table(result),
        *_outages(result, zone),
        _method(result),
    )
    for part in parts:
        console.print(part)
        console.print()


def _headline(result: Result, zone: tzinfo) -> RenderableType:
    figure, target = result.figure, result.target_percent
    percent = figure.percent
    lines = Text()
    lines.append(f"Downtime rate {result.period.name}", style="bold")
    so_far = f", so far (as of {local_text(result.as_of, zone)})" if result.running else ""
    lines.append(f"  {printable(result.case.catalogue.organisation.value_at(result.last))}", style="bold")
    lines.append(
        f"  {local_text(result.period.begin, zone)} to {local_text(result.period.end, zone)}{so_far}\n", style="dim"
    )
    if result.case.earlier:
        lines.append(f"As known at {local_text(result.as_of, zone)}: what came later is left out.\n", style="yellow")
    if percent is None:
        lines.append("No service of counted criticality has service time in this period: there is no figure.")
        return lines
    verdict = figure.verdict(target) or ""
    lines.append(f"{decimal_text(percent, 4)} %", style=f"bold {VERDICT_COLOURS[verdict]}")
    lines.append(f"  target {plain_text(target)} %: {verdict}; proof: {figure.proof(target)}\n")
    lines.append(
        f"counted {length_text(figure.counted_ms)} of {length_text(figure.service_time_ms)} service time\n"
        f"certain {length_text(figure.certain_ms)}, possible {length_text(figure.possible_ms)}\n"
    )
    lines.append(f"coverage {coverage_text(figure.coverage)}   gross {length_text(figure.gross_ms)}")
    for reason, total in (figure.excluded_ms or {}).items():
        if total:
            lines.append(f"   {reason.replace('_', ' ')} -{length_text(total)}")
    remaining = figure.remaining_ms(target)
    lines.append(f"\n{length_text(remaining)} left before the target is missed" if remaining >= 0 else "")
    lines.append(_undecided(figure, target))
    counts, year = tally(result), year_so_far(result)
    if counts.outages:
        lines.append(f"\n{_number(counts.outages, 'outage')} counted, in {_number(counts.incidents, 'incident')}")
    return lines if year is None else Text("\n").join((lines, year))


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _undecided(figure: Totals, target: Fraction) -> str:
    """What would decide it, where the bounds lie on both sides of the target."""
    if figure.proof(target) != "undecided":
        return ""
    return (
        f"\nUndecided: {length_text(figure.unobserved_ms)} of service time were not observed; "
        "evidence or declarations for that time would decide it."
    )


def _services(result: Result) -> Iterator[RenderableType]:
    table = plain_table(
        "Services", "service", "percent", "counted", "certain - possible", "coverage", "verdict",
        right=("percent", "counted", "certain - possible", "coverage"),
    )  # fmt: skip
    worst = sorted(result.services, key=lambda one: -one.totals.counted_ms)[:MOST_SERVICES]
    shown = result.services if len(worst) == len(result.services) else worst
    for one in shown:
        table.add_row(*_service_row(one, result.target_percent))
        all_down, highest = (one.beside[name][0].counted_ms for name in ("all_down", "worst_member"))
        if len({all_down, one.totals.counted_ms, highest}) > 1:
            beside = f"all down {clock_text(all_down)}, worst member {clock_text(highest)}"
            table.add_row("", "", "", Text(beside, style="dim"), "", "")
    yield table
    if shown is worst:
        told = f"The {len(worst)} of {len(result.services):,} with the most counted time; --format json has them all."
        yield Text(told, style="dim")


def _service_row(one: ServiceResult, target: Fraction) -> Iterator[RenderableType]:
    totals = one.totals
    yield one.service.id if one.in_figure is not None else Text(f"{one.service.id} (not counted)", style="dim")
    yield percent_text(totals.percent)
    yield clock_text(totals.counted_ms)
    yield f"{clock_text(totals.certain_ms)} - {clock_text(totals.possible_ms)}"
    yield coverage_text(totals.coverage)
    yield verdict_text(totals.verdict(target))


def _outages(result: Result, zone: tzinfo) -> Iterator[RenderableType]:
    found = [outage for one in result.services for outage in one.outages]
    if not found:
        yield Text("No outage in this period.")
        return
    services = {one.service.id for one in result.services}
    incidents = sum(any(one.service in services for one in incident.outages) for incident in result.incidents)
    title = f"Outages ({len(found)}, in {_number(incidents, 'incident')})"
    table = plain_table(title, "no.", "from", "counted", "certain - possible", "what", right=("no.", "counted"))
    latest = nlargest(MOST_OUTAGES, found, key=attrgetter("begin"))[::-1]
    of = homes(one for one in result.incidents if one.outages[-1].begin >= latest[0].begin)
    for outage in latest:
        what = Text(f"{outage.service}: {outage.shown_as}, {outage.cause}")
        incident, number = of[outage.key], result.numbers.get(outage.key)
        what.append(f"  incident {incident.id}" if len(incident.outages) > 1 else "", style="dim")
        what.append(f"\n{printable(outage.detail)}" if outage.detail else "", style="dim")
        table.add_row(
            "-" if number is None else str(number),
            local_text(outage.begin, zone),
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
    never = never_reported(result)
    told = "".join(f"Warning: {warning}\n" for warning in warnings(result))
    text = Text(told, style="yellow")
    text.append("".join(f"{line}\n" for line in (*_spared(result), *_assumed(result))))
    text.append(f"Rule version {RULE_VERSION}. Ratio of sums over counted services.", style="dim")
    if never:
        text.append(f"\nNever reported: {', '.join(never)}", style="yellow")
    return text


def _spared(result: Result) -> Iterator[str]:
    """What rules for short events keep out of the figure, and the figure without each of them."""
    for variant, what in (
        ("without_minimum", "Outages shorter than minimum_outage_ms"),
        ("without_freeze_rule", "Freezes shorter than freeze_degraded_below_ms"),
    ):
        other = result.beside.get(variant)
        spared_ms = other.counted_ms - result.figure.counted_ms if other is not None else 0
        if other is not None and other.percent is not None and spared_ms:
            yield (
                f"{what} are degraded, not counted: {length_text(spared_ms)} in all; "
                f"without that rule {decimal_text(other.percent, 4)} %."
            )


def _assumed(result: Result) -> Iterator[str]:
    """How much of the certain time rests on the watchdog assumption, and what is certain without it."""
    certain_ms = result.figure.certain_ms
    without_ms = result.beside.get(WITHOUT_WATCHDOG, result.figure).certain_ms
    if without_ms != certain_ms:
        yield (
            f"Watchdog assumption: {length_text(certain_ms - without_ms)} are certain because a watchdog would have "
            f"brought back an agent that died alone; without it certain {length_text(without_ms)}."
        )
