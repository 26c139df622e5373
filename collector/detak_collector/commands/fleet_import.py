"""`detak-collector nodes import`: a token for every node of an inventory that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from detak_collector.catalogue import CatalogueError
from detak_collector.channel.certificate import shown_certificate
from detak_collector.channel.enrol import issue_token
from detak_collector.commands.new_file import new_file
from detak_collector.commands.nodes import Lifetime, length_told
from detak_collector.commands.session import Session
from detak_collector.config import Config, ConfigurationError
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.fleet.inventory import InventoryError, Listed, read_inventory
from detak_collector.operating.events import Event
from detak_collector.rules import rules_in_force
from detak_collector.store.awaited import awaited
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store

PRIVATE = 0o600
ONCE_MORE = "once that is mended, give the command again, with --again"
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sorted:
    """The nodes of an inventory by what is to be done: those to let in, and by name those that are left, and why."""

    new: tuple[Listed, ...]
    left: tuple[tuple[str, str], ...]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the lines there, for you alone to read.",
)
@click.option("--expires", type=Lifetime(), default="24h", show_default=True, help="How long the tokens may be used.")
@click.option("--again", is_flag=True, help="Also for nodes whose earlier token was not used yet; that one stays good.")
@click.pass_obj
def import_command(session: Session, file: Path, output: Path | None, expires: int, again: bool) -> None:  # noqa: FBT001 - click's own form
    """Make a one-time token for every node of FILE that is not there, and print a line to paste on each.

    FILE is a table as spreadsheets save it (CSV): its first line names the columns, `name` and, if there is one,
    `site`. A table with a wrong line is refused whole. Nodes that are there are named and left as they are.
    """
    listed = read_table(file)
    config = session.config()
    with session.store(config) as store:
        found = _sort(store, listed, session, again=again)
        if found.new:
            _let_in(session, config, store, found.new, output, expires)
        elsewhere = _elsewhere(catalogue_in_force(store, config), listed, session.clock().utc)
    for line in (*(f"{name}: {reason}, and is left as it is" for name, reason in found.left), *elsewhere):
        click.echo(line, err=True)
    if not found.new:
        click.echo("No node is new.", err=True)
        return
    click.echo(f"{len(found.new)} new nodes: run each line on its node, within {length_told(expires)}", err=True)
    if output is not None:
        click.echo(f"{output}: the lines; whoever reads one can become that node until it has enrolled", err=True)


def catalogue_in_force(store: Store, config: Config) -> Catalogue | None:
    """The catalogue; where none is right that is said, and the command goes on without."""
    try:
        return rules_in_force(config, store.entries).catalogue
    except CatalogueError:
        note = (
            f"{config.services}: is not right (`detak-collector config-check`), so no sites and no retirement are told"
        )
        click.echo(note, err=True)
        return None


def read_table(path: Path) -> list[Listed]:
    """The nodes of an inventory in a file; raises ConfigurationError with every line that is wrong."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError([f"{path}: at most {MOST_BYTES} bytes (got {path.stat().st_size})"])
        return read_inventory(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: is not UTF-8: save it as CSV UTF-8"]) from None
    except InventoryError as error:
        raise ConfigurationError(error.lines) from error


def _sort(store: Store, listed: Sequence[Listed], session: Session, *, again: bool) -> Sorted:
    now = session.clock()
    there = {row.name: "is there" if row.enrolled else "is revoked" for row in store.registry.listing(now)}
    with store.database.reading() as connection:
        waiting = [] if again else awaited(connection, now.utc)
    reasons = {one.node: "has a token that waits" for one in waiting if one.node is not None} | there
    new = tuple(one for one in listed if one.name not in reasons)
    return Sorted(new, tuple((one.name, reasons[one.name]) for one in listed if one.name in reasons))


def _let_in(
    session: Session, config: Config, store: Store, new: Sequence[Listed], output: Path | None, expires: int
) -> None:
    shown = shown_certificate(config)
    events: list[Event] = []
    try:
        with nullcontext() if output is None else new_file(output, PRIVATE) as lines:
            for one in new:
                token = issue_token(store.registry, one.name, expires, session.clock())
                events.append(session.event("token-issued", f"a token was made for {one.name}", node=one.name))
                line = f"detak-agent enroll --collector {config.url} --token {token} --node {one.name}{shown.argument}"
                click.echo(line, file=lines)
    except (OSError, StoreError):
        if events:
            click.echo(f"{len(events)} tokens were made and their lines may be lost: {ONCE_MORE}", err=True)
        raise
    finally:
        if events:
            session.tell(config, events)
    for note in shown.notes:
        click.echo(note, err=True)


def _elsewhere(catalogue: Catalogue | None, listed: Sequence[Listed], now_utc: int) -> Iterator[str]:
    """The nodes of which the catalogue says another site."""
    sites = {} if catalogue is None else {one.name: one.site_at(now_utc) for one in catalogue.nodes}
    for one in listed:
        known = sites.get(one.name)
        if one.site and known and known != one.site:
            yield f"{one.name}: services.toml says that it stands at {known} (here {one.site})"
