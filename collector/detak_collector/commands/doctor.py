"""`detak-collector doctor`: gathers how this collector stands, and tells what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click
import msgspec
from cryptography import x509

from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.texts import read
from detak_collector.catalogue.versions import Versions
from detak_collector.channel.authority_files import AuthorityFolder
from detak_collector.channel.certificate_files import CertificateError, Period, certificates_in, period_of
from detak_collector.channel.note import read_noted
from detak_collector.clocks import Reading
from detak_collector.closing.gathering import seals_of
from detak_collector.closing.recomputed import read_recomputed
from detak_collector.commands.closing_desk import PROGRAM
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, hindrance_here, user_name
from detak_collector.config import Config, ConfigurationError, Tls, as_far_as_right
from detak_collector.copies import backup
from detak_collector.copies.state_directory import LOCK_NAME, is_owned
from detak_collector.operating.catalogue_alarms import OnDisk
from detak_collector.operating.disk import Disk, load_history, measured
from detak_collector.operating.doctor import Examined, FileFact, Secrecy, findings
from detak_collector.operating.doctor_catalogue import Finding, Severity
from detak_collector.operating.ntp import clock_state
from detak_collector.pair.here import role_here
from detak_collector.rules import rules_in_force
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME

FINE = "Nothing is wrong: clock, certificates, permissions, disk, backup, nodes and catalogue are as they should be."


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of findings.")
@click.pass_obj
def doctor(session: Session, as_json: bool) -> int:  # noqa: FBT001 - click's own form
    """Look for what is usually wrong, and say why it matters and what to do. Exit code 1 if anything is.

    It looks at the clock, certificates, permissions, the disk, backups, the nodes, whether the catalogue fits what is
    measured, and whether seals were recomputed after an upgrade. It changes nothing.
    """
    config, faults = as_far_as_right(session.config_path)
    if config is None:
        raise ConfigurationError(faults)
    found = findings(_examined(session, config, faults))
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


def _examined(session: Session, config: Config, faults: Sequence[str]) -> Examined:
    """All of it; what cannot be looked at is a finding of its own."""
    now, found = session.clock(), [_fault_of_configuration(fault) for fault in faults]
    noted = read_noted(config.state_directory)
    return replace(
        _of_store(session, config, now, found),
        clock=clock_state(),
        certificates=dict(_certificates(config, found)),
        refusers=0 if noted is None else len(noted.refusers),
        is_unheard=noted is not None and noted.says_unheard(now.utc),
        files=list(_files(session.config_path, config)),
        disk=_disk(config, found),
        last_backup=_last_backup(config.state_directory),
        on_disk=_on_disk(config.services),
        is_running=is_owned(config.state_directory),
        troubles=found,
    )


def _fault_of_configuration(fault: str) -> Finding:
    return Finding(
        Severity.FAULT, "configuration", fault,
        "a collector that runs goes on by what it has, and does not start again after that",
        "correct it, then `detak-collector config-check`",
    )  # fmt: skip


def _of_store(session: Session, config: Config, now: Reading, found: list[Finding]) -> Examined:
    """What the store tells, and nothing where it cannot be read: then `found` has why."""
    nothing = Examined(
        now_utc=now.utc, catalogue=None, down_after_ms=config.down_after_ms, rows=(), watched_to=None, clock=None,
        certificates={}, refusers=0, files=(), disk=None, last_backup=None, hindrance=None, is_known=False,
    )  # fmt: skip
    try:
        with session.existing_store(config) as store:
            known = replace(
                nothing,
                rows=store.registry.listing(now),
                watched_to=store.watch.latest_utc(),
                hindrance=hindrance_here(store),
                lacks_standby=store.database.lacks_standby,
                leads=role_here(store, config).leads,
                is_known=True,
            )
            return _with_catalogue(_with_seals(known, config, store), config, store, found)
    except StoreError as error:
        found.append(Finding(
            Severity.FAULT, "store", str(error).rstrip("."),
            "nothing can be said of the nodes and of any figure while the store cannot be read",
            "see that path, its owner and the disk under it, then run this again",
        ))  # fmt: skip
        return nothing


def _with_seals(known: Examined, config: Config, store: Store) -> Examined:
    with store.database.reading() as connection:
        standing = list(seals_of(connection).standing())
    noted = read_recomputed(config.state_directory)
    return replace(
        known, unseen_seals=noted.unseen(standing, PROGRAM), differing_seals=noted.differing(standing, PROGRAM)
    )


def _with_catalogue(known: Examined, config: Config, store: Store, found: list[Finding]) -> Examined:
    try:
        rules = rules_in_force(config, store.entries)
    except CatalogueError as error:
        found.extend(
            Finding(Severity.FAULT, "catalogue", line, "no service is known, and no figure can be derived",
                    "correct it, then `detak-collector config-check`")
            for line in error.lines
        )  # fmt: skip
        return known
    versions = Versions() if rules.versions is None else rules.versions.versions
    return replace(known, catalogue=rules.catalogue, versions=versions)


def _certificates(config: Config, found: list[Finding]) -> Iterator[tuple[str, Period]]:
    if config.tls is None:
        return
    authority = config.tls.authority
    readers: dict[str, Callable[[], x509.Certificate]] = {"collector": lambda: _first(config.tls)}
    if authority is not None:
        readers["authority"] = lambda: AuthorityFolder(authority).certificates()[0]
    for name, certificate in readers.items():
        try:
            yield name, period_of(certificate())
        except (CertificateError, OSError) as error:
            what = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
            found.append(Finding(
                Severity.FAULT, "tls", f"the {name}'s certificate cannot be read: {what}",
                "a collector that runs goes on with the one it has, and cannot start again without it",
                "bring the file back, from a backup if need be, or see `detak-collector certificate renew`",
            ))  # fmt: skip


def _first(tls: Tls | None) -> x509.Certificate:
    assert tls is not None
    return certificates_in(tls.certificate.read_bytes())[0]


def _disk(config: Config, found: list[Finding]) -> Disk | None:
    state = config.state_directory
    try:
        if os.statvfs(state).f_flag & os.ST_RDONLY:
            found.append(Finding(
                Severity.FAULT, "disk", f"the file system of {state} is read-only",
                "evidence is refused and agents keep it; nothing can be entered, and commands only look",
                "`dmesg` says why: a disk that fails is often turned so. Make a backup now, then mount it for writing",
            ))  # fmt: skip
        return measured(state, load_history(state))
    except OSError as error:
        found.append(Finding(
            Severity.FAULT, "disk", f"the state directory {state}: {error.strerror}",
            "nothing can be kept, and the collector does not start",
            "bring it back or restore a backup, and see what `state_directory` in collector.toml says",
        ))  # fmt: skip
        return None


def _files(config_path: Path, config: Config) -> Iterator[FileFact]:
    """Who may read and write what matters; the state directory belongs to whom the collector runs as."""
    state = config.state_directory
    private = [state, *sorted(state.glob(f"{FILE_NAME}*")), state / LOCK_NAME]
    places = [(path, state, Secrecy.PRIVATE) for path in private]
    if config.tls is not None:
        places.append((config.tls.key, config.tls.key, Secrecy.PRIVATE))
    places += [(path, path, Secrecy.WRITTEN_BY_OWNER) for path in (config_path, config.services)]
    for path, like, secrecy in places:
        # What is not there, or not to be seen, is told by what looks into it.
        with suppress(OSError):
            yield FileFact(
                str(path), path.stat().st_mode & 0o777, user_name(path.stat().st_uid), user_name(like.stat().st_uid),
                secrecy,
            )  # fmt: skip


def _on_disk(services: Path) -> OnDisk:
    try:
        return OnDisk(read(services).texts.digest)
    except CatalogueError:
        return OnDisk("", is_broken=True)


def _last_backup(state_directory: Path) -> int | None:
    try:
        content = (state_directory / backup.LAST_NAME).read_bytes()
        return msgspec.json.decode(content, type=backup.LastBackup).utc
    except (OSError, msgspec.DecodeError):
        return None
