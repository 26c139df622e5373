"""`detak-collector history`: published figures of earlier years, entered with their source for the trend."""

from __future__ import annotations

import re
from fractions import Fraction
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from detak_collector.commands.session import Session, login_name
from detak_collector.downtime.history import Published, in_force
from detak_collector.downtime.periods import local_year
from detak_collector.pair.here import require_leader
from detak_collector.report.tables import local_text, plain_text, verdict_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force

FIRST_YEAR = 1990
MOST_CHARACTERS = 500


class Percentage(click.ParamType[Fraction]):
    """A percentage as it was published, exact: `0.0076`, or with a decimal comma."""

    name = "PERCENT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """As click.ParamType says."""
        match = re.fullmatch(r"[0-9]{1,3}([.,][0-9]{1,12})?", str(value))
        percent = Fraction(match[0].replace(",", ".")) if match else None
        if percent is None or percent > 100:
            self.fail(f"expected a percentage such as 0.0076, with at most 12 decimals (got {value!r})", param, ctx)
        return percent


class Words(click.ParamType[str]):
    """A line of text that says something."""

    name = "TEXT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As click.ParamType says."""
        text = str(value).strip()
        if not text or len(text) > MOST_CHARACTERS or not text.isprintable():
            self.fail(f"expected one line of 1 to {MOST_CHARACTERS} characters (got {value!r})", param, ctx)
        return text


@click.group()
def history() -> None:
    """Look after the published figures of earlier years, which reports of a year show as its trend."""


@history.command()
@click.argument("year", type=click.IntRange(FIRST_YEAR))
@click.argument("percent", type=Percentage())
@click.option("--document", type=Words(), required=True, help="Where it was published, such as ND-1/2024.")
@click.option("--target", type=Percentage(), help="The target of that year, in percent.")
@click.option("--note", type=Words(), help="What a reader should know of it.")
@click.pass_obj
def add(
    session: Session, year: int, percent: Fraction, document: str, target: Fraction | None, note: str | None
) -> None:
    """Enter the figure PERCENT that was published for YEAR. Entering a year again corrects it; both entries stay."""
    config, now = session.config(), session.clock()
    with session.store(config) as store:
        running = local_year(now.utc, rules_in_force(config, store.entries).zone)
        if year >= running:
            raise click.UsageError(f"YEAR: the years before {running} are over, no later one is (got {year})")
        require_leader(store, config)
        before = [one for one in in_force(store.history.entries(), now.utc) if one.year == year]
        entry = Published(0, year, percent, target, document, note or "", login_name(), now.utc)
        store.history.add(entry)
    figure = f"{plain_text(percent)} %, {document}"
    session.audit(config, "figure-entered", f"the published figure of {year} was entered: {figure}", year=year)
    click.echo(f"{year}: {figure}")
    for one in before:
        click.echo(f"It takes the place of {plain_text(one.percent)} %, {one.document}, which stays in the list.")


@history.command("list")
@click.pass_obj
def list_command(session: Session) -> None:
    """List every entry by year, those that later ones corrected included."""
    config, now = session.config(), session.clock()
    with session.existing_store(config) as store:
        zone, entries = rules_in_force(config, store.entries).zone, store.history.entries()
    if not entries:
        click.echo(
            "No figure of an earlier year was entered yet: "
            "`detak-collector history add YEAR PERCENT --document DOCUMENT` does it."
        )
        return
    standing = {one.id for one in in_force(entries, now.utc)}
    table = Table("year", "percent", "target", "verdict", "document", "note", "entered", box=None, pad_edge=False)
    for one in sorted(entries, key=lambda one: (one.year, one.id)):
        table.add_row(*_row(one, zone), style="" if one.id in standing else "dim")
    session.console.print(table)
    if len(standing) < len(entries):
        session.console.print(Text("Of several entries of one year the last is in force.", style="dim"))


def _row(one: Published, zone: ZoneInfo) -> tuple[str | Text, ...]:
    target = "-" if one.target_percent is None else f"{plain_text(one.target_percent)} %"
    entered = f"{local_text(one.entered_at, zone)} by {one.entered_by}"
    percent = f"{plain_text(one.percent)} %"
    return str(one.year), percent, target, verdict_text(one.verdict), one.document, printable(one.note), entered
