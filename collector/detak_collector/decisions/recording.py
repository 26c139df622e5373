"""Enters proposals and decisions; what may not be is refused, with what to do, in the transaction that would write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import (
    ADD,
    APPROVE,
    EXCLUSION,
    LETTERS,
    NOBODY,
    REJECT,
    TAKE_BACK,
    WITHDRAW,
    About,
    Action,
    DecisionBody,
    ProposalBody,
    Provider,
    Verdict,
    body_of,
)
from detak_collector.decisions.register import Matter, Register, State, next_number
from detak_collector.pair.entry import DECISION, PROMOTION, PROPOSAL, Body, Entry, canonical
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import append, entries_of


class RefusedError(Exception):
    """What was asked may not be; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who speaks, and the login under which the command was given."""

    name: str
    login: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be proposed. `target`: the name of what it replaces or withdraws.

    `drill` and `provider` as a ProposalBody has them; None leaves them as they are in what is replaced.
    """

    about: About
    action: Action
    target: str = ""
    record: Mapping[str, Any] | None = None
    because: str = ""
    document: str = ""
    uid: str = ""
    drill: bool | None = None
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision that is to be made on the proposal of that name."""

    about: About
    name: str
    verdict: Verdict
    reason: str = ""
    document: str = ""


Step = Draft | Ruling

FOREVER = 2**53
_NOWHERE = "~"
"""The collector of entries that are only imagined: they come after all others of the same moment."""


def log_of(connection: Connection) -> list[Entry]:
    """All entries that bear on exclusions and declarations."""
    return [one for kind in (PROPOSAL, DECISION, PROMOTION) for one in entries_of(connection, kind)]


def register_here(database: Database, moment: int | None = None) -> Register:
    """What the log of this store comes to, now or at an earlier moment."""
    with database.reading() as connection:
        return Register.of(log_of(connection), moment)


def enter(database: Database, steps: Iterable[Step], author: Author, now_utc: int) -> tuple[Register, list[str]]:
    """Enters them in order, all or none; what the log comes to then, and the name of each. Raises RefusedError."""
    with database.writing() as connection:
        entries = log_of(connection)

        def make(kind: str, body: Body) -> Entry:
            return append(connection, kind, body, author.name, now_utc)

        return _entered(entries, steps, author, make)


def imagined(database: Database, steps: Iterable[Step], author: Author, now_utc: int) -> tuple[Register, list[str]]:
    """The same without entering anything."""
    with database.reading() as connection:
        entries = log_of(connection)
    at = max([now_utc, *(one.recorded_utc for one in entries)])
    seen: Counter[str] = Counter(one.collector for one in entries)

    def make(kind: str, body: Body) -> Entry:
        seen[_NOWHERE] += 1
        known = {name: FOREVER if name != _NOWHERE else count for name, count in seen.items()}
        return Entry(f"{seen[_NOWHERE]:032x}", kind, at, author.name, _NOWHERE, known, canonical(body))

    return _entered(entries, steps, author, make)


def _entered(
    entries: list[Entry], steps: Iterable[Step], author: Author, make: Callable[[str, Body], Entry]
) -> tuple[Register, list[str]]:
    register, number, names = Register.of(entries), next_number(entries), []
    for step in steps:
        body: ProposalBody | DecisionBody
        if isinstance(step, Draft):
            body, number = _drafted(register, number, step, author), number + 1
            entry = make(PROPOSAL, body_of(body))
        else:
            body = _decided(register, step, author)
            entry = make(DECISION, body_of(body))
        names.append(body.name)
        entries.append(entry)
        register.take(entry)
    return Register.of(entries), names


def _drafted(register: Register, number: int, draft: Draft, author: Author) -> ProposalBody:
    """The proposal with its name; raises RefusedError."""
    target = _target(register, draft) if draft.action != ADD else None
    name = f"{LETTERS[draft.about]}{number}"
    before = None if target is None else target.proposal.body
    return ProposalBody(
        about=draft.about,
        action=draft.action,
        name=name,
        root=name if target is None else target.proposal.body.root,
        login=author.login,
        target=None if target is None else target.proposal.entry.id,
        record=None if draft.record is None else dict(draft.record),
        because=draft.because,
        document=draft.document,
        uid=draft.uid,
        drill=(before is not None and before.drill) if draft.drill is None else draft.drill,
        provider=(NOBODY if before is None else before.provider) if draft.provider is None else draft.provider,
    )


def _decided(register: Register, ruling: Ruling, author: Author) -> DecisionBody:
    """The decision; raises RefusedError."""
    matter = found(register, ruling.name, ruling.about)
    refuse(matter, ruling.verdict, author.name)
    return DecisionBody(
        about=ruling.about,
        verdict=ruling.verdict,
        name=matter.name,
        root=matter.proposal.body.root,
        on=matter.proposal.entry.id,
        login=author.login,
        reason=ruling.reason,
        document=ruling.document,
    )


def found(register: Register, name: str, about: About) -> Matter:
    """The proposal of that name; raises RefusedError where there is none."""
    matter = register.named(name.strip().casefold(), about)
    if matter is None:
        command = command_of(about)
        raise RefusedError(f"ID: no {about} has it; `detak-collector {command} list --all` has them (got {name!r})")
    return matter


def refuse(matter: Matter, verdict: Verdict, author: str) -> None:
    """Raises RefusedError where this person may not say this of it now."""
    name, command = matter.name, command_of(matter.proposal.body.about)
    if matter.state is not State.PENDING:
        closed = f"{name} is {matter.state.value}, and not pending"
        hint = (
            f"; `detak-collector {command} withdraw {name}` proposes its end" if matter.state is State.IN_FORCE else ""
        )
        raise RefusedError(f"ID: {closed}{hint}; `detak-collector {command} show {name}` tells its history")
    is_own = same_person(author, matter.proposal.author)
    if verdict == APPROVE and is_own:
        raise RefusedError(f"--by: {matter.proposal.author} proposed {name}, and somebody else must approve it "
                           f"(got {author!r})")  # fmt: skip
    if verdict == REJECT and is_own:
        raise RefusedError(f"--by: {name} is your own proposal: `detak-collector {command} withdraw {name}` takes it "
                           f"back (got {author!r})")  # fmt: skip
    if verdict == TAKE_BACK and not is_own:
        raise RefusedError(f"--by: {matter.proposal.author} proposed {name}, which is pending: only its proposer takes "
                           f"it back, others `detak-collector {command} reject {name}` (got {author!r})")  # fmt: skip


def command_of(about: About) -> str:
    """The group of commands that is about it."""
    return "exclude" if about == EXCLUSION else "declare"


def _target(register: Register, draft: Draft) -> Matter:
    """What is to be replaced or withdrawn."""
    target = found(register, draft.target, draft.about)
    name, command = target.name, command_of(draft.about)
    if target.is_withdrawal:
        raise RefusedError(f"ID: {name} is itself the withdrawal of {target.target.name if target.target else '-'}; "
                           f"`detak-collector {command} reject {name}` ends it (got {draft.target!r})")  # fmt: skip
    if not target.live:
        raise RefusedError(f"ID: {name} is {target.state.value}; `detak-collector {command} add` proposes it anew "
                           f"(got {draft.target!r})")  # fmt: skip
    pending = register.root_of(target).pending
    if pending is not None and pending is not target:
        what = "withdraw" if pending.is_withdrawal else "replace"
        raise RefusedError(f"ID: {pending.name} is pending, and would {what} {name}: let that be decided first "
                           f"(got {draft.target!r})")  # fmt: skip
    if draft.action == WITHDRAW and target.state is State.PENDING:
        raise RefusedError(f"ID: {name} is pending, and only what is in force needs a withdrawal that another person "
                           "approves")  # fmt: skip
    return target
