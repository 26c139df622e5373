"""What disposing of evidence takes at one store, at one moment: how far it may go, a proposal, carrying one out.

Commands do it in their own process, and pages have one started for them (`errand.py`): figures of sealed periods are
derived, and blocks read, for as long as that takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from detak_collector.clocks import Reading
from detak_collector.closing.account import account_of
from detak_collector.closing.gathering import disputes_of as open_disputes
from detak_collector.closing.gathering import seals_of
from detak_collector.closing.seals import Seal, Seals
from detak_collector.copies.comparison import months_known
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.downtime.derive import Result
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import Period
from detak_collector.retention.bodies import DisposedBody
from detak_collector.retention.carrying_out import Step, Work, carry_on, decided
from detak_collector.retention.disposals import Disposal, DisposalState
from detak_collector.retention.reach import Ground, Reach, covering, month_name, reach
from detak_collector.retention.recording import disposals_of, found, propose
from detak_collector.retention.terms import RetentionTerms, scheduled
from detak_collector.rules import Rules
from detak_collector.store.disposed import whole_from
from detak_collector.store.disposing import to_go
from detak_collector.store.parts import Store
from detak_collector.stored_months import View
from detak_collector.translation.saying import saying


class Derives(Protocol):
    """Of figures what is needed here."""

    def derived(self, period: Period, as_of: int | None = None) -> Result:
        """By the facts alone, whatever is sealed."""
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """What was done: `decided` is None where that was decided before, `gone` the records that went by this call."""

    disposal: Disposal
    decided: DisposedBody | None
    gone: int
    was_done: bool = False


@dataclass(frozen=True, slots=True)
class RetentionDesk:
    """One store's. Whatever is refused raises RefusedError, and what cannot be done CannotServeError or StoreError."""

    store: Store
    rules: Rules
    terms: RetentionTerms
    now: int

    def seals(self) -> Seals:
        """As the log has them."""
        with self.store.database.reading() as connection:
            return seals_of(connection)

    def reach(self) -> Reach:
        """How far evidence may be disposed of, and what keeps the rest."""
        with self.store.database.reading() as connection:
            seals, disputes, whole = seals_of(connection), open_disputes(connection), whole_from(connection)
        known = months_known(self.store.evidence, self.rules, self.now)
        since = whole if whole is not None else (known[0][0] if known else None)
        limit = scheduled(self.terms, self.now, self.rules.zone)
        return reach(Ground(since, limit, seals, disputes, self.rules.zone))

    def propose(self, until: int, document: str, reason: str, author: Author, figures: Derives) -> Disposal:
        """Enters a disposal of what is from before `until`, the turn of a month."""
        self._refuse_beyond(until)
        self._refuse_overtaken(until, figures)
        return propose(self.store.database, until, document, reason, (author, self.store.collector), self.now)

    def carry_out(
        self, label: str, author: Author, figures: Derives, moment: Reading,
        tell: Callable[[Disposal, DisposedBody], None], step: Step,
    ) -> Carried:  # fmt: skip
        """Carries out the approved disposal of that number here, or goes on with it; `tell` once it is decided."""
        with self.store.database.reading() as connection:
            made = found(disposals_of(connection), label)
        if made.state is not DisposalState.APPROVED:
            raise RefusedError(f"NUMBER: disposal {made.label} is {made.state}, and not approved")
        work = Work(self.store, View(self.store.evidence, self.rules, moment), made, author, step)
        told = None
        if self.store.collector not in made.carried_out:
            told = self._decided(work, figures)
            tell(made, told)
        elif not to_go(self.store.database):
            carry_on(work)
            return Carried(made, None, 0, was_done=True)
        return Carried(made, told, carry_on(work))

    def _decided(self, work: Work, figures: Derives) -> DisposedBody:
        may, until = self.reach(), work.disposal.body.until
        cells = [cell for cell in may.cells if cell[1] <= until]
        if not cells or cells[-1][1] != until:
            raise RefusedError(f"NUMBER: disposal {work.disposal.label} may not be carried out by now: {may.why}")
        self._refuse_overtaken(until, figures)
        return decided(work, cells, self._known_since(cells, figures))

    def _refuse_beyond(self, until: int) -> None:
        may, zone = self.reach(), self.rules.zone
        name = month_name(until, zone)
        if may.until is None or until > may.until:
            upto = "none" if may.until is None else f"what is from before {month_name(may.until, zone)}"
            raise RefusedError(f"--until: of the evidence may go: {upto}; {may.why} (got '{name}')")
        if until not in {end for _, end in may.cells}:
            raise RefusedError(f"--until: the evidence from before it was disposed of already (got '{name}')")

    def _refuse_overtaken(self, until: int, figures: Derives) -> None:
        """Where a seal of that time holds another figure than its evidence comes to by now.

        One that this version of the program does not come to at all is none of these: its figure stands as it is.
        """
        for seal in self._bearing(until):
            if _is_as_sealed(seal, figures):
                continue
            then = account_of(figures.derived(seal.period, seal.body.as_of))
            if then.digest == seal.body.digest:
                raise RefusedError(
                    saying(
                        "{period} is sealed, no. {number}, and comes to another figure by what came later: "
                        "`detak-collector restate {period}` comes before its evidence goes",
                        period=seal.body.period,
                        number=seal.label,
                    )
                )

    def _known_since(self, cells: Iterable[Interval], figures: Derives) -> dict[Interval, int]:
        """Of each month that comes to what its seal holds, up to when evidence was used for that."""
        seals = self.seals()
        same: dict[str, bool] = {}
        known = {}
        for cell in cells:
            seal = covering(seals, cell)
            if seal is None:
                continue
            if seal.label not in same:
                same[seal.label] = _is_as_sealed(seal, figures)
            if same[seal.label]:
                known[cell] = seal.body.as_of
        return known

    def _bearing(self, until: int) -> Iterator[Seal]:
        return (one for one in self.seals().standing() if one.body.begin < until)


def _is_as_sealed(seal: Seal, figures: Derives) -> bool:
    return account_of(figures.derived(seal.period)).digest == seal.body.digest
