"""`detak-collector retention`: what evidence may be disposed of, who decides that, and that it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK
from detak_collector.closing.recording import Ruling
from detak_collector.commands.closing_desk import ClosingDesk, closing_desk, require_serving
from detak_collector.commands.correcting import author, by_option
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.decisions.recording import Author
from detak_collector.downtime.periods import midnight
from detak_collector.report.tables import plain_table
from detak_collector.report.terminal import printable
from detak_collector.retention.bodies import DisposedBody
from detak_collector.retention.desk import RetentionDesk
from detak_collector.retention.disposals import Disposal, DisposalState
from detak_collector.retention.reach import month_name
from detak_collector.retention.recording import decide, disposals_of
from detak_collector.store.disposed import whole_from
from detak_collector.store.disposing import to_go

number_argument = click.argument("label", metavar="NUMBER")
_reason = click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
VERBS = {APPROVE: ("approves", "approved"), REJECT: ("rejects", "rejected"), TAKE_BACK: ("takes back", "taken-back")}


@click.group(invoke_without_command=True)
@click.pass_context
def retention(context: click.Context) -> None:
    """Show which evidence may be disposed of, and why no more of it; with a command, dispose of it.

    The ledger goes on to hold, and the figures stay: only sealed months are disposed of.
    """
    if context.invoked_subcommand is None:
        with closing_desk(context.obj, entering=False) as at:
            _show(at)


@retention.command("propose")
@click.option("--until", "words", required=True, metavar="MONTH", help="All from before this month goes: 2021-01.")
@click.option("--document", type=Words(), required=True, help="The decision it rests on, such as ND-5/2026.")
@_reason
@by_option
@click.pass_obj
def propose_command(session: Session, words: str, document: str, reason: str, by: str | None) -> None:
    """Propose to dispose of the evidence from before a month. Another person approves it."""
    with closing_desk(session, entering=True) as at:
        who = author(by)
        made = _desk(at).propose(_turn(words, at), document, reason, who, at.figures)
        what = f"the evidence from before {words}, no. {made.label}, {document}"
        text = f"{who.name} proposes to dispose of {what}: {reason}"
        _audit(at, "disposal-proposed", text, made, who)
        click.echo(printable(text))
        click.echo(f"Somebody else approves it: `detak-collector retention approve {made.label}`")


@retention.command()
@number_argument
@click.option("--reason", type=Words(), help="What is to be remembered of it.")
@by_option
@click.pass_obj
def approve(session: Session, label: str, reason: str | None, by: str | None) -> None:
    """Let the disposal NUMBER be carried out; who proposed it cannot."""
    with closing_desk(session, entering=True) as at:
        made = _ruled(at, Ruling(label, APPROVE, reason or ""), author(by))
        click.echo(f"Nothing is gone yet: `detak-collector retention dispose {made.label}` carries it out, at each "
                   "collector by itself.")  # fmt: skip


@retention.command()
@number_argument
@_reason
@by_option
@click.pass_obj
def reject(session: Session, label: str, reason: str, by: str | None) -> None:
    """End the pending disposal NUMBER, somebody else's, without effect."""
    with closing_desk(session, entering=True) as at:
        _ruled(at, Ruling(label, REJECT, reason), author(by))


@retention.command("take-back")
@number_argument
@_reason
@by_option
@click.pass_obj
def take_back(session: Session, label: str, reason: str, by: str | None) -> None:
    """End an own pending disposal NUMBER without effect."""
    with closing_desk(session, entering=True) as at:
        _ruled(at, Ruling(label, TAKE_BACK, reason), author(by))


@retention.command()
@number_argument
@by_option
@click.pass_obj
def dispose(session: Session, label: str, by: str | None) -> None:
    """Carry out the approved disposal NUMBER here. Nothing brings the evidence back.

    The collector may run. What was interrupted goes on when the command is given again.
    """
    with closing_desk(session, entering=False) as at:
        require_serving(at.store)
        who = author(by)

        def tell(made: Disposal, told: DisposedBody) -> None:
            text = f"{who.name} carries out disposal {made.label}: {told.records} records, head {told.head}"
            _audit(at, "evidence-disposed", text, made, who)

        with _bar() as step:
            done = _desk(at).carry_out(label, who, at.figures, session.clock(), tell, step)
        if done.was_done:
            click.echo(f"disposal {done.disposal.label} was carried out here already")
            return
        until = month_name(done.disposal.body.until, at.rules.zone)
        click.echo(f"disposed of: {done.gone:,} records from before {until}")
        click.echo("The file does not shrink: what is new takes the room." if not at.store.database.shared
                   else "PostgreSQL gives the room to what is new, once it has vacuumed.")  # fmt: skip
        at.tell_head()


def _ruled(at: ClosingDesk, ruling: Ruling, who: Author) -> Disposal:
    made = decide(at.store.database, ruling, who, at.now)
    verb, event = VERBS[ruling.verdict]
    why = f": {ruling.reason}" if ruling.reason else ""
    text = f"{who.name} {verb} disposal {made.label} of {made.entry.author}{why}"
    _audit(at, f"disposal-{event}", text, made, who)
    click.echo(printable(text))
    return made


def _audit(at: ClosingDesk, event: str, text: str, made: Disposal, who: Author) -> None:
    at.session.audit(at.config, event, text, number=made.label, author=who.name)


def _turn(words: str, at: ClosingDesk) -> int:
    """The first instant of a month; raises UsageError."""
    try:
        first = date.fromisoformat(words if words.count("-") > 1 else f"{words}-01")
    except ValueError:
        raise click.UsageError(f"--until: expected a month, such as 2021-01 (got {words!r})") from None
    if first.day != 1:
        raise click.UsageError(f"--until: whole months go; name the first day of one (got {words!r})")
    return midnight(first, at.rules.zone)


def _desk(at: ClosingDesk) -> RetentionDesk:
    return RetentionDesk(at.store, at.rules, at.config.retention, at.now)


def _show(at: ClosingDesk) -> None:
    may, zone, years = _desk(at).reach(), at.rules.zone, at.config.retention.years
    with at.store.database.reading() as connection:
        disposals, whole = disposals_of(connection), whole_from(connection)
    waiting = len(to_go(at.store.database))
    kept = "for ever" if years is None else "for 1 year" if years == 1 else f"for {years} years"
    click.echo(f"evidence is kept {kept}")
    if whole is not None:
        click.echo(f"whole from {month_name(whole, zone)} on: what is older was disposed of")
    if may.cells:
        first, last = (month_name(cell[0], zone) for cell in (may.cells[0], may.cells[-1]))
        click.echo(f"may be disposed of: the months {first} to {last}")
    else:
        click.echo("nothing may be disposed of")
    click.echo(printable(f"not more, because {may.why}"))
    if waiting:
        click.echo(f"interrupted: {waiting} blocks still hold what was disposed of; give `retention dispose` again")
    if disposals.all:
        table = plain_table("", "number", "before", "state", "document", "proposed by", "decided by", right=("number",))
        for one in disposals.all:
            decider = "-" if one.decision is None else one.decision.author
            table.add_row(
                one.label, month_name(one.body.until, zone), _state(one, at), printable(one.body.document),
                printable(one.entry.author), printable(decider),
            )  # fmt: skip
        at.session.console.print(table)


def _state(one: Disposal, at: ClosingDesk) -> str:
    done = one.carried_out.get(at.store.collector)
    if done is not None:
        return f"carried out here on {datetime.fromtimestamp(done[0].recorded_utc / 1_000, at.rules.zone):%Y-%m-%d}"
    elsewhere = " (at the other collector: carried out)" if one.carried_out else ""
    return f"{one.state}{', not carried out here' if one.state is DisposalState.APPROVED else ''}{elsewhere}"


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
