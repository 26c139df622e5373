"""`detak-collector mail`: the outbox as an operator sees it, and a mail that tries whether all is set up right."""

from __future__ import annotations

import click
from rich.table import Table

from detak_collector.commands.mailing import SHOWN_OF_A_KEY, delivery, mail_terms_of, report_round
from detak_collector.commands.session import EXIT_COULD_NOT, Session
from detak_collector.mail.file import is_address
from detak_collector.mail.letter import Letter, Standing, key_of
from detak_collector.mail.message import Envelope, composed
from detak_collector.mail.smtp import LaterError, RefusedError, ServerError, UnansweredError, line
from detak_collector.pair.here import require_leader
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force
from detak_collector.store.parts import Store

DAY_MS = 86_400_000
MOST_SAID = 80

all_option = click.option("--days", type=click.IntRange(1, 3_650), default=7, show_default=True,
                          help="How far back mails are listed that are done with.")  # fmt: skip


@click.group("mail")
def mail_group() -> None:
    """Look at the mails that wait, try the mail server, send a mail again."""


@mail_group.command("list")
@all_option
@click.pass_obj
def list_command(session: Session, days: int) -> None:
    """List the mails that wait or were in trouble, and those of the last days with what the server said."""
    config = session.config()
    with session.existing_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        letters = store.outbox.listing(session.clock().utc - days * DAY_MS)
    if not letters:
        click.echo("No mail.")
        return
    table = Table("ID", "about", "to", "made", "state", "tries", "said", box=None, pad_edge=False)
    for one in letters:
        short, made = one.key[:SHOWN_OF_A_KEY], local_text(one.made_utc, zone)
        said = printable(one.said)[:MOST_SAID]
        table.add_row(short, printable(one.title), one.recipient, made, str(one.standing), str(one.tries), said)
    session.console.print(table)


@mail_group.command("again")
@click.argument("beginning", metavar="ID")
@click.pass_obj
def again_command(session: Session, beginning: str) -> int:
    """Send a mail once more that was refused or may have arrived: with the same Message-ID, so it can be told."""
    config, terms = session.config(), mail_terms_of(session)
    with session.store_to_change(config) as store:
        require_leader(store, config)
        letter = _named(store, beginning)
        if letter.standing not in {Standing.REFUSED, Standing.UNSURE, Standing.WAITING}:
            raise click.UsageError(f"ID: that mail is {letter.standing} (got {beginning!r})")
        store.outbox.again(letter.key, session.clock().utc)
        session.audit(config, "mail-again", f"mail {letter.key[:SHOWN_OF_A_KEY]} is sent once more", mail=letter.key)
        return report_round(delivery(session, store, terms).round(), [letter.key], store)


@mail_group.command("drop")
@click.argument("beginning", metavar="ID")
@click.pass_obj
def drop_command(session: Session, beginning: str) -> None:
    """Say that a mail is not to be sent, or that what became of it is seen to."""
    config = session.config()
    with session.store_to_change(config) as store:
        letter = _named(store, beginning)
        if letter.standing not in {Standing.REFUSED, Standing.UNSURE, Standing.WAITING}:
            raise click.UsageError(f"ID: that mail is {letter.standing} (got {beginning!r})")
        store.outbox.drop(letter.key, session.clock().utc)
        session.audit(config, "mail-dropped", f"mail {letter.key[:SHOWN_OF_A_KEY]} is dropped", mail=letter.key)
    click.echo(f"Dropped: {printable(letter.title)} to {letter.recipient}")


@mail_group.command("test")
@click.argument("address")
@click.pass_obj
def test_command(session: Session, address: str) -> int:
    """Send a short mail to ADDRESS at once, and print what the server said."""
    config, terms = session.config(), mail_terms_of(session)
    if not is_address(address):
        raise click.UsageError(f"ADDRESS: expected one such as kepala@example.go.id (got {address!r})")
    now = session.clock().utc
    words = f"The collector at {config.url} can send mails.\n"
    envelope = Envelope(key_of("test", address, str(now)), terms.sender, address, "Detak: a test", "en", now)
    try:
        with line(terms.server) as spoken:
            said = spoken.send(address, composed(envelope, words, f"<p>{words}</p>"), lambda: True)
    except (ServerError, LaterError, RefusedError, UnansweredError) as error:
        click.echo(f"{terms.server.place}: {error}", err=True)
        return EXIT_COULD_NOT
    click.echo(f"{terms.server.place}: {said}")
    return 0


def _named(store: Store, beginning: str) -> Letter:
    """The one mail whose key begins so; raises UsageError."""
    found = store.outbox.find(beginning)
    if len(found) != 1:
        why = (
            "several mails have it, give more of it"
            if found
            else "no mail has it; `detak-collector mail list` has them"
        )
        raise click.UsageError(f"ID: {why} (got {beginning!r})")
    return found[0]
