"""`detak-collector doctor`: gathers how this collector stands, and tells what is wrong."""

from __future__ import annotations

import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from detak_collector import catalogue
from detak_collector.channel.authority_files import AuthorityFolder
from detak_collector.channel.certificate_files import Period, certificates_in, period_of
from detak_collector.channel.note import read_noted
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.config import Config
from detak_collector.copies import backup
from detak_collector.copies.instance import hindrance
from detak_collector.copies.machine import this_machine
from detak_collector.operating.disk import load_history, measured
from detak_collector.operating.doctor import Examined, FileFact, Secrecy, findings
from detak_collector.operating.doctor_catalogue import Finding, Severity
from detak_collector.operating.ntp import clock_state
from detak_collector.store.sqlite import FILE_NAME

FINE = "Nothing is wrong: clock, certificates, permissions, disk, backup, nodes and catalogue are as they should be."


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of findings.")
@click.pass_obj
def doctor(session: Session, as_json: bool) -> int:  # noqa: FBT001 - click's own form
    """Look for what is usually wrong, and say why it matters and what to do. Exit code 1 if anything is.

    It looks at the clock, certificates, permissions, the disk, backups, the nodes, and whether the catalogue fits what
    is measured. It changes nothing.
    """
    found = findings(_examined(session, session.config()))
    if as_json:
        click.echo(msgspec.json.encode({"findings": [_plain(one) for one in found]}).decode())
    else:
        _print(session, found)
    return EXIT_BAD_NEWS if found else 0


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "severity": str(finding.severity),
        "area": finding.area,
        "what": finding.what,
        "why": finding.why,
        "do": finding.what_to_do,
    }


def _print(session: Session, found: list[Finding]) -> None:
    if not found:
        click.echo(FINE)
    for one in found:
        mark = "FAULT  " if one.severity is Severity.FAULT else "warning"
        session.console.print(f"{mark}  {one.area}: {one.what}.")
        session.console.print(f"         {one.why[:1].upper()}{one.why[1:]}.")
        session.console.print(f"         To do: {one.what_to_do}.\n")


def _examined(session: Session, config: Config) -> Examined:
    now = session.clock()
    loaded = catalogue.load(config.services)
    with session.existing_store(config) as store:
        rows, watched_to = store.registry.listing(now), store.watch.latest_utc()
        why = hindrance(store.instance.read(), this_machine())
        lacks_standby = store.database.lacks_standby
    noted = read_noted(config.state_directory)
    return Examined(
        now_utc=now.utc,
        catalogue=loaded,
        down_after_ms=config.down_after_ms,
        rows=rows,
        watched_to=watched_to,
        clock=clock_state(),
        certificates=_certificates(config),
        refusers=0 if noted is None else len(noted.refusers),
        files=list(_files(session.config_path, config)),
        disk=measured(config.state_directory, load_history(config.state_directory)),
        last_backup=_last_backup(config.state_directory),
        hindrance=why,
        lacks_standby=lacks_standby,
    )


def _certificates(config: Config) -> Mapping[str, Period]:
    """Raises CertificateError where the collector's own cannot be read: then nothing can be served."""
    if config.tls is None:
        return {}
    found = {"collector": period_of(certificates_in(config.tls.certificate.read_bytes())[0])}
    if config.tls.authority is not None:
        found["authority"] = period_of(AuthorityFolder(config.tls.authority).certificates()[0])
    return found


def _files(config_path: Path, config: Config) -> Iterator[FileFact]:
    """Who may read and write what matters; the state directory belongs to whom the collector runs as."""
    service = _owner(config.state_directory)
    yield _fact(config.state_directory, service, Secrecy.PRIVATE)
    for path in sorted(config.state_directory.glob(f"{FILE_NAME}*")):
        yield _fact(path, service, Secrecy.PRIVATE)
    if config.tls is not None:
        yield _fact(config.tls.key, _owner(config.tls.key), Secrecy.PRIVATE)
    for path in (config_path, config.services):
        yield _fact(path, _owner(path), Secrecy.WRITTEN_BY_OWNER)


def _fact(path: Path, expected: str, secrecy: Secrecy) -> FileFact:
    return FileFact(str(path), path.stat().st_mode & 0o777, _owner(path), expected, secrecy)


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _last_backup(state_directory: Path) -> int | None:
    try:
        content = (state_directory / backup.LAST_NAME).read_bytes()
        return msgspec.json.decode(content, type=backup.LastBackup).utc
    except (OSError, msgspec.DecodeError):
        return None
