"""`detak-collector exclude`: time that leaves the figure, proposed by one person and approved by another."""

from __future__ import annotations

import click

from detak_collector.catalogue.corrections import SCOPES
from detak_collector.commands import deciding
from detak_collector.commands.calendar_file import export_command, import_command
from detak_collector.commands.correcting import Described, by_option, described_options, dry_option
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.commands.verbs import add_verbs
from detak_collector.decisions.proposal import EXCLUSION
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES

NAMED_SCOPES = tuple(kind for kind in SCOPES if kind != "all")


@click.group()
def exclude() -> None:
    """Take time out of the figure: planned work, maintenance, what others answer for.

    What one person proposes takes effect when another one approves it.
    """


@exclude.command()
@described_options(EXCLUSION_CATEGORIES, NAMED_SCOPES, recurring=True, required=True)
@click.option("--drill", is_flag=True, help="It is a drill, such as a switch-over between sites: planned, and ahead.")
@dry_option
@by_option
@click.pass_obj
def add(
    session: Session,
    described: Described,
    by: str | None,
    dry_run: bool,  # noqa: FBT001 - an option
    drill: bool,  # noqa: FBT001 - an option
) -> None:
    """Propose an exclusion, and print what it would change."""
    deciding.add(session, EXCLUSION, described, by, dry=dry_run, drill=drill)


@exclude.command()
@click.argument("name", metavar="ID")
@described_options(EXCLUSION_CATEGORIES, NAMED_SCOPES, recurring=True, required=False)
@click.option("--because", type=Words(), required=True, help="Why it is changed.")
@dry_option
@by_option
@click.pass_obj
def amend(
    session: Session,
    name: str,
    described: Described,
    because: str,
    by: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Propose another exclusion in the place of ID, which stays in force until then: what is not given stays."""
    deciding.amend(session, EXCLUSION, name, described, (because, by, dry_run))


add_verbs(exclude, EXCLUSION)
exclude.add_command(import_command)
exclude.add_command(export_command)
