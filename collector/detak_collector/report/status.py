"""The status page for a terminal: one sentence, what is broken and since when, the services, the figure so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detak_collector.board.board import Board, Condition, Hours, OutageState, ServiceState
from detak_collector.catalogue.register import Standing
from detak_collector.report.numbers import clock_text, decimal_text
from detak_collector.report.terminal import printable
from detak_collector.web.wording import headline, service_percent, worst_first

_COLOURS = {
    Condition.UP: "green",
    Condition.DEGRADED: "yellow",
    Condition.UNOBSERVED: "blue",
    Condition.PRESUMED_DOWN: "magenta",
    Condition.DOWN: "bold red",
}


def print_status(board: Board, zone: tzinfo, console: Console) -> None:
    """Everything that the page says, in the order in which one would ask."""
    first = headline(board)
    console.print(Text(first.text, style=_COLOURS[first.condition]))
    for outage in board.running:
        console.print(_running(outage, board.now, zone))
    table = Table("service", "state", "since", "this year", "coverage", "members", box=None, pad_edge=False)
    for service in worst_first(board.services):
        share = service_percent(service)
        members = [member for group in service.groups for member in group.members]
        standing = sum(member.condition in {Condition.UP, Condition.DEGRADED} for member in members)
        table.add_row(
            service.name,
            _state(service),
            _local(service.since, zone),
            "-" if share is None else f"{decimal_text(share, 4)} %",
            f"{decimal_text(service.coverage * 100, 3)} %",
            f"{standing} of {len(members)} up",
        )
    console.print(table)
    console.print(_figure(board))


def print_catalogue(standing: Standing | None, zone: tzinfo, console: Console) -> None:
    """By which version of the catalogue all that is, and which one waits."""
    if standing is None:
        console.print(Text("catalogue: services.toml as it is on disk, no version is recorded yet", style="dim"))
        return
    version, held = standing.version, standing.versions.held()
    console.print(Text(f"catalogue version {version.number}, since {_local(version.told.since, zone)}", style="dim"))
    if held is not None:
        told = f"Version {held.number} of the catalogue is held: `detak-collector catalogue show {held.number}`."
        console.print(Text(told, style="yellow"))


def _state(service: ServiceState) -> Text:
    text = Text(service.condition.value, style=_COLOURS[service.condition])
    if service.hours is not Hours.WITHIN:
        text.append(f", {service.hours}", style="dim")
    return text


def _running(outage: OutageState, now: int, zone: tzinfo) -> Text:
    name = outage.service_name if outage.number is None else f"{outage.service_name} (outage {outage.number})"
    text = Text(f"  {name}: {outage.shown_as} since {_local(outage.begin, zone)}, ", style="red")
    text.append(f"{clock_text(now - outage.begin)} so far, {outage.cause}")
    text.append(f"\n    {printable(outage.detail)}" if outage.detail else "", style="dim")
    return text


def _figure(board: Board) -> Text:
    figure = board.figure
    if board.notices:
        return Text("\n".join((f"{figure.period}: no figure, because service hours are not known.", *board.notices)))
    if figure.percent is None:
        return Text(f"{figure.period}: no service of counted criticality has service time yet.", style="dim")
    target = decimal_text(figure.target_percent, 4).rstrip("0").rstrip(".")
    if figure.is_unobserved:
        return Text(f"{figure.period} so far: nothing was observed, so nothing is said of the target of {target} %.")
    text = Text(f"{figure.period} so far: {decimal_text(figure.percent, 4)} % ", style="bold")
    covered = decimal_text((figure.coverage or Fraction(0)) * 100, 3)
    told = f"(target {target} %): {figure.verdict}, proof: {figure.proof}; {covered} % of the time was observed"
    text.append(told, style="not bold")
    return text


def _local(instant: int | None, zone: tzinfo) -> str:
    if instant is None:
        return "-"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
