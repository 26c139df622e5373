"""`detak-collector init` and `config-check`: the files that a collector starts from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import click

from detak_collector import catalogue
from detak_collector.catalogue.holiday_table import UNCHECKED
from detak_collector.channel.authority_files import AuthorityFolder, keep_issued
from detak_collector.channel.certificate import certificate_line
from detak_collector.channel.private_files import write_whole
from detak_collector.commands.certificate import NAME_HELP, checked_names
from detak_collector.commands.session import Session
from detak_collector.config import ConfigurationError, Tls
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.figures import unfilled

EXAMPLES = ("collector.toml", "services.toml")

LISTEN = re.compile(r"^listen = .*\n# public_url = .*$", re.MULTILINE)
COMMENTED_TLS = re.compile(r"^# \[tls\].*(?:\n# .+)+$", re.MULTILINE)
"""What is replaced in the example where a certificate is made."""

TLS = """\
[tls]
certificate = "tls/server.pem"      # chain and key in one file: they are replaced in one moment
key = "tls/server.pem"
authority = "ca"                    # the own authority; agents trust its key"""

NEXT_STEPS = """\
Made {directory}/collector.toml, {directory}/services.toml and {directory}/state.
{tls}{root}
Next:
  1. name your services:       edit {directory}/services.toml
  2. see that all is right:    detak-collector --config {directory}/collector.toml config-check
  3. start it:                 detak-collector --config {directory}/collector.toml serve
  4. let a node in:            detak-collector --config {directory}/collector.toml enroll NODE
  5. let people sign in:       take [sign_in] into {directory}/collector.toml, then
                               detak-collector --config {directory}/collector.toml user add NAME --role admin
"""
MADE_TLS = """\
Made an authority in {directory}/ca and a certificate for {names} in {directory}/tls.
  Whoever has {directory}/ca/authority.key can pose as this collector. While it is there, the certificate is renewed by
  itself; kept elsewhere, bring it back for `detak-collector certificate renew` once a year: you are told 60 days ahead.
"""
AS_ANOTHER_USER = """\
You are root. Where the collector runs as another user, such as detak-collector, these must be that user's:
  chown -R detak-collector: {private}
"""
MADE_NONE = """\
It listens on this machine only. For agents on others: `init --name NAME` with the name under which they reach it, or
a certificate of your organisation under [tls] in collector.toml.
"""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", "names", multiple=True, metavar="NAME", callback=checked_names, help=NAME_HELP)
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=8443, show_default=True, help="Where to listen, with --name."
)
@click.pass_obj
def init(session: Session, directory: Path, names: tuple[str, ...], port: int) -> None:
    """Write a first collector.toml and services.toml into DIRECTORY, with a state directory beside them.

    With --name also an authority of your own and a certificate that it has signed: agents trust the authority's key.
    """
    present = [directory / name for name in (*EXAMPLES, "ca", "tls") if (directory / name).exists()]
    if present:
        raise ConfigurationError([f"{path}: is there already, and is left as it is" for path in present])
    is_new = not directory.exists()
    (directory / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new:
        directory.chmod(0o755)
    for name in EXAMPLES:
        text = files("detak_collector").joinpath("examples", name).read_text(encoding="utf-8")
        # No secret is in them, and the collector reads them as whichever user it runs.
        write_whole(directory / name, (_with_tls(text, names, port) if names else text).encode(), 0o644)
    if names:
        _make_certificate(directory, names, session.clock().utc)
    tls = MADE_TLS.format(directory=directory, names=", ".join(names)) if names else MADE_NONE
    click.echo(NEXT_STEPS.format(directory=directory, tls=tls, root=_for_root(directory)), nl=False)


def _for_root(directory: Path) -> str:
    """What root has to do so that a collector that is not root can start."""
    if os.geteuid() != 0:
        return ""
    private = " ".join(str(directory / name) for name in ("state", "tls", "ca") if (directory / name).exists())
    return AS_ANOTHER_USER.format(private=private)


def _with_tls(text: str, names: Sequence[str], port: int) -> str:
    """The example as it is with a certificate of one's own."""
    host = f"[{names[0]}]" if ":" in names[0] else names[0]
    listen = f'listen = "0.0.0.0:{port}"             # ADDRESS:PORT\npublic_url = "https://{host}:{port}"'
    return COMMENTED_TLS.sub(TLS, LISTEN.sub(listen, text, count=1), count=1)


def _make_certificate(directory: Path, names: Sequence[str], now_utc: int) -> None:
    folder, pair = AuthorityFolder(directory / "ca"), directory / "tls" / "server.pem"
    folder.begin(names[0], now_utc)
    keep_issued(Tls(pair, pair, folder.path), folder.issue(names, now_utc))


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
        click.echo(f"{services}: fine, {_counted(len(checked.services), 'service')}")
        for line in (*(f"before {one.year} begins: {one.line}" for one in ahead), *_unchecked(checked)):
            click.echo(f"{services}: {line}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _unchecked(checked: Catalogue) -> Iterator[str]:
    """Tables of holidays with rows that were only proposed."""
    for calendar in checked.calendars:
        rows = sum(one.decree.startswith(UNCHECKED) for one in calendar.holidays)
        if rows:
            where = f"calendar[{calendar.id}].holidays"
            yield f"{where}: {rows} rows of {calendar.holidays_file} still wait for their decree's number"
