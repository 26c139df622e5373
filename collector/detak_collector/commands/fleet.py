"""`detak-collector nodes`: how the nodes stand and who is awaited; `nodes import` lets in those of an inventory."""

from __future__ import annotations

import click
import msgspec

from detak_collector.commands.fleet_import import catalogue_in_force, import_command
from detak_collector.commands.fleet_words import HEADINGS, aligned, notes_of, plain, rows_of
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.commands.watching import LAST_KNOWN, why_unwatched
from detak_collector.config import Config
from detak_collector.fleet.standing import EVERY_STATE, Fleet, Known, fleet
from detak_collector.ingest.rivals import rivalry
from detak_collector.store.awaited import awaited
from detak_collector.store.late_records import late_records

LATE_SINCE_MS = 35 * 86_400_000
"""Runs that were opened earlier are not searched for missing records: `seal` asks for those of its period."""


@click.group(invoke_without_command=True)
@click.option("--state", "states", type=click.Choice(EVERY_STATE), multiple=True, help="Only these; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that is known, times in UTC.")
@click.pass_context
def nodes(context: click.Context, states: tuple[str, ...], as_json: bool) -> int:  # noqa: FBT001 - click's own form
    """List the nodes: how each stands, when it was heard, what of it is late, its agent, its checks; who is awaited.

    Exit code 1 if one is silent or failed, speaks twice, or was never heard within an hour of being enrolled.
    """
    if context.invoked_subcommand is not None:
        return 0
    session: Session = context.obj
    config = session.config()
    found, unwatched = _read(session, config)
    if as_json:
        click.echo(msgspec.json.encode(plain(found, states, unwatched)).decode())
    else:
        if unwatched:
            click.echo(f"{unwatched}. {LAST_KNOWN}", err=True)
        _print(session, found, states)
    return EXIT_BAD_NEWS if found.is_bad else 0


nodes.add_command(import_command)


def _read(session: Session, config: Config) -> tuple[Fleet, str]:
    """The fleet, and why nobody watches it now, where that is so."""
    now = session.clock()
    with session.existing_store(config) as store:
        rows = store.registry.listing(now)
        with store.database.reading() as connection:
            late, waiting = late_records(connection, now.utc - LATE_SINCE_MS), awaited(connection, now.utc)
        why, watched_to = why_unwatched(store, config, now.utc), store.watch.latest_utc()
        catalogue = catalogue_in_force(store, config)
    as_of = now.utc if why is None or watched_to is None else watched_to
    known = Known(rows, late, waiting, catalogue)
    return fleet(known, as_of, now.utc, config.down_after_ms), why or ""


def _print(session: Session, found: Fleet, states: tuple[str, ...]) -> None:
    rows = rows_of(found, states, session.clock().utc)
    if not found.nodes and not found.awaited:
        click.echo("No node has enrolled yet: `detak-collector enroll NODE` lets one in.")
    if rows:
        click.echo("\n".join(aligned([HEADINGS, *rows])))
    elif states:
        click.echo(f"No node is {' or '.join(states)}.")
    for line in notes_of(found, session.clock().utc):
        click.echo(f"\n{line}")
    for one in found.nodes:
        if one.row.rivals:
            click.echo(f"\n{one.row.name}: {rivalry(one.row.name, one.row.rivals)}.", err=True)
