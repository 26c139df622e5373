"""`detak-collector incidents`: which outages belong together, and what operators ruled about that."""

from __future__ import annotations

from datetime import tzinfo

import click
from rich.table import Table
from rich.text import Text

from detak_collector.annotations.rulings import fault_of, touching
from detak_collector.commands.disputes import add_disputes
from detak_collector.commands.figures import period_options, reported
from detak_collector.commands.history import Words
from detak_collector.commands.incidents_notes import add_notes
from detak_collector.commands.incidents_telling import add_telling
from detak_collector.commands.session import Session, login_name
from detak_collector.downtime.derive import Result
from detak_collector.downtime.incidents import MERGE, SPLIT, UNDO, Ruling, in_force
from detak_collector.pair.here import require_leader
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force

outage_number = click.IntRange(1, 2**53)
reason_option = click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")


@click.group()
def incidents() -> None:
    """Say what happened in outages, and which of them belong together where the clock alone gets it wrong."""


add_telling(incidents)
add_notes(incidents)
add_disputes(incidents)


@incidents.command()
@click.argument("numbers", metavar="NUMBER NUMBER...", type=outage_number, nargs=-1, required=True)
@reason_option
@click.pass_obj
def merge(session: Session, numbers: tuple[int, ...], reason: str) -> None:
    """Make one incident of the outages with these NUMBERs, and of all that belongs to them."""
    outages = tuple(sorted(set(numbers)))
    if len(outages) < 2:
        raise click.UsageError(f"NUMBER: two different outages at least (got {' '.join(map(str, numbers))})")
    _rule(session, Ruling(0, MERGE, outages, None, reason, login_name(), session.clock().utc))


@incidents.command()
@click.argument("number", type=outage_number)
@reason_option
@click.pass_obj
def split(session: Session, number: int, reason: str) -> None:
    """Let the outage NUMBER begin an incident of its own, which later ones close to it go with."""
    _rule(session, Ruling(0, SPLIT, (number,), None, reason, login_name(), session.clock().utc))


@incidents.command()
@click.argument("ruling", type=outage_number)
@reason_option
@click.pass_obj
def undo(session: Session, ruling: int, reason: str) -> None:
    """Take back a RULING, by its number in `incidents list`; both stay on record."""
    _rule(session, Ruling(0, UNDO, (), ruling, reason, login_name(), session.clock().utc))


@incidents.command("list")
@period_options
@click.pass_obj
def list_command(session: Session, period: str | None, begin: str | None, end: str | None) -> None:
    """List the incidents of a period with their outages, and all rulings on any of these."""
    result = reported(session, (period, begin, end))
    with session.existing_store(session.config()) as store:
        rulings = store.outages.rulings()
    zone = result.case.zone
    if not result.incidents:
        click.echo("No outage in this period, and so no incident.")
        return
    session.console.print(_incidents(result, zone))
    told = touching(rulings, set(result.numbers.values()))
    if told:
        session.console.print()
        session.console.print(_rulings(told, zone))


def _rule(session: Session, ruling: Ruling) -> None:
    """Check the ruling, keep it, and say what it was."""
    config = session.config()
    with session.store_to_change(config) as store:
        zone = rules_in_force(config, store.entries).zone
        require_leader(store, config)
        fault = fault_of(ruling, store.outages.known, store.outages.rulings())
        if fault is not None:
            raise click.UsageError(f"{fault}; `detak-collector incidents list --period ...` has them")
        kept = store.outages.rule(ruling)
    session.audit(config, "incident-ruled", f"ruling {kept.id}: {_words(kept)}: {kept.reason}", ruling=kept.id)
    click.echo(f"ruling {kept.id}, {local_text(kept.ruled_at, zone)} by {kept.ruled_by}: {_words(kept)}")
    if kept.kind != UNDO:
        click.echo(f"`detak-collector incidents undo {kept.id} --reason ...` takes it back.")


def _incidents(result: Result, zone: tzinfo) -> Table:
    table = Table("incident", "from", "to", "outages", "services", "counted", "", box=None, pad_edge=False)
    for one in result.incidents:
        running = any(outage.running for outage in one.outages)
        table.add_row(
            one.id,
            local_text(one.begin, zone),
            "still running" if running else local_text(one.end, zone),
            ", ".join(str(result.numbers[outage.key]) for outage in one.outages),
            ", ".join(dict.fromkeys(outage.service for outage in one.outages)),
            clock_text(one.counted_ms),
            "ruled" if one.ruled else "",
        )
    return table


def _rulings(rulings: list[Ruling], zone: tzinfo) -> Table:
    standing = {one.id for one in in_force(rulings)}
    table = Table("ruling", "what", "by", "when", "why", box=None, pad_edge=False)
    for one in rulings:
        what = Text(_words(one) + ("" if one.id in standing or one.kind == UNDO else " (taken back)"))
        style = "" if one.id in standing else "dim"
        when = local_text(one.ruled_at, zone)
        table.add_row(str(one.id), what, one.ruled_by, when, printable(one.reason), style=style)
    return table


def _words(one: Ruling) -> str:
    if one.kind == UNDO:
        return f"ruling {one.undoes} is taken back"
    if one.kind == SPLIT:
        return f"outage {one.outages[0]} begins an incident of its own"
    return f"outages {', '.join(map(str, one.outages))} are one incident"
