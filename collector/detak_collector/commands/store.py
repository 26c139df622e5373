"""`detak-collector store copy`: from the file into a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.commands.ledger import verified
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, hindrance_here
from detak_collector.config import Config, ConfigurationError
from detak_collector.copies.comparison import differing_months, months_known
from detak_collector.copies.state_directory import owned
from detak_collector.errors import FencedError
from detak_collector.ledger.chain import GivenHead
from detak_collector.ledger.verification import Verification
from detak_collector.rules import rules_in_force
from detak_collector.store.base import StoreError
from detak_collector.store.evidence import SqlEvidence
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.parts import Store
from detak_collector.store.place import StorePlace, store_faults
from detak_collector.store.sqlite import FILE_NAME

if TYPE_CHECKING:
    from detak_collector.store.copying import Copy, Told

COPIED = "it was copied to "
NEXT = """\
Next:
  1. in {path}:
       store = "{url}"
  2. start the collector. Others may serve from the same database: give each such a file and a state directory.
{file} is left as it was, and serves no more.
"""


@click.group("store")
def store_group() -> None:
    """Where the evidence is kept."""


@store_group.command("copy")
@click.option("--to", "url", metavar="URL", help="An empty PostgreSQL database; else the `store` of collector.toml.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its password; else as collector.toml says.")
@click.pass_obj
def copy(session: Session, url: str | None, password_file: Path | None) -> int:
    """Copy the store from its file into a PostgreSQL database. The collector must not run.

    A copy that was interrupted goes on where it was. At the end all rows and the figures of all months are compared,
    and the ledger of the copy is verified; exit code 1 where they differ.
    """
    config = session.config()
    target = _target(config, url, password_file)
    file = StorePlace(config.state_directory)
    if not file.exists():
        raise StoreError(f"{config.state_directory / FILE_NAME}: no such file: there is nothing to copy")
    with owned(config.state_directory), closing(file.open(session.clock())) as source:
        _refuse_moved(source)
        _chain_all(source, session.clock().utc)
        differing = _copied(session, config, source, target)
        if differing:
            click.echo(f"not the same on both sides: {differing}. Empty the database, and copy again", err=True)
            return EXIT_BAD_NEWS
    session.audit(config, "copied", f"the store was copied to {target.url}")
    click.echo(NEXT.format(path=session.config_path, url=target.url, file=config.state_directory / FILE_NAME), nl=False)
    return 0


def _refuse_moved(source: Store) -> None:
    """One that was copied may have to be copied on, and no other copy that serves no more; raises FencedError."""
    instance, reason = source.instance.seen(), hindrance_here(source)
    if instance is not None and reason is not None and not instance.fenced_why.startswith(COPIED):
        raise FencedError(f"nothing is copied: {source.database.place}: {reason}")


def _target(config: Config, url: str | None, password_file: Path | None) -> StorePlace:
    if url is None and config.store.url is None:
        raise click.UsageError("--to: which database? Name its URL here, or as `store` in collector.toml")
    if url is not None:
        faults = list(store_faults(url, None, allow_plaintext=False, base=Path()))
        if faults:
            raise ConfigurationError([fault.replace("store", "--to", 1) for fault in faults])
    return StorePlace(config.state_directory, url or config.store.url, password_file or config.store.password_file)


def _copied(session: Session, config: Config, source: Store, target: StorePlace) -> str:
    """What differs in the end; empty where all is well: then the copy may be served, and the file no more."""
    # Imported where it is asked for: the driver is an extra.
    from detak_collector.store.copying import Copy  # noqa: PLC0415
    from detak_collector.store.postgresql import bring_schema  # noqa: PLC0415
    from detak_collector.store.postgresql_database import PostgresqlDatabase  # noqa: PLC0415

    now, rules = session.clock(), rules_in_force(config, source.entries)
    assert target.url is not None
    with ExitStack() as stack:
        database = stack.enter_context(closing(PostgresqlDatabase(target.url, target.password())))
        with database.writing() as connection:
            bring_schema(connection, database.place, now.utc)
        copying = stack.enter_context(closing(Copy(stack.enter_context(closing(source.database.connect())), database)))
        if copying.begin():
            click.echo("going on with a copy that was interrupted", err=True)
        bar = stack.enter_context(_bar())
        differing = copying.differing(_copy_told(bar, copying))
        if differing:
            return ", ".join(differing)
        verification = Verification(source.collector, GivenHead.of(str(source.ledger.head())))
        fault = verified(SqlLedger(database, source.collector), verification)
        if fault is not None:
            return f"the ledger, {fault.text}"
        copied = stack.enter_context(closing(SqlEvidence(database)))
        cells = months_known(source.evidence, rules, now.utc)
        step = bar.add_task("comparing months", total=len(cells), what="")
        wrong = differing_months(source.evidence, copied, rules, now, lambda: bar.advance(step))
        if wrong:
            names = (f"{datetime.fromtimestamp(begin / 1_000, rules.zone):%Y-%m}" for begin, _ in wrong)
            return f"the figures of {', '.join(names)}"
        # The file first: at no time may both be served.
        instance = source.instance.read()
        source.instance.keep(instance.fenced(now.utc, f"{COPIED}{database.place}"))
        copying.finish(instance.successor(now.utc), now.utc)
        rows = sum(copying.rows.values())
    click.echo(
        f"{rows:,} rows in {len(copying.tables)} tables are the same, so are the figures of {len(cells)} months. The "
        f"ledger of the copy is intact: head {verification.head}."
    )
    return ""


def _chain_all(source: Store, now_utc: int) -> None:
    """What was recorded of late is chained too, so that the copy is verified as a whole."""
    while source.ledger.append(now_utc) is not None:
        pass


def _copy_told(bar: Progress, copying: Copy) -> Told:
    """Copies, and returns whom the comparison tells how far it is."""
    total = sum(copying.rows.values())
    first, second = (bar.add_task(what, total=total, what="") for what in ("copying rows", "comparing rows"))
    copying.copy(lambda name, done: bar.update(first, advance=done, what=name))
    return lambda name, done: bar.update(second, advance=done, what=name)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Shows how far it is, on a terminal; tells nobody anything elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar
