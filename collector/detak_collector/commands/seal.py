"""`detak-collector seal`: a period is closed, and its figure stands from then on."""

from __future__ import annotations

import click

from detak_collector.closing.account import account_of
from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, Verdict
from detak_collector.closing.findings import Weight, hindering
from detak_collector.closing.recording import Ruling, decide_seal, enter_seal, found_seal, refuse_asking, refuse_ruling
from detak_collector.closing.sealing import Wish, figure_words, seal_body
from detak_collector.closing.seals import Seal
from detak_collector.commands.closing_desk import (
    PROGRAM,
    ClosingDesk,
    account_rows,
    closing_desk,
    findings_table,
    tell_hindrances,
)
from detak_collector.commands.correcting import author, by_option
from detak_collector.commands.history import Words
from detak_collector.commands.period_group import PeriodGroup
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.decisions.recording import Author
from detak_collector.report.numbers import iso_utc
from detak_collector.report.tables import plain_table
from detak_collector.report.terminal import printable

number_argument = click.argument("label", metavar="NUMBER")


@click.group(cls=PeriodGroup)
def seal() -> None:
    """Close a month, a quarter, a half or a year: `seal 2026-10`, and first `seal --check 2026-10`.

    The figure of a sealed period stands; only `restate` changes it.
    """


@seal.command("period")
@click.argument("words", metavar="PERIOD")
@click.option("--check", is_flag=True, help="Only list what keeps it open, and who is responsible for each.")
@click.option(
    "--despite", type=Words(), help="Seal it though something hinders: why. Another person must approve that."
)
@click.option("--reason", type=Words(), help="What those who read the seal should know.")
@by_option
@click.pass_obj
def period_command(
    session: Session,
    words: str,
    check: bool,  # noqa: FBT001 - an option
    despite: str | None,
    reason: str | None,
    by: str | None,
) -> int:
    """Seal PERIOD, such as 2026-10. The same as `seal PERIOD`.

    Exit code 1 if something hinders it: each reason is told, with who is responsible.
    """
    if check:
        return _check(session, words)
    with closing_desk(session, entering=True) as at:
        period, who = at.period(words), author(by)
        result = at.figures.derived(period)
        found = at.found(result)
        against = hindering(found)
        wish = Wish(despite or reason or "", needs_approval=bool(against))
        body = seal_body(result, at.head(), PROGRAM, found, wish)
        refuse_asking(at.seals(), body)
        if any(one.weight is Weight.FORBIDS for one in against) or (against and despite is None):
            click.echo(f"{words} is not sealed:", err=True)
            tell_hindrances(found)
            _hint(words, [one.weight for one in against])
            return EXIT_BAD_NEWS
        made = enter_seal(at.store.database, at.stamped(body), who, at.now)
        _tell_made(at, made, who)
    return 0


def _hint(words: str, weights: list[Weight]) -> None:
    if Weight.FORBIDS not in weights:
        click.echo(
            f'`detak-collector seal {words} --despite "why"` asks another person to let it be sealed so.', err=True
        )


def _check(session: Session, words: str) -> int:
    with closing_desk(session, entering=False) as at:
        period = at.period(words)
        standing = at.seals().in_force(period)
        if standing is not None:
            click.echo(f"{words} is sealed, no. {standing.label}: {figure_words(standing.account)}")
            return 0
        result = at.figures.derived(period)
        found = at.found(result)
        click.echo(f"{words}: {figure_words(account_of(result))}")
        if found:
            session.console.print(findings_table(found))
    if hindering(found):
        return EXIT_BAD_NEWS
    click.echo(f"Nothing hinders it: `detak-collector seal {words}` seals it.")
    return 0


def _tell_made(at: ClosingDesk, made: Seal, who: Author) -> None:
    figure = figure_words(made.account)
    if made.body.hindrances:
        text = f"{who.name} asks for {made.what}, despite what hinders it: {figure}"
        at.audit("seal-asked", text, made, who)
        click.echo(printable(text))
        click.echo(f"It takes effect once somebody else approves it: `detak-collector seal approve {made.label}`")
        return
    text = f"{who.name} seals {made.body.period}, no. {made.label}: {figure}"
    at.audit("sealed", text, made, who)
    click.echo(printable(text))
    at.tell_head()
    _tell_keeping(made)


def _tell_keeping(made: Seal) -> None:
    """How what was sealed stays executable by the rules of this release, whatever is installed here later."""
    body = made.body
    file = f"{body.period}-seal-{body.number}.tar.gz"
    click.echo("\nKeep what it rests on with the detak-verify.pyz of this release, which derives it by the same rules:")
    click.echo(f"  detak-collector bundle {body.period} --as-of {iso_utc(body.as_of)} -o {file}")
    click.echo(f"  python3 detak-verify.pyz check {file}      # of release {body.program}, rules {body.rule_version}")


@seal.command()
@number_argument
@click.option("--reason", type=Words(), help="What is to be remembered of it.")
@by_option
@click.pass_obj
def approve(session: Session, label: str, reason: str | None, by: str | None) -> int:
    """Let the seal or restatement NUMBER take effect; who asked for it cannot.

    Exit code 1 if by now the facts say another figure than the one that was asked for.
    """
    with closing_desk(session, entering=True) as at:
        who = author(by)
        made = found_seal(at.seals(), label)
        refuse_ruling(made, APPROVE, who.name)
        now = account_of(at.figures.derived(made.period))
        if now.digest != made.body.digest:
            text = f"{made.what} is not approved: since it was asked for, the facts have come to say another figure."
            click.echo(text, err=True)
            session.console.print(account_rows(made.account, now, ("asked for", "now")))
            click.echo(f"`detak-collector seal reject {label}` ends it; then let it be asked for anew.", err=True)
            return EXIT_BAD_NEWS
        _decide(at, made, Ruling(made.label, APPROVE, reason or ""), who)
        _tell_keeping(made)
        if made.entry.told.get("login") == who.login:
            text = (
                f"{made.what} was asked for and approved under one login, {who.login}, as {made.author} and {who.name}"
            )
            at.audit("seal-one-login", text, made, who)
            click.echo(f"{text}: the audit trail says so.", err=True)
    return 0


@seal.command()
@number_argument
@click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
@by_option
@click.pass_obj
def reject(session: Session, label: str, reason: str, by: str | None) -> None:
    """End the pending seal or restatement NUMBER, somebody else's, without effect."""
    _end(session, Ruling(label, REJECT, reason), author(by))


@seal.command("take-back")
@number_argument
@click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
@by_option
@click.pass_obj
def take_back(session: Session, label: str, reason: str, by: str | None) -> None:
    """End an own pending seal or restatement NUMBER without effect."""
    _end(session, Ruling(label, TAKE_BACK, reason), author(by))


def _end(session: Session, ruling: Ruling, who: Author) -> None:
    with closing_desk(session, entering=True) as at:
        _decide(at, found_seal(at.seals(), ruling.label), ruling, who)


VERBS: dict[Verdict, tuple[str, str]] = {
    APPROVE: ("approves", "approved"), REJECT: ("rejects", "rejected"), TAKE_BACK: ("takes back", "taken-back"),
}  # fmt: skip


def _decide(at: ClosingDesk, made: Seal, ruling: Ruling, who: Author) -> None:
    decided = decide_seal(at.store.database, ruling, who, at.now)
    verb, event = VERBS[ruling.verdict]
    why = f": {ruling.reason}" if ruling.reason else ""
    text = f"{who.name} {verb} {made.what}{why}"
    at.audit(f"seal-{event}", text, decided, who)
    click.echo(printable(f"{text} ({figure_words(decided.account)})"))
    at.tell_head()


@seal.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that were restated, or ended without effect.")
@click.pass_obj
def list_command(session: Session, every: bool) -> None:  # noqa: FBT001 - an option
    """List the seals that are in force or pending."""
    with closing_desk(session, entering=False) as at:
        seals = at.seals()
        shown = [one for one in seals.all if every or one.state in {"in force", "pending"}]
        if seals.unreadable:
            click.echo(f"{seals.unreadable} entries are of another version, and not understood here.", err=True)
        if not shown:
            click.echo("No period is sealed. `detak-collector seal --check PERIOD` tells what keeps one open.")
            return
        table = plain_table(
            "", "number", "period", "state", "figure", "asked by", "approved by", "since", right=("number",)
        )
        for one in shown:
            table.add_row(
                one.label, one.body.period, one.state, figure_words(one.account), printable(one.author),
                printable(one.approved_by or "-"), at.local(one.since),
            )  # fmt: skip
        session.console.print(table)


@seal.command()
@number_argument
@click.pass_obj
def show(session: Session, label: str) -> None:
    """Everything about one seal: what it holds, what stood against it, who decided."""
    with closing_desk(session, entering=False) as at:
        one = found_seal(at.seals(), label)
        for line in _told(at, one):
            click.echo(printable(line))


def _told(at: ClosingDesk, one: Seal) -> list[str]:
    body, account = one.body, one.account
    version = "" if body.catalogue_version is None else f", catalogue version {body.catalogue_version}"
    lines = [
        f"{one.what}: {one.state}",
        f"figure {figure_words(account)}",
        f"asked for by {one.author}, {at.local(one.entry.recorded_utc)}; evidence up to {at.local(body.as_of)}",
        f"rules {body.rule_version}, program {body.program}{version}",
        f"ledger head {body.head}",
        f"SHA-256 of its account {body.digest}",
    ]
    if body.timestamp:
        lines.append(at.stamp_words(body))
    if one.restates is not None:
        lines.append(f"takes the place of no. {one.restates.label}: {figure_words(one.restates.account)}")
    if body.reason:
        lines.append(f"reason: {body.reason}")
    lines += [f"despite: {line}" for line in body.hindrances]
    lines += [f"touches: {line}" for line in body.touched]
    if one.decision is not None and one.decided is not None:
        why = f": {one.decided.reason}" if one.decided.reason else ""
        lines.append(f"{VERBS[one.decided.verdict][1]} by {one.decision.author}, {at.local(one.since)}{why}")
    return lines
