"""`detak-collector summary`: the summary mails of a period, for cron. It says nothing where all is well.

Exit code 1 where a mail was refused or may not have arrived, 3 where some still wait for the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detak_collector.accounts.grants import in_force
from detak_collector.commands.figures import Opened, opened_whole
from detak_collector.commands.mailing import delivery, mail_terms_of, nobody, report_round, tell
from detak_collector.commands.session import Session
from detak_collector.config import ConfigurationError
from detak_collector.decisions.recording import register_here
from detak_collector.decisions.register import State
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import PeriodError
from detak_collector.mail.file import MailTerms
from detak_collector.mail.letter import Letter
from detak_collector.mail.periods import kind_of, summary_period
from detak_collector.mail.recipients import Recipient, recipients
from detak_collector.pair.entry import GRANT
from detak_collector.pair.here import role_here
from detak_collector.report.effects import effects
from detak_collector.report.narrowed import UnknownPartError
from detak_collector.report.output import write_report
from detak_collector.store.parts import Store
from detak_collector.translation import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from detak_collector.mail.summaries import Summaries

WAIT_S = 900
"""So long a run waits for a server that takes a mail some minutes after it saw it first."""


@click.command("summary")
@click.option("--period", "words", required=True, help="yesterday, last-week, last-month, last-year, 2026-W41, 2026-10 "
              "and whatever else a report knows, in whole days.")  # fmt: skip
@click.option("--send", is_flag=True, help="Send it to its recipients, each once, and say nothing if all went well.")
@click.option("--dry-run", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the mails into DIR as .eml files instead of sending them.")  # fmt: skip
@click.option("--wait", "wait_s", type=click.IntRange(0, 86_400), default=WAIT_S, show_default=True, metavar="SECONDS",
              help="With --send: for how long a mail that the server takes later is tried in this run.")  # fmt: skip
@click.option("--of", "part", metavar="ID", help="Without --send: print the summary of this unit or service.")
@click.option("--language", "code", type=click.Choice(LANGUAGES), help=f"Of what is printed; {ENGLISH} unless given.")
@click.pass_obj
def summary_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    session: Session,
    words: str,
    send: bool,  # noqa: FBT001 - an option
    folder: Path | None,
    wait_s: int,
    part: str | None,
    code: str | None,
) -> int:
    """Print the summary of a period, or mail it as [mail] in collector.toml says."""
    if send and folder is not None:
        raise click.UsageError("--send and --dry-run: either send the mails, or write them into a folder")
    if (send or folder is not None) and (part is not None or code is not None):
        raise click.UsageError("--of and --language: each recipient has his own in collector.toml; leave them out")
    if send:
        return _send(session, words, wait_s)
    if folder is not None:
        return _write(session, words, folder)
    with _made(session, words) as (made, _):
        try:
            click.echo(made.preview(part, code or ENGLISH), nl=False)
        except UnknownPartError as error:
            raise click.UsageError(f"--of: {error}") from None
    return 0


@contextmanager
def _made(session: Session, words: str) -> Iterator[tuple[Summaries, Store]]:
    """What mails about the period are made of, and the store."""
    # As in report/formats.py.
    from detak_collector.mail.summaries import Summaries  # noqa: PLC0415

    config = session.config()
    sender = "" if config.mail is None else config.mail.sender
    with opened_whole(session) as (opened, store, _):
        try:
            period = summary_period(words, opened.rules.zone, opened.now.utc)
        except PeriodError as error:
            raise click.UsageError(f"--{error}") from None
        result = opened.figures.report(period)
        pending = sum(one.state is State.PENDING for one in register_here(store.database).matters.values())
        # After all that it rests on: the head covers it.
        store.ledger.brought_on(opened.now.utc)
        result = replace(result, ledger=str(store.ledger.covering(result.as_of)))
        measure = partial(_effects, opened, result)
        yield Summaries(result, measure, config.url, sender, pending, opened.now.utc), store


def _effects(opened: Opened, result: Result) -> Mapping[str, int]:
    return effects(result, opened.derive(result, None))


def _wanted(made: Summaries, store: Store, terms: MailTerms) -> list[Recipient]:
    grants = in_force(store.entries.of(GRANT))
    return recipients(terms.wanted, kind_of(made.result.period), store.accounts.listing(), grants)


def _letters(made: Summaries, wanted: Iterable[Recipient]) -> list[Letter]:
    try:
        return [made.letter(one) for one in wanted]
    except UnknownPartError as error:
        raise ConfigurationError([f"mail.recipient: of: {error}"]) from None


def _write(session: Session, words: str, folder: Path) -> int:
    terms = mail_terms_of(session)
    with _made(session, words) as (made, store):
        letters = _letters(made, _wanted(made, store, terms))
        folder.mkdir(parents=True, exist_ok=True)
        for one in letters:
            path = folder / f"{one.title.replace(' ', '-')}-{one.recipient.replace('/', '_')}.eml"
            write_report(path, one.content)
            click.echo(path)
        if not letters:
            click.echo(nobody(kind_of(made.result.period)), err=True)
    return 0


def _send(session: Session, words: str, wait_s: int) -> int:
    terms, config = mail_terms_of(session), session.config()
    with session.store_to_change(config) as store:
        if not role_here(store, config).leads:
            # The other collector sends them; cron runs at both.
            tell("nothing is sent: this collector does not lead")
            return 0
    with _made(session, words) as (made, store):
        if made.result.running:
            refusal = f"--period: is not over yet, and a summary is sent once; --dry-run writes it (got {words!r})"
            raise click.UsageError(refusal)
        wanted = _wanted(made, store, terms)
        if not wanted:
            tell(nobody(kind_of(made.result.period)))
        told = store.outbox.told()
        store.outbox.add(_letters(made, (one for one in wanted if made.key(one) not in told)))
        keys = [made.key(one) for one in wanted]
        return report_round(delivery(session, store, terms).rounds(keys, wait_s), keys, store)
