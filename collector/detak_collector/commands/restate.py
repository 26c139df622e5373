"""`detak-collector restate`: what is sealed changes, with a number, a reason, its difference, and two persons."""

from __future__ import annotations

import click

from detak_collector.closing.account import account_of
from detak_collector.closing.recording import enter_seal, refuse_asking
from detak_collector.closing.sealing import Wish, seal_body, touched_seals
from detak_collector.closing.seals import Seal
from detak_collector.closing.touched import people_lines, told_people
from detak_collector.commands.closing_desk import PROGRAM, ClosingDesk, account_rows, closing_desk
from detak_collector.commands.correcting import author, by_option, dry_option
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.downtime.difference import difference
from detak_collector.report.difference import print_difference
from detak_collector.report.terminal import printable


@click.command()
@click.argument("words", metavar="PERIOD")
@click.option("--reason", type=Words(), required=True, help="Why, for those who read both figures.")
@dry_option
@by_option
@click.pass_obj
def restate(session: Session, words: str, reason: str, by: str | None, dry_run: bool) -> None:  # noqa: FBT001
    """Ask that the sealed PERIOD be told by all that is known now.

    Prints what differs, and which further seals and recipients that touches. It takes effect when somebody else
    approves it: `seal approve NUMBER`.
    """
    with closing_desk(session, entering=not dry_run) as at:
        who, seals = author(by), at.seals()
        period = at.period(words)
        standing = seals.in_force(period)
        if standing is None:
            raise click.UsageError(f"PERIOD: is not sealed: `detak-collector seal {words}` does that (got {words!r})")
        result = at.figures.derived(period)
        if account_of(result).digest == standing.body.digest:
            raise click.UsageError(f"PERIOD: all that is known now says what its seal, no. {standing.label}, says: "
                                   f"there is nothing to restate (got {words!r})")  # fmt: skip
        people = told_people(at.store.outbox.listing(0), period, at.rules.zone, at.now)
        touched = (*touched_seals(seals, standing), *people_lines(people))
        wish = Wish(reason, needs_approval=True, touched=touched)
        body = seal_body(result, at.head(), PROGRAM, (), wish, standing)
        refuse_asking(seals, body)
        _show(at, standing, period.name)
        for line in touched:
            click.echo(printable(f"touches: {line}"))
        for name, addresses in people.items():
            click.echo(printable(f"  {name}: {', '.join(addresses)}"))
        if dry_run:
            click.echo("Nothing is entered.")
            return
        made = enter_seal(at.store.database, at.stamped(body), who, at.now)
        text = f"{who.name} asks for {made.what} in the place of no. {standing.label}: {reason}"
        at.audit("restatement-asked", text, made, who)
        click.echo(printable(text))
        click.echo(f"It takes effect once somebody else approves it: `detak-collector seal approve {made.label}`")


def _show(at: ClosingDesk, standing: Seal, name: str) -> None:
    """The difference between the period as it was sealed and as it is known now."""
    period, now = standing.period, at.figures.derived(standing.period)
    then = at.figures.derived(period, standing.body.as_of)
    if account_of(then).digest == standing.body.digest:
        recorded = at.store.evidence.recorded(period.begin, period.end, then.as_of, now.as_of)
        print_difference(difference(then, now), recorded, at.rules.zone, at.session.console)
        return
    click.echo(f"{name}: this program comes to another account than that of the seal from the same records; "
               "`verify --sealed` tells more.")  # fmt: skip
    at.session.console.print(account_rows(standing.account, account_of(now), ("sealed", "now")))
