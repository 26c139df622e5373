"""`detak-collector declare`: outages that no check saw, and time that other evidence proves to have been up."""

from __future__ import annotations

import click

from detak_collector.catalogue.corrections import DECLARATION_SCOPES
from detak_collector.commands import deciding
from detak_collector.commands.correcting import Described, by_option, described_options, dry_option
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.commands.verbs import add_verbs
from detak_collector.decisions.proposal import DECLARATION

SCOPES = ("service", "check", "node")


@click.group()
def declare() -> None:
    """Declare a service down where no check saw it, or a check or node up where it was not observed.

    What one person proposes takes effect when another one approves it.
    """


@declare.command()
@described_options(tuple(DECLARATION_SCOPES), SCOPES, recurring=False, required=True)
@dry_option
@by_option
@click.pass_obj
def add(session: Session, described: Described, by: str | None, dry_run: bool) -> None:  # noqa: FBT001 - an option
    """Propose a declaration: `down` of a service, `up` of a check or node."""
    deciding.add(session, DECLARATION, described, by, dry=dry_run)


@declare.command()
@click.argument("name", metavar="ID")
@described_options(tuple(DECLARATION_SCOPES), SCOPES, recurring=False, required=False)
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
    """Propose another declaration in the place of ID: what is not given stays as it is."""
    deciding.amend(session, DECLARATION, name, described, (because, by, dry_run))


add_verbs(declare, DECLARATION)
