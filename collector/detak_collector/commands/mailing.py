"""What the commands that send mails share: who sends, and what is told of a round. Nothing where all is well."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

import click

from detak_collector.commands.session import EXIT_BAD_NEWS, EXIT_COULD_NOT, Session
from detak_collector.config import ConfigurationError
from detak_collector.mail.delivery import Delivery, Round
from detak_collector.mail.file import MailTerms
from detak_collector.mail.letter import CLOSED, TROUBLED, Letter, Standing
from detak_collector.store.parts import Store

SHOWN_OF_A_KEY = 8
"""So many letters of a key tell a mail from the others to people."""


def mail_terms_of(session: Session) -> MailTerms:
    """What collector.toml says of mails; raises ConfigurationError where it says nothing."""
    config = session.config()
    if config.mail is None:
        raise ConfigurationError([f"{session.config_path}: mail: is missing: the table [mail] says how mails are sent"])
    return config.mail


def delivery(session: Session, store: Store, terms: MailTerms) -> Delivery:
    """What sends the mails in the store's outbox."""
    return Delivery(store.outbox, terms.server, terms.give_up_ms, lambda: session.clock().utc)


def tell(words: str) -> None:
    """Says to somebody at a terminal what cron need not hear."""
    if sys.stdout.isatty():
        click.echo(words)


def nobody(kind: str) -> str:
    """That no recipient is named."""
    return f"nobody gets {kind} summaries: no [[mail.recipient]] in collector.toml names anybody who does"


def report_round(done: Round, keys: Collection[str], store: Store) -> int:
    """Says on standard error what is not well, with the mails of these keys; the exit code."""
    found = dict(done.found)
    # Another process may have done with some of them since.
    for one in store.outbox.with_keys(keys):
        found[one.key] = one
    for line in _lines(found.values(), done.trouble):
        click.echo(line, err=True)
    sent = sum(one.standing is Standing.SENT for one in done.found.values())
    tell(f"{sent} sent, {len(done.found) - sent} not" if done.found else "nothing to send: all was sent before")
    if any(one.standing in TROUBLED for one in found.values()):
        return EXIT_BAD_NEWS
    return EXIT_COULD_NOT if any(one.standing not in CLOSED for one in found.values()) else 0


def _lines(letters: Collection[Letter], trouble: str) -> Iterator[str]:
    if trouble:
        yield f"the mail server takes nothing: {trouble}"
    for one in sorted(letters, key=lambda one: (one.title, one.recipient)):
        if one.standing in {Standing.SENT, Standing.DROPPED}:
            continue
        said = "" if not one.said or one.said == trouble else f": {one.said}"
        yield f"{one.title} to {one.recipient}: {_fate(one)}{said}"


def _fate(one: Letter) -> str:
    short = one.key[:SHOWN_OF_A_KEY]
    match one.standing:
        case Standing.REFUSED:
            return f"not sent (`detak-collector mail again {short}` tries it anew)"
        case Standing.UNSURE:
            return f"may have arrived, and is not sent again by itself (`detak-collector mail again {short}` does)"
        case Standing.WAITING:
            return "waits, and is tried again"
        case _:
            return "is being sent by another process"
