"""What `exclude` and `declare` share: entering and deciding, and showing what that changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from detak_collector.closing.sealed_view import KnownSeals
from detak_collector.closing.touched import sealed_lines
from detak_collector.commands.correcting import Described, author, check_record
from detak_collector.commands.figures import moment
from detak_collector.commands.listing import matters_table, print_history, words
from detak_collector.commands.session import Session
from detak_collector.config import Config
from detak_collector.decisions.corrections import Corrections, corrections_of, with_approved
from detak_collector.decisions.effect import Change, changes
from detak_collector.decisions.proposal import (
    ADD,
    APPROVE,
    REJECT,
    REPLACE,
    TAKE_BACK,
    WITHDRAW,
    About,
)
from detak_collector.decisions.recording import (
    Author,
    Draft,
    RefusedError,
    Ruling,
    command_of,
    enter,
    found,
    imagined,
    refuse,
    register_here,
)
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.periods import to_ms
from detak_collector.errors import EvidenceDisposedError
from detak_collector.pair.here import require_leader
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import percent_text
from detak_collector.rules import Rules, rules_in_force
from detak_collector.store.parts import Store
from detak_collector.stored_months import View


@dataclass(frozen=True, slots=True)
class Desk:
    """One command at the store where things are entered."""

    session: Session
    config: Config
    store: Store
    rules: Rules
    about: About

    @property
    def command(self) -> str:
        """The words before a verb."""
        return f"detak-collector {command_of(self.about)}"

    def register(self) -> Register:
        """All that was proposed and decided by now."""
        return register_here(self.store.database)

    def audit(self, event: str, text: str, name: str, who: Author) -> None:
        """For the audit trail."""
        self.session.audit(self.config, f"{self.about}-{event}", text, id=name, author=who.name)

    def corrections(self, register: Register) -> Corrections:
        """What is in force and pending now."""
        return corrections_of(register, self.session.clock().utc)

    def show_effect(self, before: Corrections, after: Corrections, heading: str) -> None:
        """Prints how the figures of the touched periods change; that they cannot be known is no failure."""
        for line in sealed_lines(KnownSeals(self.store.entries).read(), before, after):
            click.echo(line, err=True)
        now = self.session.clock()
        view = View(self.store.evidence, self.rules, now)
        try:
            found_changes = changes(view, self.store.derived, before, after)
        except JointLeaveUnknownError as error:
            click.echo(f"What it changes cannot be known: {error.lines[0]}", err=True)
            return
        except EvidenceDisposedError as error:
            click.echo(f"It changes nothing there: {error}", err=True)
            return
        if not found_changes:
            click.echo("No figure changes by it so far.")
            return
        click.echo()
        self.session.console.print(_effect_table(found_changes, heading))


@contextmanager
def desk(session: Session, about: About, *, entering: bool) -> Iterator[Desk]:
    """The store; for `entering` only where things are entered. What is refused is a wrong use of the command."""
    config = session.config()
    with (session.store_to_change if entering else session.existing_store)(config) as store:
        rules = rules_in_force(config, store.entries)
        if entering:
            require_leader(store, config)
        try:
            yield Desk(session, config, store, rules, about)
        except RefusedError as error:
            raise click.UsageError(str(error)) from None


def add(
    session: Session, about: About, described: Described, by: str | None, *, dry: bool, drill: bool = False
) -> None:
    """Proposes a record that is new; `drill`: planned work that is one."""
    with desk(session, about, entering=not dry) as at:
        record = described.over({}, at.rules.zone)
        if drill:
            _refuse_drill(record, at.session.clock().utc)
        propose(at, Draft(about, ADD, record=record, drill=drill), author(by), dry=dry)


def _refuse_drill(record: Mapping[str, Any], now: int) -> None:
    if record["category"] != "planned":
        raise click.UsageError(f"--drill: a drill is planned downtime (got --category {record['category']})")
    if to_ms(datetime.fromisoformat(record["from"])) < now:
        raise click.UsageError(f"--drill: a drill is declared before it begins (got --from {record['from']})")


def amend(session: Session, about: About, name: str, described: Described, told: tuple[str, str | None, bool]) -> None:
    """Proposes a record in the place of another one. `told`: because, by, and whether nothing is to be entered."""
    because, by, dry = told
    with desk(session, about, entering=not dry) as at:
        before = found(at.register(), name, about)
        known = before.proposal.body.record or {}
        record = described.over(known, at.rules.zone)
        if record == known:
            raise click.UsageError(f"{before.name} says that already: give the options that shall change")
        draft = Draft(about, REPLACE, before.name, record, because, uid=before.proposal.body.uid)
        propose(at, draft, author(by), dry=dry)


def propose(at: Desk, draft: Draft, who: Author, *, dry: bool) -> None:
    """Checks it, enters it, and prints what came of it and what it would change."""
    now = at.session.clock().utc
    if draft.record is not None:
        check_record(at.about, draft.record, who, now, (at.rules.catalogue, f"{command_of(at.about)} {draft.action}"))
    before = at.corrections(at.register())
    register, (name,) = (imagined if dry else enter)(at.store.database, [draft], who, now)
    text = f"{who.name} proposes {name}: {words(found(register, name, at.about), at.rules.zone)}"
    if dry:
        click.echo(f"Nothing is entered. {text}")
    else:
        at.audit("proposed", text, name, who)
        click.echo(text)
        click.echo(f"It takes effect once somebody else approves it: `{at.command} approve {name}`")
    at.show_effect(before, with_approved(register, [name], now), "if it is approved")


def approve(session: Session, about: About, name: str, told: tuple[str, str], by: str | None, *, dry: bool) -> None:
    """Lets a proposal take effect. `told`: the reason and the document, where they were given."""
    with desk(session, about, entering=not dry) as at:
        who, now, register = author(by), at.session.clock().utc, at.register()
        matter = found(register, name, about)
        refuse(matter, APPROVE, who.name)
        before, after = at.corrections(register), with_approved(register, [matter.name], now)
        text = f"{who.name} approves {matter.name}: {words(matter, at.rules.zone)}"
        if dry:
            click.echo(f"Nothing is entered. {text}")
        else:
            enter(at.store.database, [Ruling(about, matter.name, APPROVE, *told)], who, now)
            at.audit("approved", text, matter.name, who)
            click.echo(text)
            _say_of_logins(at, matter, who)
        at.show_effect(before, after, "if it is approved" if dry else "by its approval")


def reject(session: Session, about: About, name: str, told: tuple[str, str], by: str | None) -> None:
    """Ends a proposal of somebody else's without effect."""
    _close(session, Ruling(about, name, REJECT, *told), author(by))


def withdraw(session: Session, about: About, name: str, told: tuple[str, str], by: str | None, *, dry: bool) -> None:
    """Takes an own proposal back; of what is in force proposes the end, which somebody else must approve."""
    reason, document = told
    with desk(session, about, entering=not dry) as at:
        matter = found(at.register(), name, about)
        if matter.state is not State.IN_FORCE:
            at_once = Ruling(about, name, TAKE_BACK, reason, document)
            if dry:
                refuse(matter, TAKE_BACK, author(by).name)
                click.echo(f"Nothing is entered. {matter.name} is pending: no figure changes by it.")
        elif not document:
            raise click.UsageError(f"--document: required, since {matter.name} is in force and figures rest on it")
        else:
            propose(at, Draft(about, WITHDRAW, matter.name, None, reason, document), author(by), dry=dry)
            return
    if not dry:
        _close(session, at_once, author(by))


def _close(session: Session, ruling: Ruling, who: Author) -> None:
    with desk(session, ruling.about, entering=True) as at:
        _, (name,) = enter(at.store.database, [ruling], who, at.session.clock().utc)
        verb, event = ("rejects", "rejected") if ruling.verdict == REJECT else ("takes back", "taken-back")
        text = f"{who.name} {verb} {name}: {ruling.reason}"
        at.audit(event, text, name, who)
        click.echo(text)


def list_all(session: Session, about: About, *, every: bool, as_of: str | None) -> None:
    """What is in force and pending, or all that ever was."""
    with desk(session, about, entering=False) as at:
        now = at.session.clock().utc
        moment_ = None if as_of is None else moment(as_of, "--as-of", at.rules.zone)
        if moment_ is not None and moment_ > now:
            raise click.UsageError(f"--as-of: lies ahead (got {as_of!r})")
        register = register_here(at.store.database, moment_)
        known = list(register.about(about))
        shown = [one for one in known if every or one.live]
        if register.unreadable:
            click.echo(f"{register.unreadable} entries are of another version, and not understood here.", err=True)
        if not shown:
            ended = f"; {len(known)} are over: --all lists them" if known else ""
            click.echo(f"No {about} is in force or pending{ended}. `{at.command} add` proposes one.")
            return
        session.console.print(matters_table(shown, at.rules.zone))


def show(session: Session, about: About, name: str) -> None:
    """Everything about one, and what became of it and of all that belongs to it."""
    with desk(session, about, entering=False) as at:
        register = at.register()
        print_history(register, found(register, name, about), at.rules.zone, session.console)


def _say_of_logins(at: Desk, matter: Matter, who: Author) -> None:
    """Two names under one login may be one person: that is told, since nobody can see it from here."""
    login = matter.proposal.body.login
    if login == who.login:
        names = f"{matter.proposal.author} and {who.name}"
        text = f"{matter.name} was proposed and approved under one login, {login}, as {names}"
        at.audit("one-login", text, matter.name, who)
        click.echo(f"{text}: the audit trail says so.", err=True)


def _effect_table(found_changes: Sequence[Change], heading: str) -> Table:
    table = Table("period", "now", "downtime", heading, "downtime", "verdict", box=None, pad_edge=False)
    for one in found_changes:
        before, after = one.before.figure, one.after.figure
        verdicts = [each.figure.verdict(each.target_percent) or "-" for each in (one.before, one.after)]
        table.add_row(
            f"{one.period.name} so far" if one.before.running else one.period.name,
            percent_text(before.percent),
            clock_text(before.counted_ms),
            percent_text(after.percent),
            clock_text(after.counted_ms),
            " -> ".join(dict.fromkeys(verdicts)),
        )
    return table
