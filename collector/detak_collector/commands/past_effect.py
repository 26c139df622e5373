"""What `past` shows and decides: an import as one, and what it makes of each year's figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import click
from rich.table import Table

from detak_collector.closing.sealed_view import KnownSeals
from detak_collector.closing.touched import sealed_lines
from detak_collector.commands.correcting import author
from detak_collector.commands.deciding import Desk, desk
from detak_collector.commands.session import Session
from detak_collector.decisions.corrections import Corrections, with_approved
from detak_collector.decisions.effect import Change, changes
from detak_collector.decisions.proposal import APPROVE, DECLARATION
from detak_collector.decisions.recording import Draft, Step, enter, imagined
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.history import in_force
from detak_collector.downtime.periods import is_year
from detak_collector.past.batch import EVENTS, Batch, batches, named
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import local_text, percent_text, plain_text
from detak_collector.stored_months import View

MOST_YEARS = 50


def show_years(at: Desk, before: Corrections, after: Corrections, heading: str) -> None:
    """Prints the figure of each touched year before and after, what of it is proven, and what was published."""
    now = at.session.clock()
    for line in sealed_lines(KnownSeals(at.store.entries).read(), before, after):
        click.echo(line, err=True)
    try:
        found = changes(View(at.store.evidence, at.rules, now), at.store.derived, before, after, MOST_YEARS)
    except JointLeaveUnknownError as error:
        click.echo(f"What it changes cannot be known: {error.lines[0]}", err=True)
        return
    years = [one for one in found if is_year(one.period, at.rules.zone)]
    if not years:
        click.echo("No figure changes by it so far.")
        return
    published = {one.year: f"{plain_text(one.percent)} %" for one in in_force(at.store.history.entries(), now.utc)}
    columns = ("year", "now", "downtime", heading, "downtime", "proven", "verdict", "published")
    table = Table(*columns, box=None, pad_edge=False)
    for one in years:
        table.add_row(*_row(one, published.get(int(one.period.name), "-")))
    click.echo()
    at.session.console.print(table)
    click.echo("What is imported counts, and is never proven: no check of Detak saw it.")


def _row(one: Change, published: str) -> tuple[str, ...]:
    before, after = one.before.figure, one.after.figure
    name = f"{one.period.name} so far" if one.before.running else one.period.name
    verdict = after.verdict(one.after.target_percent) or "-"
    return (
        name, percent_text(before.percent), clock_text(before.counted_ms), percent_text(after.percent),
        clock_text(after.counted_ms), clock_text(after.certain_ms), verdict, published,
    )  # fmt: skip


def show_batches(at: Desk) -> None:
    """A line for each import."""
    known = batches(at.register())
    if not known:
        click.echo("Nothing was imported yet: `detak-collector past import FILE` proposes the outages of a file.")
        return
    headings = ("import", "file", "outages", "states", "declarations", "proposed", "by", "document")
    table = Table(*headings, box=None, pad_edge=False)
    for batch in known:
        states = Counter(one.state.value for one in batch.proposed)
        ending = sum(one.is_withdrawal for one in batch.pending)
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        entry = batch.matters[0].proposal.entry
        names = [one.name for one in batch.proposed]
        table.add_row(
            batch.name,
            ", ".join(one for one in (batch.source.file, batch.source.tool) if one) or "-",
            str(len(names)),
            f"{told}{f', the end of {ending} is proposed' if ending else ''}",
            names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}",
            local_text(entry.recorded_utc, at.rules.zone),
            entry.author,
            str((batch.matters[0].proposal.body.record or {}).get("document", "-")),
        )
    at.session.console.print(table)


def decide(
    session: Session,
    name: str,
    steps_of: Callable[[Batch], Sequence[Step]],
    told: tuple[str, str | None],
    *,
    dry: bool = False,
) -> None:
    """Takes the steps that `steps_of` makes of an import, all or none. `told`: the verb, and by whom."""
    verb, by = told
    with desk(session, DECLARATION, entering=not dry) as at:
        who, now, register = author(by), session.clock().utc, at.register()
        batch = named(register, name)
        steps = steps_of(batch)
        before = at.corrections(register)
        approved = frozenset(step.name for step in steps if not isinstance(step, Draft) and step.verdict == APPROVE)
        after = with_approved(register, approved, now) if approved else None
        known, names = (imagined if dry else enter)(at.store.database, steps, who, now)
        text = f"{who.name} {verb} the import {batch.name}: {len(steps)} of {len(batch.proposed)} outages"
        if dry:
            click.echo(f"Nothing is entered. {text}")
        else:
            at.audit(EVENTS[verb.removesuffix("s")], text, batch.name, who)
            click.echo(text)
        ends = [one for step, one in zip(steps, names, strict=True) if isinstance(step, Draft)]
        if ends:
            click.echo(f"What is in force ends once somebody else approves it: `detak-collector past approve "
                       f"{batch.name}`")  # fmt: skip
            after = with_approved(known, frozenset(ends), now)
        if after is not None:
            show_years(at, before, after, "if approved" if dry or ends else "by its approval")
