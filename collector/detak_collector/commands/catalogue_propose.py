"""`detak-collector catalogue propose`: a first services.toml from the checks that report."""

from __future__ import annotations

import os
from pathlib import Path

import click

from detak_collector.catalogue.texts import SERVICES, Texts
from detak_collector.commands.fleet_import import catalogue_in_force, read_table
from detak_collector.commands.new_file import new_file
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.config import ConfigurationError
from detak_collector.fleet.proposal import Reporting, propose
from detak_collector.fleet.proposal_text import services_text
from detak_collector.store.running_checks import running_checks

NOT_SECRET = 0o644
UNNAMED, ZONE = "Name of the organisation", "Asia/Jakarta"


@click.command("propose")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file that is not there yet."
)
@click.option(
    "--inventory",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the nodes stand, as for `nodes import`: a table with the columns name and site.",
)
@click.pass_obj
def propose_command(session: Session, output: Path | None, inventory: Path | None) -> int:
    """Write a first services.toml from the checks that report, with comments that say what is left to decide.

    It changes nothing that is in force. Exit code 1 if no node reports yet.
    """
    if output is not None and os.path.lexists(output):
        raise ConfigurationError([f"--output: {output} is there already, and is not overwritten"])
    sites = {one.name: one.site for one in read_table(inventory)} if inventory is not None else {}
    config = session.config()
    with session.existing_store(config) as store:
        with store.database.reading() as connection:
            running = running_checks(connection)
        known = catalogue_in_force(store, config)
    if not running:
        click.echo("No node reports yet: `detak-collector enroll NODE` lets one in.", err=True)
        return EXIT_BAD_NEWS
    checks = [Reporting(node, one.name, one.kind, one.remote, one.target) for node in running for one in running[node]]
    now = session.clock().utc
    text = services_text(
        propose(checks, running, sites),
        UNNAMED if known is None else known.organisation.value_at(now),
        ZONE if known is None else known.timezone,
        f"{len(checks)} checks of {len(running)} nodes that report",
    )
    Texts({SERVICES: text}).parse("the proposal")
    if output is None:
        click.echo(text, nl=False)
        return 0
    with new_file(output, NOT_SECRET) as file:
        file.write(text)
    click.echo(f"{output}: read it through, decide what it asks, then `detak-collector catalogue check {output}`")
    return 0
