"""Carries out an approved disposal at this collector: in steps that beats do not wait for, and that may be interrupted.

First what its months came to is kept and what is left of each block is planned; then one transaction decides all of it
with the entry that tells so; then the records go, block after block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.bundle.writing import chain_all
from detak_collector.closing.bodies import body_of
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import months
from detak_collector.errors import CannotServeError
from detak_collector.ledger.disposal import left_digest
from detak_collector.pair.entry import DISPOSED
from detak_collector.retention.bodies import DisposedBody
from detak_collector.retention.disposals import Disposal
from detak_collector.retention.recording import disposals_of
from detak_collector.store import disposing
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.disposing import Plan
from detak_collector.store.entries import append
from detak_collector.store.parts import Store
from detak_collector.stored_months import StoredMonths, View

LEISURE = 4
"""Between two blocks it waits so many times as long as one took: beats come first."""

TRIES = 20
Step = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much."""


@dataclass(frozen=True, slots=True)
class Work:
    """One call of the command at the store. `known`: of each month since when what it comes to was known."""

    store: Store
    view: View
    disposal: Disposal
    author: Author
    step: Step

    @property
    def now(self) -> int:
        """The moment of the call."""
        return self.view.moment.utc


def decided(work: Work, cells: Sequence[Interval], known: Mapping[Interval, int]) -> DisposedBody:
    """Plans and decides it: nothing is gone yet. Raises CannotServeError, RefusedError, StoreError."""
    _keep_months(work, cells, known)
    chain_all(work.store.ledger, work.now)
    plan = _planned(work)
    if not plan.left:
        raise CannotServeError(
            "nothing is disposed of: no record from before that time was chained long enough ago; evidence that came "
            "late, from another collector or a store without a ledger, counts from when it was recorded here"
        )
    told = work.disposal.body
    body = DisposedBody(
        work.disposal.entry.id, told.number, told.until, told.document, plan.left[0].number, plan.left[-1].number,
        plan.gone, sum(one.records for one in plan.left), left_digest(plan.left), str(work.store.ledger.head()),
        work.author.login,
    )  # fmt: skip
    with work.store.database.writing() as connection:
        if disposals_of(connection).to_carry_out(work.store.collector) is None:
            raise RefusedError(f"NUMBER: disposal {work.disposal.label} was carried out meanwhile")
        disposing.decide(connection, work.disposal.entry.id, told.until, plan.left)
        append(connection, DISPOSED, body_of(body), work.author.name, work.now)
    return body


def _keep_months(work: Work, cells: Sequence[Interval], known: Mapping[Interval, int]) -> None:
    stored = StoredMonths(work.view, work.store.derived)
    for at, cell in enumerate(cells, 1):
        disposing.keep(work.store.database, stored.settled(cell, days=True), known.get(cell, work.now))
        work.step("keeping months", at, len(cells))


def _planned(work: Work) -> Plan:
    keep_from = evidence_stays_from(work.disposal.body.until, work.view.rules.zone)
    with work.store.database.reading() as connection:
        blocks = disposing.stretch(connection, keep_from)
        stay = disposing.staying(connection, blocks, keep_from)
    done, total = 0, len(blocks.blocks)

    def step() -> None:
        nonlocal done
        done += 1
        work.step("planning blocks", done, total)

    return disposing.planned(work.store.database, blocks, stay, work.disposal.entry.id, step)


def evidence_stays_from(until: int, zone: tzinfo) -> int:
    """The month before stays: where outages have a minimum length, the first month after rests on it too."""
    ((begin, _),) = months(until - 1, until, zone)
    return begin


def carry_on(work: Work) -> int:
    """Removes what is still there of what was decided; how many records that were. Raises StoreError.

    Before that the entry that tells of it is chained: at no moment is a record missing of which no chain tells.
    """
    chain_all(work.store.ledger, work.now)
    waiting = disposing.to_go(work.store.database)
    gone = 0
    for at, left in enumerate(waiting, 1):
        begun = time.monotonic()
        gone += _patiently(lambda: disposing.let_go(work.store.database, left))  # noqa: B023 - called at once
        work.step("disposing of blocks", at, len(waiting))
        time.sleep(LEISURE * (time.monotonic() - begun))
    disposing.finish(work.store.database, work.disposal.body.until, work.now)
    return gone


def _patiently(let_go: Callable[[], int]) -> int:
    """Where the store is locked for a moment, it is asked again."""
    for _ in range(TRIES):
        with suppress(StoreUnavailableError):
            return let_go()
        time.sleep(1)
    return let_go()
