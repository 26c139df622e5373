"""Enters disposals and what is decided on them. What may not be is refused in the same transaction."""

from __future__ import annotations

from detak_collector.closing.bodies import APPROVE, TAKE_BACK, body_of
from detak_collector.closing.recording import Ruling
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, Entry
from detak_collector.retention.bodies import KINDS, DisposalBody, DisposalDecisionBody
from detak_collector.retention.disposals import Disposal, Disposals, DisposalState
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import append, entries_of


def disposals_of(connection: Connection) -> Disposals:
    """The disposals of this store, in a view of the caller's."""
    return Disposals.of(_entries(connection))


def _entries(connection: Connection) -> list[Entry]:
    return [one for kind in KINDS for one in entries_of(connection, kind)]


def propose(
    database: Database, until: int, document: str, reason: str, who: tuple[Author, str], now_utc: int
) -> Disposal:
    """Enters a disposal under the next number. `who`: the author, and this collector. Raises RefusedError."""
    author, collector = who
    with database.writing() as connection:
        disposals = disposals_of(connection)
        before = disposals.pending() or disposals.to_carry_out(collector)
        if before is not None:
            does = "approve" if before.state is DisposalState.PENDING else "dispose"
            raise RefusedError(f"disposal {before.label} of {before.entry.author} comes first: `detak-collector "
                               f"retention {does} {before.label}`")  # fmt: skip
        body = DisposalBody(disposals.next_number(), until, document, reason, author.login)
        entry = append(connection, DISPOSAL, body_of(body), author.name, now_utc)
        return next(one for one in disposals_of(connection).all if one.entry.id == entry.id)


def decide(database: Database, ruling: Ruling, author: Author, now_utc: int) -> Disposal:
    """Enters what is decided on a pending one. Raises RefusedError."""
    with database.writing() as connection:
        disposal = found(disposals_of(connection), ruling.label)
        _refuse(disposal, ruling, author.name)
        body = DisposalDecisionBody(disposal.entry.id, ruling.verdict, author.login, ruling.reason)
        append(connection, DISPOSAL_DECISION, body_of(body), author.name, now_utc)
        return found(disposals_of(connection), ruling.label)


def found(disposals: Disposals, label: str) -> Disposal:
    """The one of that number; raises RefusedError where there is none."""
    disposal = disposals.labelled(label.strip())
    if disposal is None:
        raise RefusedError(f"NUMBER: no disposal has it; `detak-collector retention` has them (got {label!r})")
    return disposal


def _refuse(disposal: Disposal, ruling: Ruling, author: str) -> None:
    what, proposer = f"disposal {disposal.label}", disposal.entry.author
    if disposal.state is not DisposalState.PENDING:
        raise RefusedError(f"NUMBER: {what} is {disposal.state}, and not pending")
    is_own = same_person(author, proposer)
    if ruling.verdict == TAKE_BACK and not is_own:
        raise RefusedError(f"--by: {proposer} proposed {what}: only he takes it back, others `detak-collector "
                           f"retention reject {disposal.label}` (got {author!r})")  # fmt: skip
    if ruling.verdict == APPROVE and is_own:
        raise RefusedError(f"--by: {proposer} proposed {what}, and somebody else must approve it (got {author!r})")
    if ruling.verdict != TAKE_BACK and is_own:
        raise RefusedError(f"--by: {what} is your own: `detak-collector retention take-back {disposal.label}` ends it "
                           f"(got {author!r})")  # fmt: skip
