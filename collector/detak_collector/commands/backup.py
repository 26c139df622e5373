"""`detak-collector backup`, `restore`, `move` and `adopt`: copies of the store, and which of them serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.channel.private_files import write_whole
from detak_collector.commands.session import Session, login_name
from detak_collector.config import Config, ConfigurationError
from detak_collector.copies import backup as backups
from detak_collector.copies import restore as restores
from detak_collector.copies.instance import hindrance
from detak_collector.copies.machine import this_machine
from detak_collector.copies.restored import note_restore
from detak_collector.copies.snapshot import Progress as Told
from detak_collector.copies.state_directory import owned
from detak_collector.errors import CannotServeError
from detak_collector.operating.disk import in_words
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.sqlite import FILE_NAME

PAGE_BYTES = 4_096
FILE = click.Path(path_type=Path, dir_okay=False)

MOVED = """\
This collector serves no more: its store knows that it was moved.

On the new machine, with the same version or a newer one:
  1. restore it:          detak-collector restore {name}
  2. start it:            systemctl enable --now detak-collector
  3. lead the agents to it: give it the address or the DNS name that {url} stands for
Here:
  4. disable this one:    systemctl disable detak-collector
Agents keep what they measure meanwhile, and deliver it to the new one. If the move is given up before the new one has
served: detak-collector adopt
"""


@contextmanager
def progress_bar(what: str) -> Iterator[Told]:
    """Shows how far a copy is, on a terminal; tells nobody anything elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done * PAGE_BYTES, total=total * PAGE_BYTES)


def _with_a_file(config: Config) -> Config:
    """The configuration, where the store is a file; raises ConfigurationError."""
    if config.store.url is not None:
        raise ConfigurationError(
            [
                (
                    "store: it is a PostgreSQL database, which has its own ways to be backed up, restored and moved: "
                    "`pg_dump --format=custom` or a base backup, and a copy of the configuration's folder"
                )
            ]
        )
    return config


@click.command()
@click.argument("file", type=FILE)
@click.pass_obj
def backup(session: Session, file: Path) -> None:
    """Write the store and the configuration into FILE, while the collector serves.

    Everything that was acknowledged before is in it. FILE holds keys: keep it as secret as they are.
    """
    config, now = _with_a_file(session.config()), session.clock().utc
    with session.existing_store(config) as store, progress_bar("copying") as progress:
        # Copies know each other by what is in this row: it is there before the first of them is made. Of a disk that
        # takes nothing any more a backup is made all the same, and worth the more.
        with suppress(StoreUnavailableError):
            store.instance.read()
        store.ledger.brought_on(now)
        made = backups.make(backups.Source(session.config_path, config), file.absolute(), now, progress=progress)
    _note_backup(config, backups.LastBackup(now, str(made.path)))
    session.audit(config, "backup", f"a backup was made: {made.path}", file=str(made.path))
    what = f"a store of {in_words(made.store_bytes)}, checked as a whole, and {made.files} files of the configuration"
    click.echo(f"{made.path}: {in_words(made.size)}, with {what}")
    click.echo(f"ledger head {made.ledger}")


def _note_backup(config: Config, last: backups.LastBackup) -> None:
    """For `doctor`; a backup is no worse where that cannot be kept."""
    with suppress(OSError):
        write_whole(config.state_directory / backups.LAST_NAME, msgspec.json.encode(last), 0o600)


@click.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace what is there; it is kept under another name.")
@click.pass_obj
def restore(session: Session, file: Path, force: bool) -> None:  # noqa: FBT001 - click's own form
    """Put the store and the configuration of the backup FILE in their places. The collector must not run.

    From then on this copy serves, and any other copy of the same store gives way to it. Agents deliver again what they
    still have and it lacks.
    """
    now, config_path = session.clock().utc, session.config_path.absolute()
    try:
        found = restores.read(file)
        state = found.state_directory(config_path)
        with owned(state):
            if not force:
                _refuse_present(found.differing(config_path), state / FILE_NAME)
            with restores.unpacked_store(found, state) as store:
                written = restores.put_configuration(found, config_path, now)
                note_restore(store.path, store.head, found.manifest.made_utc, login_name(), now)
                former = restores.put_store(store.path, state, now)
    except restores.BackupError as error:
        raise CannotServeError(str(error)) from error
    for path in written:
        click.echo(f"{path}: written")
    if former is not None:
        click.echo(f"{former}: the store as it was before")
    session.audit(session.config(), "restored", f"the store was restored from {file}", file=str(file))
    click.echo(f"{state / FILE_NAME}: restored, as of {_shown(found.manifest.made_utc)}; start the collector")
    if store.head is not None:
        click.echo(f"The ledger goes on from {store.head}, and says so; heads told after that backup are not in it.")


def _shown(utc: int) -> str:
    return f"{datetime.fromtimestamp(utc / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _refuse_present(files: Sequence[Path], store: Path) -> None:
    faults = [f"{path}: is there already and differs" for path in files]
    if store.exists():
        faults.append(f"{store}: there is a store already")
    if faults:
        raise ConfigurationError([*faults, "--force replaces what is there, and keeps it under another name"])


@click.command()
@click.argument("file", type=FILE)
@click.pass_obj
def move(session: Session, file: Path) -> None:
    """Write everything into FILE for another machine, and let this collector never serve again. It must not run.

    FILE appears only once this store knows that it was moved, so that never two collectors have one identity.
    """
    config, now = _with_a_file(session.config()), session.clock().utc
    with owned(config.state_directory), session.store_to_change(config) as store, progress_bar("copying") as progress:

        def fence() -> None:
            store.instance.keep(store.instance.read().fenced(now, f"it was moved, with {file.name}"))

        store.instance.read()
        store.ledger.brought_on(now)
        source = backups.Source(session.config_path, config)
        made = backups.make(source, file.absolute(), now, fence=fence, progress=progress)
    session.audit(config, "moved", f"the collector was moved away with {made.path}", file=str(made.path))
    click.echo(f"{made.path}: {in_words(made.size)}\n\n{MOVED.format(name=made.path.name, url=config.url)}", nl=False)


@click.command()
@click.pass_obj
def adopt(session: Session) -> int:
    """Let this copy of the store serve on this machine, in place of every other copy.

    For a store that was copied here by other means than `move` and `restore`, and for a move that was given up. Be sure
    that the other collector never serves again.
    """
    config, home = _with_a_file(session.config()), this_machine()
    with owned(config.state_directory), session.whichever_store(config) as store:
        instance = store.instance.read()
        reason = hindrance(instance, home)
        if reason is None:
            click.echo("This copy serves here already; nothing is changed.")
            return 0
        store.instance.keep(instance.adopted(home, session.clock().utc))
    session.audit(config, "adopted", "this copy of the store was made the one that serves")
    click.echo("From now on this copy serves here, and every other one gives way to it. Start the collector.")
    return 0
