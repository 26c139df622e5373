"""`detak-collector init` and `config-check`: the files that a collector starts from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click

from detak_collector import catalogue
from detak_collector.catalogue.holiday_table import UNCHECKED
from detak_collector.certificate import certificate_line
from detak_collector.cli_session import Session
from detak_collector.config import ConfigurationError
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.figures import unfilled

EXAMPLES = ("collector.toml", "services.toml")

NEXT_STEPS = """\
Made {directory}/collector.toml, {directory}/services.toml and {directory}/state.

Next:
  1. name your services:       edit {directory}/services.toml
  2. see that all is right:    detak-collector --config {directory}/collector.toml config-check
  3. start it:                 detak-collector --config {directory}/collector.toml serve
  4. let a node in:            detak-collector --config {directory}/collector.toml enroll NODE
"""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(directory: Path) -> None:
    """Write a first collector.toml and services.toml into DIRECTORY, with a state directory beside them."""
    present = [directory / name for name in EXAMPLES if (directory / name).exists()]
    if present:
        raise ConfigurationError([f"{path}: is there already, and is left as it is" for path in present])
    (directory / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in EXAMPLES:
        text = files("detak_collector").joinpath("examples", name).read_text(encoding="utf-8")
        (directory / name).write_text(text, encoding="utf-8")
    click.echo(NEXT_STEPS.format(directory=directory), nl=False)


@click.command("config-check")
@click.pass_obj
def config_check(session: Session) -> None:
    """Say everything that is wrong with collector.toml and services.toml."""
    faults: list[str] = []
    checked: Catalogue | None = None
    try:
        config = session.config()
    except ConfigurationError as error:
        faults += error.faults
        services = session.config_path.parent / "services.toml"
    else:
        services = config.services
    try:
        if not faults or services.exists():
            checked = catalogue.load(services)
    except catalogue.CatalogueError as error:
        faults += error.lines
    missing, ahead = unfilled(checked, session.clock().utc) if checked is not None else ([], [])
    faults += [f"{services}: {one.line}" for one in missing]
    if faults:
        raise ConfigurationError(faults)
    if checked is not None:
        click.echo(f"{session.config_path}: fine")
        if config.tls is not None:
            click.echo(f"{config.tls.certificate}: {certificate_line(config.tls.certificate)}")
        click.echo(f"{services}: fine, {len(checked.services)} services")
        for line in (*(f"before {one.year} begins: {one.line}" for one in ahead), *_unchecked(checked)):
            click.echo(f"{services}: {line}")


def _unchecked(checked: Catalogue) -> Iterator[str]:
    """Tables of holidays with rows that were only proposed."""
    for calendar in checked.calendars:
        rows = sum(one.decree.startswith(UNCHECKED) for one in calendar.holidays)
        if rows:
            where = f"calendar[{calendar.id}].holidays"
            yield f"{where}: {rows} rows of {calendar.holidays_file} still wait for their decree's number"
