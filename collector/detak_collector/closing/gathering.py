"""Reads from the store all that bears on whether a period can be sealed. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from detak_collector.annotations.known import KnownAnnotations
from detak_collector.catalogue.register import Register as CatalogueRegister
from detak_collector.closing.account import account_of
from detak_collector.closing.bodies import DISPUTES, SEALS
from detak_collector.closing.disputes import Disputes
from detak_collector.closing.findings import Backlog, Inner, Standing, Waiting
from detak_collector.closing.seals import Seal, Seals
from detak_collector.closing.terms import SealTerms
from detak_collector.decisions.corrections import windows_of
from detak_collector.decisions.recording import log_of
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period
from detak_collector.pair.entry import Entry
from detak_collector.rules import Rules, checks_by_service
from detak_collector.store.backlog import held_back
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import SqlEntries, entries_of

Derive = Callable[[Period], Result]
"""The result of a period by all that is known now, whatever is sealed."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the facts are read from."""

    database: Database
    entries: SqlEntries
    rules: Rules
    terms: SealTerms


def seals_of(connection: Connection) -> Seals:
    """The seals of this store, in a view of the caller's."""
    return Seals.of(_kinds(connection, SEALS))


def disputes_of(connection: Connection) -> Disputes:
    """The same of disputes."""
    return Disputes.of(_kinds(connection, DISPUTES))


def _kinds(connection: Connection, kinds: Iterable[str]) -> list[Entry]:
    return [one for kind in kinds for one in entries_of(connection, kind)]


def standing_of(ground: Ground, result: Result, derive: Derive, now: int) -> Standing:
    """All that bears on sealing the period of this result."""
    period = result.period
    with ground.database.reading() as connection:
        seals, disputes = seals_of(connection), disputes_of(connection)
        register = Register.of(log_of(connection))
        backlog = [one for node, end in _nodes(ground.rules, period) for one in _backlog(connection, node, period, end)]
    annotated = KnownAnnotations(ground.database).told().stories()
    numbers = [result.numbers.get(one.key) for service in result.services for one in service.outages]
    return Standing(
        period,
        now,
        result,
        ground.terms,
        backlog=backlog,
        proposals=list(pending_in(register, period.begin, period.end, now)),
        held=_held(ground.entries),
        disputes=[
            Waiting(str(one.body.outage), "dispute", one.author, one.body.deadline)
            for one in disputes.open()
            if one.overlaps(period.begin, period.end)
        ],
        inner=[Inner(one.label, one.body.period, _has_changed(one, derive)) for one in _inside(seals, period)],
        unannotated=sorted({one for one in numbers if one is not None} - set(annotated)),
    )


def _inside(seals: Seals, period: Period) -> Iterator[Seal]:
    """The seals in force of parts of the period."""
    for one in seals.standing():
        is_same = (one.body.begin, one.body.end) == (period.begin, period.end)
        if not is_same and period.begin <= one.body.begin and one.body.end <= period.end:
            yield one


def _has_changed(seal: Seal, derive: Derive) -> bool:
    return account_of(derive(seal.period)).digest != seal.body.digest


def _held(entries: SqlEntries) -> Waiting | None:
    held = CatalogueRegister(entries).versions().held()
    return None if held is None else Waiting(str(held.number), "catalogue", held.proposed_by)


def pending_in(register: Register, begin: int, end: int, now: int) -> Iterator[Waiting]:
    """The proposals without a decision that would touch [begin, end)."""
    for matter in register.matters.values():
        if matter.state is State.PENDING and any(touches(one, begin, end, now) for one in _bearing(matter)):
            proposal = matter.proposal
            yield Waiting(matter.name, proposal.body.about, proposal.author, ends=matter.is_withdrawal)


def _bearing(matter: Matter) -> Iterator[Matter]:
    """What it puts in force, and what that would end."""
    yield matter
    if matter.target is not None:
        yield matter.target


def touches(matter: Matter, begin: int, end: int, now: int) -> bool:
    """Whether any window of it shares time with [begin, end)."""
    return any(one.begin < end and begin < one.end for one in windows_of(matter, max(end, now)))


def _nodes(rules: Rules, period: Period) -> Iterator[tuple[str, int]]:
    """The nodes on which any service rests, each with the end of the time in which it was expected to report."""
    checks = frozenset[str]().union(*checks_by_service(rules).values())
    retired = {one.name: one.retired for one in rules.catalogue.nodes}
    for node in sorted({one.partition("/")[0] for one in checks}):
        gone = retired.get(node)
        end = period.end if gone is None else min(period.end, gone)
        if period.begin < end:
            yield node, end


def _backlog(connection: Connection, node: str, period: Period, end: int) -> Iterator[Backlog]:
    """What a node may still hold of the period; nothing where it is all here, or the node came only later."""
    found = held_back(connection, node, period.begin, end)
    if found is not None:
        yield Backlog(node, found.reach_utc, found.open, found.missing)
