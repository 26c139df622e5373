"""`detak-collector difference`: one period as it was known at two moments, and what lies between."""

from __future__ import annotations

import json

import click

from detak_collector.commands.figures import FORMATS, opened, period_options
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.downtime.difference import difference
from detak_collector.report.difference import difference_document, print_difference


@click.command("difference")
@period_options
@click.option("--since", required=True, help="The moment of the earlier view, such as 2026-11-03T08:00.")
@click.option("--until", help="The moment of the later view; now, unless it is given.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How it is written."
)
@click.pass_obj
def difference_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    session: Session, period: str | None, begin: str | None, end: str | None, since: str, until: str | None, form: str
) -> int:
    """Print how a period's figure has changed since an earlier moment, and what came between.

    Exit code 0 if nothing has changed, 1 if something has.
    """
    with opened(session) as store:
        first, second = store.past(since, "--since"), store.past(until, "--until")
        if first is not None and second is not None and second <= first:
            raise click.UsageError(f"--until: not after --since (got {until!r})")
        asked = store.period((period, begin, end), second)
        found = difference(store.figures.derived(asked, first), store.figures.derived(asked, second))
        recorded = store.evidence.recorded(asked.begin, asked.end, found.before.as_of, found.after.as_of)
    if form == "json":
        click.echo(json.dumps(difference_document(found, recorded), indent=2, ensure_ascii=False))
    else:
        print_difference(found, recorded, found.after.case.zone, session.console)
    return 0 if found.equal else EXIT_BAD_NEWS
