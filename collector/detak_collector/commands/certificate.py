"""`detak-collector certificate`: the collector's certificate, the own authority, and the way from one to the next."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

import click
from cryptography.x509.oid import NameOID

from detak_collector.channel.authority import names_of
from detak_collector.channel.authority_files import AuthorityFolder, renew
from detak_collector.channel.certificate import fingerprint_of
from detak_collector.channel.certificate_files import Period, certificates_in, end_warning, period_of
from detak_collector.channel.note import LASTING_MS, read_noted
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.config import Config, ConfigurationError, Tls

NAME_HELP = "A host name or address under which agents reach this collector; may be repeated."
RENEW_HELP = f"{NAME_HELP}  [default: as before]"
TAKEN = "A collector that runs takes it within a few seconds; no connection is closed."

_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def checked_names(_context: click.Context, _parameter: click.Parameter, names: Sequence[str]) -> tuple[str, ...]:
    """Host names in lower case and addresses; anything else is a usage error."""
    for name in names:
        if not _is_address(name) and not _NAME.fullmatch(name):
            raise click.BadParameter(f"expected a host name or an address, without port or https:// (got {name!r})")
    return tuple(dict.fromkeys(name.lower() for name in names))


@click.group("certificate")
def certificate() -> None:
    """Show and renew the certificate that agents trust, or change the authority that signs it."""


@certificate.command()
@click.pass_obj
def show(session: Session) -> int:
    """Say what is served, until when, what agents pin, and who refuses it. Exit code 1 if somebody must see to it."""
    config, now = session.config(), session.clock().utc
    lines, warnings = _told(_tls(config), now), [*_endings(_tls(config), now), *_refused(config, now)]
    for line in lines:
        click.echo(line)
    for line in warnings:
        click.echo(line, err=True)
    return EXIT_BAD_NEWS if warnings else 0


@certificate.command("renew")
@click.option("--name", "names", multiple=True, metavar="NAME", callback=checked_names, help=RENEW_HELP)
@click.pass_obj
def renew_command(session: Session, names: Sequence[str]) -> None:
    """Make a new certificate and key, signed by the own authority. `serve` does it by itself 90 days ahead."""
    tls = _tls(session.config())
    chosen = renew(tls, session.clock().utc, names)
    click.echo(f"{tls.certificate}: renewed for {', '.join(chosen)}. {TAKEN}")


@certificate.command("next-authority")
@click.pass_obj
def next_authority(session: Session) -> None:
    """First step of a roll-over: make the next authority and tell agents of its key. It signs nothing yet."""
    folder = _folder(session.config())
    folder.begin_next(_organisation(folder), session.clock().utc)
    click.echo(
        f"{folder.path / 'next.pem'}: made. Agents that are connected know it within an hour, "
        "all others when they next connect.\nThen: detak-collector certificate roll-over"
    )


@certificate.command("roll-over")
@click.pass_obj
def roll_over(session: Session) -> None:
    """Second step: the next authority signs from now on. Agents that know only the former one go on trusting it."""
    tls = _tls(session.config())
    folder = _folder(session.config())
    folder.hand_over()
    renew(tls, session.clock().utc)
    click.echo(
        f"{tls.certificate}: signed by the next authority. {TAKEN}\nOnce every node was heard since: "
        "detak-collector certificate retire-former"
    )


@certificate.command("retire-former")
@click.pass_obj
def retire_former(session: Session) -> None:
    """Last step: agents are told to trust the present authority alone."""
    tls = _tls(session.config())
    folder = _folder(session.config())
    folder.retire_former()
    renew(tls, session.clock().utc)
    click.echo(
        f"{folder.path}: the former authority is gone. Enrol nodes again that were not heard since the roll-over."
    )


def _told(tls: Tls, now_utc: int) -> Iterator[str]:
    served = certificates_in(tls.certificate.read_bytes())[0]
    period = period_of(served)
    yield f"certificate  {tls.certificate}"
    yield f"for          {', '.join(names_of(served)) or 'no name'}"
    yield f"period       {period}, {period.days_left(now_utc)} days left"
    yield f"fingerprint  {fingerprint_of(tls.certificate)}"
    if tls.authority is None:
        return
    folder = AuthorityFolder(tls.authority)
    for place, one in zip(("authority", "beside it"), folder.certificates(), strict=False):
        yield f"{place:12} {one.subject.rfc4514_string()}, {period_of(one)}"
    for fingerprint in folder.fingerprints():
        yield f"agents pin   {fingerprint}"
    if not folder.has_key():
        yield f"key          not in {tls.authority}: bring authority.key there to renew the certificate"


def _endings(tls: Tls, now_utc: int) -> Iterator[str]:
    periods: dict[str, Period] = {"collector": period_of(certificates_in(tls.certificate.read_bytes())[0])}
    folder = None if tls.authority is None else AuthorityFolder(tls.authority)
    if folder is not None:
        periods["authority"] = period_of(folder.certificates()[0])
    for name, period in periods.items():
        warning = end_warning(name, period, now_utc)
        if warning is not None:
            yield warning[1]


def _refused(config: Config, now_utc: int) -> Iterator[str]:
    noted = read_noted(config.state_directory)
    if noted is None or now_utc - noted.utc > LASTING_MS:
        return
    for one in noted.refusers:
        age_s = (now_utc - one.last_utc) // 1_000
        yield f"refused by {one.address}, {one.times} times, last {age_s} s ago: {one.reason}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _tls(config: Config) -> Tls:
    if config.tls is None:
        raise ConfigurationError(
            ["tls: this collector has no certificate: `detak-collector init --name NAME` makes one"]
        )
    return config.tls


def _folder(config: Config) -> AuthorityFolder:
    tls = _tls(config)
    if tls.authority is None:
        raise ConfigurationError(
            ["tls.authority: is missing: this certificate's authority is not this collector's own"]
        )
    return AuthorityFolder(tls.authority)


def _organisation(folder: AuthorityFolder) -> str:
    """As the present authority has it."""
    (name,) = folder.certificates()[0].subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(name.value)
