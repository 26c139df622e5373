"""`detak-collector reconcile`: the figure held against a decree and the service desk's tickets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

import click

from detak_collector.closing.listed import ListError, read_decree, read_tickets
from detak_collector.closing.reconciling import Reconciled, reconcile
from detak_collector.commands.figures import moment, opened, period_options
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.downtime.derive import Result
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable

MINUTE_MS = 60_000
file_type = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("reconcile")
@period_options
@click.option("--decree", type=file_type, metavar="FILE", help="CSV with a column service: what a decree names.")
@click.option("--tickets", type=file_type, metavar="FILE", help="CSV with service, ticket, from and to.")
@click.option("--near", type=click.IntRange(0, 1_440), default=15, show_default=True, metavar="MINUTES",
              help="How far apart a ticket and an outage may lie, and still be of one thing.")  # fmt: skip
@click.pass_obj
def reconcile_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    session: Session,
    period: str | None,
    begin: str | None,
    end: str | None,
    decree: Path | None,
    tickets: Path | None,
    near: int,
) -> int:
    """Find decreed services that are not counted, tickets without an outage, and outages without a ticket.

    Exit code 1 if anything is found.
    """
    if decree is None and tickets is None:
        raise click.UsageError("give --decree FILE, --tickets FILE, or both")
    with opened(session) as store:
        result = store.figures.report(store.period((period, begin, end), None))
    zone = result.case.zone
    try:
        named = None if decree is None else read_decree(decree)
        known = None if tickets is None else read_tickets(tickets, lambda words, place: moment(words, place, zone))
    except ListError as error:
        raise click.UsageError(str(error)) from None
    found = reconcile(result, named, known, near * MINUTE_MS)
    for line in _lines(found, result, zone, str(decree), str(tickets)):
        click.echo(printable(line))
    if found.is_clean:
        click.echo(f"{result.period.name}: everything fits.")
        return 0
    return EXIT_BAD_NEWS


def _lines(found: Reconciled, result: Result, zone: tzinfo, decree: str, tickets: str) -> Iterator[str]:
    for named in found.unknown:
        yield f"decreed and not in the catalogue: {named.service} ({decree}:{named.line})"
    for one in found.uncounted:
        yield f"decreed and not counted: {one.service.id} ({one.criticality or 'without criticality'})"
    for one in found.undecreed:
        yield f"counted and not decreed: {one.service.id} ({one.criticality})"
    for ticket in found.astray:
        yield f"ticket of an unknown service: {ticket.name}, {ticket.service} ({tickets}:{ticket.line})"
    for ticket in found.without_outage:
        end = "still open" if ticket.end is None else local_text(ticket.end, zone)
        yield f"ticket without an outage: {ticket.name}, {ticket.service}, {local_text(ticket.begin, zone)} to {end}"
    for outage in found.without_ticket:
        number = result.numbers.get(outage.key)
        yield (
            f"outage without a ticket: {number or outage.id}, {outage.service}, {local_text(outage.begin, zone)}, "
            f"{clock_text(outage.counted_ms)} counted"
        )
