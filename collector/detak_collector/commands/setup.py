"""`detak-collector init` and `config-check`: the files that a collector starts from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
PACKAGED_CONFIG, PACKAGED_STATE = Path("/etc/detak"), Path("/var/lib/detak-collector")
"""Where the package has them, which are made when it is installed."""

STATE = re.compile(r'^state_directory = "state"(?= )', re.MULTILINE)
LISTEN = re.compile(r"^listen = .*\n# public_url = .*$", re.MULTILINE)
COMMENTED_TLS = re.compile(r"^# \[tls\].*(?:\n# .+)+$", re.MULTILINE)
"""What is replaced in the example where a certificate is made."""

TLS = """\
[tls]
certificate = "{base}tls/server.pem"      # chain and key in one file: they are replaced in one moment
key = "{base}tls/server.pem"
authority = "{base}ca"                    # the own authority; agents trust its key"""

NEXT_STEPS = """\
Made {directory}/collector.toml and {directory}/services.toml; what it keeps goes to {state}.
{tls}{root}
Next:
  1. name your services:       edit {directory}/services.toml
  2. see that all is right:    {program} config-check
  3. start it:                 {start}
  4. let a node in:            {program} enroll NODE
  5. let people sign in:       take [sign_in] into {directory}/collector.toml, then
                               {program} user add NAME --role admin
"""
MADE_TLS = """\
Made an authority in {private}/ca and a certificate for {names} in {private}/tls.
  Whoever has {private}/ca/authority.key can pose as this collector. While it is there, the certificate is renewed by
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


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everything goes: what people edit, what the collector keeps, and its authority and certificate."""

    directory: Path
    state: Path

    @staticmethod
    def of(directory: Path, state: Path | None) -> _Places:
        """For /etc/detak of an installed package its state directory: the service can write nowhere else."""
        if state is not None:
            return _Places(directory, state.absolute())
        is_packaged = directory == PACKAGED_CONFIG and PACKAGED_STATE.is_dir()
        return _Places(directory, PACKAGED_STATE if is_packaged else directory / "state")

    @property
    def is_apart(self) -> bool:
        """Whether what it keeps lies elsewhere than beside its configuration."""
        return self.state != self.directory / "state"

    @property
    def private(self) -> Path:
        """Where the authority and the certificate go: what is renewed lies where the service may write."""
        return self.state if self.is_apart else self.directory

    @property
    def is_service(self) -> bool:
        """Whether the package's own unit starts what is here."""
        return (self.directory, self.state) == (PACKAGED_CONFIG, PACKAGED_STATE)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=PACKAGED_CONFIG)
@click.option("--name", "names", multiple=True, metavar="NAME", callback=checked_names, help=NAME_HELP)
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=8443, show_default=True, help="Where to listen, with --name."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="For evidence and keys. By itself state in DIRECTORY, and for /etc/detak what the package made in /var/lib.",
)
@click.pass_obj
def init(session: Session, directory: Path, names: tuple[str, ...], port: int, state: Path | None) -> None:
    """Write a first collector.toml and services.toml into DIRECTORY (/etc/detak), with a state directory for them.

    With --name also an authority of your own and a certificate that it has signed: agents trust the authority's key.
    """
    places = _Places.of(directory, state)
    wanted = [*(directory / name for name in EXAMPLES), *(places.private / name for name in ("ca", "tls"))]
    present = [path for path in wanted if path.exists()]
    if present:
        raise ConfigurationError([f"{path}: is there already, and is left as it is" for path in present])
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new:
        directory.chmod(0o755)
    for name in EXAMPLES:
        text = files("detak_collector").joinpath("examples", name).read_text(encoding="utf-8")
        # No secret is in them, and the collector reads them as whichever user it runs.
        write_whole(directory / name, _filled_in(text, places, names, port).encode(), 0o644)
    if names:
        _make_certificate(places, names, session.clock().utc)
    click.echo(_next_steps(places, names), nl=False)


def _next_steps(places: _Places, names: Sequence[str]) -> str:
    directory, private = places.directory, places.private
    program = "detak-collector"
    if directory != PACKAGED_CONFIG:
        program += f" --config {directory}/collector.toml"
    return NEXT_STEPS.format(
        directory=directory,
        state=places.state,
        tls=MADE_TLS.format(private=private, names=", ".join(names)) if names else MADE_NONE,
        root=_for_root(places),
        program=program,
        start="systemctl enable --now detak-collector" if places.is_service else f"{program} serve",
    )


def _for_root(places: _Places) -> str:
    """What root has to do so that a collector that is not root can start."""
    if os.geteuid() != 0 or places.state.stat().st_uid != 0:
        return ""
    kept = [places.state, *(places.private / name for name in ("tls", "ca"))]
    return AS_ANOTHER_USER.format(private=" ".join(str(one) for one in kept if one.exists()))


def _filled_in(text: str, places: _Places, names: Sequence[str], port: int) -> str:
    """The example with what is known of this installation."""
    if places.is_apart:
        text = STATE.sub(lambda _: f"state_directory = {json.dumps(str(places.state))}", text, count=1)
    if not names:
        return text
    host = f"[{names[0]}]" if ":" in names[0] else names[0]
    listen = f'listen = "0.0.0.0:{port}"             # ADDRESS:PORT\npublic_url = "https://{host}:{port}"'
    tls = TLS.format(base=f"{places.private}/" if places.is_apart else "")
    return COMMENTED_TLS.sub(lambda _: tls, LISTEN.sub(listen, text, count=1), count=1)


def _make_certificate(places: _Places, names: Sequence[str], now_utc: int) -> None:
    folder, pair = AuthorityFolder(places.private / "ca"), places.private / "tls" / "server.pem"
    if places.is_apart:
        for path in (folder.path, pair.parent):
            _make_like(places.state, path)
    folder.begin(names[0], now_utc)
    keep_issued(Tls(pair, pair, folder.path), folder.issue(names, now_utc))


def _make_like(owner: Path, path: Path) -> None:
    """A private folder of whom `owner` belongs to, so that the service can renew what is in it."""
    path.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(path, owner.stat().st_uid, owner.stat().st_gid)


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
