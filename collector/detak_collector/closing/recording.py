"""Enters seals, restatements, disputes and what is decided on them. What may not be is refused in the same transaction.

Figures are derived before; here only the log is looked at once more, so that of two who ask at once one is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from detak_collector.closing.bodies import (
    APPROVE,
    DISMISS,
    TAKE_BACK,
    Answer,
    DisputeBody,
    DisputeDecisionBody,
    SealBody,
    SealDecisionBody,
    Verdict,
    body_of,
)
from detak_collector.closing.disputes import Dispute, DisputeState
from detak_collector.closing.gathering import disputes_of, seals_of
from detak_collector.closing.seals import Seal, Seals, SealState
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.pair.entry import DISPUTE, DISPUTE_DECISION, RESTATEMENT, SEAL, SEAL_DECISION
from detak_collector.store.database import Connection, Database
from detak_collector.store.disposed import whole_from
from detak_collector.store.entries import append

__all__ = ["Author", "RefusedError"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be decided of the seal with this label."""

    label: str
    verdict: Verdict
    reason: str = ""


def enter_seal(database: Database, body: SealBody, author: Author, now_utc: int) -> Seal:
    """Enters a seal, or a restatement where `body` restates one, under the next number. Raises RefusedError."""
    with database.writing() as connection:
        seals = seals_of(connection)
        refuse_asking(seals, body)
        whole = whole_from(connection)
        if body.restates is not None and whole is not None and body.begin < whole:
            raise RefusedError(f"PERIOD: its evidence was disposed of: nothing is known by which to restate it "
                               f"(got {body.period!r})")  # fmt: skip
        numbered = structs.replace(body, number=seals.next_number(), login=author.login)
        kind = SEAL if body.restates is None else RESTATEMENT
        entry = append(connection, kind, body_of(numbered), author.name, now_utc)
        return _again(seals_of(connection), entry.id)


def refuse_asking(seals: Seals, body: SealBody) -> None:
    """Raises RefusedError where the period is sealed, or waits to be."""
    period, standing = body.period, None
    for one in seals.all:
        if (one.body.begin, one.body.end) != (body.begin, body.end):
            continue
        if one.state is SealState.PENDING:
            raise RefusedError(f"PERIOD: {one.what} waits for its approval: `detak-collector seal approve {one.label}` "
                               f"or `seal reject {one.label}` comes first (got {period!r})")  # fmt: skip
        standing = one if one.state is SealState.IN_FORCE else standing
    if standing is not None and body.restates != standing.entry.id:
        raise RefusedError(f"PERIOD: {period} is sealed, no. {standing.label}: only `detak-collector restate {period}` "
                           f"changes it (got {period!r})")  # fmt: skip
    if standing is None and body.restates is not None:
        raise RefusedError(f"PERIOD: {period} is not sealed: `detak-collector seal {period}` does that "
                           f"(got {period!r})")  # fmt: skip


def decide_seal(database: Database, ruling: Ruling, author: Author, now_utc: int) -> Seal:
    """Enters the decision on a pending one. Raises RefusedError."""
    with database.writing() as connection:
        seal = found_seal(seals_of(connection), ruling.label)
        refuse_ruling(seal, ruling.verdict, author.name)
        body = SealDecisionBody(seal.entry.id, ruling.verdict, author.login, ruling.reason)
        append(connection, SEAL_DECISION, body_of(body), author.name, now_utc)
        return _again(seals_of(connection), seal.entry.id)


def found_seal(seals: Seals, label: str) -> Seal:
    """The one of that number; raises RefusedError where there is none."""
    seal = seals.labelled(label.strip())
    if seal is None:
        raise RefusedError(f"NUMBER: no seal has it; `detak-collector seal list` has them (got {label!r})")
    return seal


def refuse_ruling(seal: Seal, verdict: Verdict, author: str) -> None:
    """Raises RefusedError where this person may not say this of it now."""
    if seal.state is not SealState.PENDING:
        raise RefusedError(f"NUMBER: {seal.what} is {seal.state}, and not pending")
    is_own = same_person(author, seal.author)
    if verdict == TAKE_BACK and not is_own:
        raise RefusedError(f"--by: {seal.author} asked for {seal.what}: only he takes it back, others "
                           f"`detak-collector seal reject {seal.label}` (got {author!r})")  # fmt: skip
    if verdict == APPROVE and is_own:
        raise RefusedError(f"--by: {seal.author} asked for {seal.what}, and somebody else must approve it "
                           f"(got {author!r})")  # fmt: skip
    if verdict not in {APPROVE, TAKE_BACK} and is_own:
        raise RefusedError(f"--by: {seal.what} is your own: `detak-collector seal take-back {seal.label}` ends it "
                           f"(got {author!r})")  # fmt: skip


def enter_dispute(database: Database, body: DisputeBody, author: Author, now_utc: int) -> Dispute:
    """Enters a dispute. Raises RefusedError where the outage is sealed, or disputed already."""
    with database.writing() as connection:
        _refuse_dispute(connection, body)
        entry = append(connection, DISPUTE, body_of(body), author.name, now_utc)
        return _dispute(connection, lambda one: one.entry.id == entry.id)


def _refuse_dispute(connection: Connection, body: DisputeBody) -> None:
    sealed = seals_of(connection).touching(body.begin, max(body.end, body.begin + 1))
    if sealed:
        one = sealed[0]
        raise RefusedError(f"OUTAGE: {one.body.period}, in which it lies, is sealed, no. {one.label}: only `detak-"
                           f"collector restate {one.body.period}` changes it (got {body.outage})")  # fmt: skip
    before = disputes_of(connection).open_of(body.outage)
    if before is not None:
        raise RefusedError(f"OUTAGE: {before.author} disputes it already, no. {before.number} (got {body.outage})")


def answer_dispute(
    database: Database, number: int, verdict: Answer, reason: str, author: Author, now_utc: int
) -> Dispute:
    """Enters the answer to an open dispute. Raises RefusedError."""
    with database.writing() as connection:
        dispute = disputes_of(connection).numbered(number)
        if dispute is None:
            raise RefusedError(f"DISPUTE: none has this number; `detak-collector incidents disputes` has them "
                               f"(got {number})")  # fmt: skip
        _refuse_answer(dispute, verdict, author.name)
        body = DisputeDecisionBody(dispute.entry.id, verdict, author.login, reason)
        append(connection, DISPUTE_DECISION, body_of(body), author.name, now_utc)
        return _dispute(connection, lambda one: one.entry.id == dispute.entry.id)


def _refuse_answer(dispute: Dispute, verdict: Answer, author: str) -> None:
    if dispute.state is not DisputeState.OPEN:
        raise RefusedError(f"DISPUTE: it is {dispute.state} already (got {dispute.number})")
    is_own = same_person(author, dispute.author)
    if verdict == TAKE_BACK and not is_own:
        raise RefusedError(f"--by: only {dispute.author}, who disputes it, takes it back (got {author!r})")
    if verdict != TAKE_BACK and is_own:
        verb = "dismisses" if verdict == DISMISS else "upholds"
        raise RefusedError(f"--by: nobody {verb} his own dispute; `incidents take-back {dispute.number}` ends it "
                           f"(got {author!r})")  # fmt: skip


def _dispute(connection: Connection, is_wanted: Callable[[Dispute], bool]) -> Dispute:
    return next(one for one in disputes_of(connection).all if is_wanted(one))


def _again(seals: Seals, entry: str) -> Seal:
    return next(one for one in seals.all if one.entry.id == entry)
