"""`incidents dispute` and what answers it: somebody says that an outage is not as it is told, before it is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo

import click

from detak_collector.closing.bodies import DISMISS, TAKE_BACK, UPHOLD, Answer, DisputeBody
from detak_collector.closing.disputes import Dispute
from detak_collector.closing.gathering import disputes_of
from detak_collector.closing.recording import answer_dispute, enter_dispute
from detak_collector.commands.correcting import author, by_option
from detak_collector.commands.figures import moment
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.config import Config
from detak_collector.decisions.recording import RefusedError
from detak_collector.pair.here import require_leader
from detak_collector.report.tables import local_text, plain_table
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force
from detak_collector.store.parts import Store

number = click.IntRange(1, 2**53)
_reason = click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
VERBS: dict[Answer, tuple[str, str]] = {
    UPHOLD: ("upholds", "upheld"), DISMISS: ("dismisses", "dismissed"), TAKE_BACK: ("takes back", "taken-back"),
}  # fmt: skip


@click.command()
@click.argument("outage", type=number)
@_reason
@click.option("--ticket", type=Words(), help="The ticket or document it rests on.")
@click.option("--until", help="By when it is to be answered, such as 2026-11-15.")
@by_option
@click.pass_obj
def dispute(session: Session, outage: int, reason: str, ticket: str | None, until: str | None, by: str | None) -> None:
    """Say that OUTAGE is not as it is told. Its period is not sealed until an approver has answered."""
    with _entering(session) as (store, config, zone):
        known = store.outages.known(outage)
        while known is not None and known.merged_into is not None:
            known = store.outages.known(known.merged_into)
        if known is None:
            raise click.UsageError(f"OUTAGE: none has this number; `detak-collector incidents list --period ...` has "
                                   f"them (got {outage})")  # fmt: skip
        now, who = session.clock().utc, author(by)
        deadline = None if until is None else moment(until, "--until", zone)
        if deadline is not None and deadline <= now:
            raise click.UsageError(f"--until: has passed (got {until!r})")
        end = now if known.running else known.end
        body = DisputeBody(
            known.number, known.service, known.begin, end, who.login, reason, ticket or "", deadline
        )  # fmt: skip
        made = enter_dispute(store.database, body, who, now)
        text = f"{who.name} disputes outage {known.number} of {known.service}: {reason}"
        session.audit(config, "outage-disputed", text, dispute=made.number, outage=known.number, author=who.name)
    click.echo(printable(f"dispute {made.number}: {text}"))
    click.echo(f"An approver answers it: `detak-collector incidents uphold {made.number}` or `dismiss {made.number}`")


def _answer(session: Session, which: int, verdict: Answer, reason: str, by: str | None) -> None:
    with _entering(session) as (store, config, _):
        who = author(by)
        made = answer_dispute(store.database, which, verdict, reason, who, session.clock().utc)
        verb, event = VERBS[verdict]
        text = f"{who.name} {verb} dispute {made.number} about outage {made.body.outage}: {reason}"
        session.audit(config, f"dispute-{event}", text, dispute=made.number, outage=made.body.outage, author=who.name)
    click.echo(printable(text))
    if verdict == UPHOLD:
        click.echo("The figure changes by an exclusion or a declaration: `detak-collector exclude add`, `declare add`")


@click.command()
@click.argument("which", metavar="DISPUTE", type=number)
@_reason
@by_option
@click.pass_obj
def uphold(session: Session, which: int, reason: str, by: str | None) -> None:
    """Agree with DISPUTE, somebody else's. What follows of it is proposed by `exclude` or `declare`."""
    _answer(session, which, UPHOLD, reason, by)


@click.command()
@click.argument("which", metavar="DISPUTE", type=number)
@_reason
@by_option
@click.pass_obj
def dismiss(session: Session, which: int, reason: str, by: str | None) -> None:
    """Answer DISPUTE, somebody else's, with no: the outage stays as it is told."""
    _answer(session, which, DISMISS, reason, by)


@click.command("take-back")
@click.argument("which", metavar="DISPUTE", type=number)
@_reason
@by_option
@click.pass_obj
def take_back(session: Session, which: int, reason: str, by: str | None) -> None:
    """End an own DISPUTE."""
    _answer(session, which, TAKE_BACK, reason, by)


@click.command()
@click.option("--all", "every", is_flag=True, help="Also those that were answered.")
@click.pass_obj
def disputes(session: Session, every: bool) -> None:  # noqa: FBT001 - an option
    """List the disputes that wait for an answer."""
    config = session.config()
    with session.existing_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        with store.database.reading() as connection:
            found = disputes_of(connection)
    shown = found.all if every else found.open()
    if not shown:
        click.echo("No outage is disputed.")
        return
    heads = ("dispute", "outage", "service", "state", "by", "ticket", "answer until", "why", "answer")
    table = plain_table("", *heads, right=heads[:2])
    for one in shown:
        table.add_row(*_cells(one, zone))
    session.console.print(table)


def _cells(one: Dispute, zone: tzinfo) -> tuple[str, ...]:
    body = one.body
    answer = "" if one.answer is None or one.answered is None else f"{one.answer.author}: {one.answered.reason}"
    until = "-" if body.deadline is None else local_text(body.deadline, zone)
    return (
        str(one.number), str(body.outage), body.service, one.state, printable(one.author),
        printable(body.ticket or "-"), until, printable(body.reason), printable(answer),
    )  # fmt: skip


@contextmanager
def _entering(session: Session) -> Iterator[tuple[Store, Config, tzinfo]]:
    config = session.config()
    with session.store_to_change(config) as store:
        zone = rules_in_force(config, store.entries).zone
        require_leader(store, config)
        try:
            yield store, config, zone
        except RefusedError as error:
            raise click.UsageError(str(error)) from None


def add_disputes(group: click.Group) -> None:
    """Gives the group these commands."""
    for command in (dispute, disputes, uphold, dismiss, take_back):
        group.add_command(command)
