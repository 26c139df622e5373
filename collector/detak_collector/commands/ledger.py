"""`detak-collector verify` and `detak-collector ledger`: whether what was recorded is as it was, and by which head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.commands.figures import moment
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.commands.verify_sealed import verify_sealed
from detak_collector.copies.chain_files import write_chain
from detak_collector.copies.restored import told_of
from detak_collector.errors import UNFINISHED, CannotServeError
from detak_collector.ledger.chain import GivenHead
from detak_collector.ledger.verification import Fault, Verification, Wrong
from detak_collector.pair.entry import RESTORE
from detak_collector.report.terminal import printable
from detak_collector.retention.recording import disposals_of
from detak_collector.rules import rules_in_force
from detak_collector.store.disposed import whole_from
from detak_collector.store.disposing import to_go
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.parts import Store


class HeadText(click.ParamType[GivenHead]):
    """A head as a report, a mail or `ledger head` tells it."""

    name = "HEAD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> GivenHead:
        """As click.ParamType says."""
        try:
            return GivenHead.of(str(value))
        except ValueError as error:
            self.fail(f"{error} (got {value!r})", param, ctx)


@click.command()
@click.option("--head", "given", type=HeadText(), help="A head that you kept, as a report or a mail has it.")
@click.option("--since", help="Read only records chained since then; of older blocks only the headers.")
@click.option("--sealed", is_flag=True, help="Recompute the sealed periods too, and tell which come out as others.")
@click.pass_obj
def verify(session: Session, given: GivenHead | None, since: str | None, sealed: bool) -> int:  # noqa: FBT001
    """Check that every record is as it was chained. Nothing is changed. Exit code 1 where one is not.

    Without --head a chain that somebody made anew as a whole looks sound: give the oldest and the newest that you have.
    """
    config = session.config()
    with session.existing_store(config) as store:
        since_utc = None if since is None else moment(since, "--since", rules_in_force(config, store.entries).zone)
        verification = Verification(store.collector, given)
        fault = verified(store.ledger, verification, since_utc) or _of_disposals(store)
        if fault is not None:
            click.echo(f"NOT INTACT: {fault.text}")
            if fault.wrong in {Wrong.CUT, Wrong.REWRITTEN}:
                _tell_restores(store)
            return EXIT_BAD_NEWS
        waiting = store.ledger.waiting()
    size = f"{_counted(verification.records, 'record')} in {_counted(verification.head.number, 'block')}"
    click.echo(f"intact: {size}{_since(since_utc)}")
    for line in disposal_lines(verification):
        click.echo(printable(line))
    click.echo(f"head {verification.head}")
    if given is not None:
        click.echo(f"The head given, {given}, is one of this chain: all before it is as it was then.")
    if waiting:
        click.echo(f"not chained yet: {_counted(waiting, 'record')}; a running collector does that within an hour.")
    return verify_sealed(session) if sealed else 0


def _of_disposals(store: Store) -> Fault | None:
    """Whether the store takes as much for disposed of as the entries say."""
    with store.database.reading() as connection:
        found, said = whole_from(connection), disposals_of(connection).carried_out_until(store.collector)
    if found == said:
        return None
    told = ["nothing" if one is None else f"all from before {_shown(one)}" for one in (found, said)]
    return Fault(Wrong.ALTERED, 0, f"the store takes {told[0]} for disposed of, its entries say {told[1]}")


def disposal_lines(verification: Verification) -> Iterator[str]:
    """Each disposal that the chain tells of, as a line for people."""
    for one in verification.disposals.told:
        yield (
            f"disposed of, no. {one.number}, {one.document}: {_counted(one.records, 'record')} of blocks {one.first} "
            f"to {one.last}, evidence from before {_shown(one.until)}; proposed by {one.proposed_by}, approved by "
            f"{one.approved_by}, recorded {_shown(one.at)}"
        )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _since(since_utc: int | None) -> str:
    if since_utc is None:
        return ""
    return f"; only the headers of blocks from before {_shown(since_utc)} were read"


def verified(ledger: SqlLedger, verification: Verification, since_utc: int | None = None) -> Fault | None:
    """Looks through the whole chain, with a bar on a terminal; the first fault, if there is one."""
    blocks, _ = ledger.size()
    with _bar(blocks) as step:
        for one in ledger.blocks(since_utc):
            fault = verification.take(one.block, one.lines, one.left)
            if fault is not None:
                return fault
            step()
    return verification.ended()


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("verifying blocks"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _tell_restores(store: Store) -> None:
    """A head that was told between a backup and its restore is in no chain any more."""
    for entry in store.entries.of(RESTORE):
        if entry.collector == store.collector:
            click.echo(f"{_shown(entry.recorded_utc)}, {entry.author}: {told_of(entry.told)}")


def _shown(utc: int) -> str:
    return f"{datetime.fromtimestamp(utc / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


@click.group("ledger")
def ledger_group() -> None:
    """The chain over all that was recorded, whose head stands in every report."""


@ledger_group.command()
@click.pass_obj
def head(session: Session) -> None:
    """Chain what waits, and print the head as NUMBER:HEX."""
    with session.existing_store(session.config()) as store:
        click.echo(str(store.ledger.brought_on(session.clock().utc)))


@ledger_group.command("export")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A folder that is not there yet.",
)
@click.pass_obj
def export_command(session: Session, folder: Path) -> None:
    """Write the whole chain into the folder DIR, to be checked with `sha256sum` and `jq` alone."""
    with session.existing_store(session.config()) as store:
        if to_go(store.database):
            raise CannotServeError(UNFINISHED)
        store.ledger.brought_on(session.clock().utc)
        blocks, _ = store.ledger.size()
        with _bar(blocks) as step:
            found = write_chain(folder, store.collector, store.ledger.blocks(), step)
    click.echo(f"{folder}: {_counted(found.number, 'block')}; docs/ledger.md tells how to check them")
    click.echo(f"head {found}")
