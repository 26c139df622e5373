"""`detak-collector pair` and `promote`: two collectors of which one leads."""

from __future__ import annotations

import asyncio
import re
import secrets

import click
from rich.table import Table

from detak_collector.channel.authority_files import AuthorityFolder
from detak_collector.channel.certificate import is_trusted_everywhere, shown_certificate
from detak_collector.channel.certificate_files import CertificateError
from detak_collector.channel.enrol import RANDOM_BYTES, digest
from detak_collector.commands.history import Words
from detak_collector.commands.nodes import Lifetime
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, login_name
from detak_collector.config import Config, url_fault
from detak_collector.errors import CannotServeError
from detak_collector.pair.alarms import SILENT_MS
from detak_collector.pair.client import Client, PeerError, authority_to_trust
from detak_collector.pair.entry import PROMOTION, Entry, contradictions
from detak_collector.pair.here import require_leader, role_here
from detak_collector.pair.messages import PAIR_PROTOCOL, Pairing
from detak_collector.pair.promotion import promote as promoted
from detak_collector.pair.trust import UntrustedError
from detak_collector.report.tables import local_text
from detak_collector.rules import rules_in_force
from detak_collector.store.peers import Peer


@click.group()
def pair() -> None:
    """Make two collectors a pair, of which one leads and the other one follows."""


@pair.command()
@click.option("--expires", type=Lifetime(), default="24h", show_default=True, help="How long the token may be used.")
@click.pass_obj
def token(session: Session, expires: int) -> None:
    """Make a one-time token on the collector that leads, and print the line to paste on the one that shall follow."""
    config = session.config()
    made = secrets.token_hex(RANDOM_BYTES)
    with session.store(config) as store:
        require_leader(store, config)
        store.peers.issue(digest(made), session.clock().utc + expires)
    session.audit(config, "pair-token-issued", "a token was made for another collector")
    shown = shown_certificate(config)
    click.echo("Run this on the collector that shall follow; the token works once:\n", err=True)
    click.echo(f"detak-collector pair join {config.url} --token {made}{shown.argument}")


@pair.command()
@click.argument("url")
@click.option("--token", "secret", required=True, help="What `detak-collector pair token` printed on the other one.")
@click.option("--ca-key", "ca_keys", multiple=True, help="The key of the other one's own certificate authority.")
@click.option("--fingerprint", help="The fingerprint of the other one's certificate.")
@click.pass_obj
def join(session: Session, url: str, secret: str, ca_keys: tuple[str, ...], fingerprint: str | None) -> None:
    """Make this collector the pair of the one at URL, which must be running."""
    config = session.config()
    url = url.rstrip("/")
    fault = url_fault(url, allow_plaintext=config.allow_plaintext)
    if fault is not None:
        raise click.UsageError(f"URL: {fault}")
    if not re.fullmatch(f"[0-9a-f]{{{2 * RANDOM_BYTES}}}", secret):
        raise click.UsageError(
            "--token: this is no token: paste the whole line that `detak-collector pair token` printed"
        )
    key = secrets.token_hex(RANDOM_BYTES)
    with session.store(config) as store:
        pairing = Pairing(PAIR_PROTOCOL, secret, store.collector, config.url, key, _authority(config))
        try:
            peer = asyncio.run(_join(url, pairing, ca_keys, fingerprint))
        except (PeerError, UntrustedError) as error:
            raise CannotServeError(str(error)) from error
        store.peers.put(peer, digest(key), session.clock().utc)
    session.audit(config, "paired", f"collector {peer.collector} at {url} is this one's pair from now on", url=url)
    click.echo(f"This collector and {url} are a pair.")
    if config.follow is None:
        click.echo(f'Now write `follow = "{url}"` at the top of {session.config_path}, and start or restart this one.')


async def _join(url: str, pairing: Pairing, ca_keys: tuple[str, ...], fingerprint: str | None) -> Peer:
    authority = await authority_to_trust(url, ca_keys, fingerprint)
    client = Client(url, "", authority)
    try:
        paired = await client.pair(pairing)
    finally:
        await client.close()
    return Peer(paired.collector, url, paired.key, authority)


def _authority(config: Config) -> str | None:
    """What proves this collector to the other one (PEM); None where the system's authorities do, or nothing need."""
    if config.tls is None or not config.url.startswith("https:"):
        return None
    host = config.url.removeprefix("https://").partition("/")[0].rpartition(":")[0]
    try:
        if config.tls.authority is not None:
            return AuthorityFolder(config.tls.authority).announced().decode()
        if is_trusted_everywhere(config.tls, host):
            return None
        return config.tls.certificate.read_text(encoding="ascii")
    except (CertificateError, OSError, ValueError) as error:
        raise CannotServeError(f"{config.tls.certificate}: {error}") from error


@pair.command()
@click.pass_obj
def part(session: Session) -> int:
    """Make this collector a single one again: the other's key is void here, and what it told is kept."""
    config = session.config()
    with session.store_to_change(config) as store:
        parted = store.peers.part()
    if parted:
        session.audit(config, "parted", "the other collector is this one's pair no more")
    click.echo("It is a single collector now." if parted else "It is a single collector.", err=not parted)
    return 0 if parted else EXIT_BAD_NEWS


@pair.command("status")
@click.pass_obj
def status_command(session: Session) -> int:
    """Say which collector leads and when the other one was heard. Exit code 1 where something is wrong."""
    config, now = session.config(), session.clock().utc
    with session.existing_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        role, peer, entries = role_here(store, config), store.peers.peer(), store.entries.all()
    click.echo(f"This collector {role.value}.")
    if peer is None:
        click.echo("There is no other one: `detak-collector pair token` on the one that leads begins a pair.")
        return EXIT_BAD_NEWS if config.follow is not None else 0
    told = "never" if peer.told_utc is None else local_text(peer.told_utc, zone)
    itself = "" if peer.told is None else (", it leads" if peer.told.leads else ", it follows")
    click.echo(f"The other one is {config.follow or peer.url}: last heard {told}{itself}.")
    for one in entries:
        if one.kind == PROMOTION:
            click.echo(f"{local_text(one.recorded_utc, zone)}: {_name(one, peer)} was promoted by {one.author}: "
                       f"{one.told['reason']}")  # fmt: skip
    found = list(contradictions(entries))
    if found:
        click.echo("\nEntered at both while neither heard the other; the later one counts:", err=True)
        table = Table("what", "earlier", "later", box=None, pad_edge=False)
        for each in found:
            table.add_row(each.subject, *(f"{local_text(one.recorded_utc, zone)} by {one.author}"
                                          for one in (each.earlier, each.later)))  # fmt: skip
        session.console.print(table)
    is_silent = peer.told_utc is None or now - peer.told_utc > SILENT_MS
    both_lead = peer.told is not None and peer.told.leads is role.leads
    if both_lead:
        click.echo("Both lead: let one follow." if role.leads else "None leads: promote one.", err=True)
    return EXIT_BAD_NEWS if is_silent or both_lead else 0


def _name(entry: Entry, peer: Peer) -> str:
    return "the other one" if entry.collector == peer.collector else "this one"


@click.command()
@click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
@click.pass_obj
def promote(session: Session, reason: str) -> int:
    """Let this collector lead: things are entered here from now on, and it numbers outages. Exit code 1 if it does.

    The other one follows as soon as it hears of it.
    """
    config = session.config()
    with session.store_to_change(config) as store:
        if role_here(store, config).leads:
            click.echo("This collector leads already.", err=True)
            return EXIT_BAD_NEWS
        entry = promoted(store, login_name(), reason, session.clock().utc)
        peer = store.peers.peer()
    least = entry.told["least_number"]
    session.audit(config, "promoted", f"this collector leads from now on: {reason}", reason=reason)
    click.echo(f"This collector leads from now on; outages that begin now are numbered from {least}.")
    if peer is not None:
        click.echo(f'Write `follow = "{config.url}"` into collector.toml of {peer.url} before it is started again.')
    return 0
