"""How each disposal stands, out of the log of entries. Pure; the same entries say the same in any order.

It takes two people: what one proposes another one approves. Each collector carries out what was approved by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, read
from detak_collector.decisions.persons import same_person
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, DISPOSED, Entry, in_order
from detak_collector.retention.bodies import DisposalBody, DisposalDecisionBody, DisposedBody


class DisposalState(StrEnum):
    """How a disposal stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    TAKEN_BACK = "taken back"


@dataclass(slots=True)
class Disposal:
    """A disposal with its entry. `label` has a number behind it where two collectors gave one number.

    `carried_out` are, by collector, the entries that say that it was.
    """

    entry: Entry
    body: DisposalBody
    label: str
    state: DisposalState = DisposalState.PENDING
    decision: Entry | None = None
    carried_out: dict[str, tuple[Entry, DisposedBody]] = field(default_factory=dict)


@dataclass(slots=True)
class Disposals:
    """All of them, in the order in which they are read."""

    all: list[Disposal] = field(default_factory=list)

    @staticmethod
    def of(entries: Iterable[Entry]) -> Disposals:
        """What the entries come to."""
        found = Disposals()
        for entry in in_order(entries):
            found._take(entry)
        return found

    def labelled(self, label: str) -> Disposal | None:
        """The one that people call so."""
        return next((one for one in self.all if one.label == label), None)

    def pending(self) -> Disposal | None:
        """The one that waits for a decision."""
        return next((one for one in self.all if one.state is DisposalState.PENDING), None)

    def to_carry_out(self, collector: str) -> Disposal | None:
        """The first approved one that this collector has not carried out."""
        approved = (one for one in self.all if one.state is DisposalState.APPROVED)
        return next((one for one in approved if collector not in one.carried_out), None)

    def carried_out_until(self, collector: str) -> int | None:
        """Up to when this collector's evidence was disposed of; None where none was."""
        return max((one.body.until for one in self.all if collector in one.carried_out), default=None)

    def next_number(self) -> int:
        """The number of the next one."""
        return max((one.body.number for one in self.all), default=0) + 1

    def _take(self, entry: Entry) -> None:
        if entry.kind == DISPOSAL:
            body = read(entry, DisposalBody)
            if body is not None:
                same = sum(one.body.number == body.number for one in self.all)
                label = f"{body.number}-{same + 1}" if same else str(body.number)
                self.all.append(Disposal(entry, body, label))
        elif entry.kind == DISPOSAL_DECISION:
            self._decide(entry)
        elif entry.kind == DISPOSED:
            done = read(entry, DisposedBody)
            disposal = None if done is None else self._by_entry(done.on)
            if done is not None and disposal is not None:
                disposal.carried_out.setdefault(entry.collector, (entry, done))

    def _decide(self, entry: Entry) -> None:
        decided = read(entry, DisposalDecisionBody)
        disposal = None if decided is None else self._by_entry(decided.on)
        if decided is None or disposal is None or disposal.state is not DisposalState.PENDING:
            return
        if same_person(entry.author, disposal.entry.author) == (decided.verdict == TAKE_BACK):
            disposal.decision = entry
            disposal.state = _STATES[decided.verdict]

    def _by_entry(self, id_: str) -> Disposal | None:
        return next((one for one in self.all if one.entry.id == id_), None)


_STATES = {
    APPROVE: DisposalState.APPROVED, REJECT: DisposalState.REJECTED, TAKE_BACK: DisposalState.TAKEN_BACK,
}  # fmt: skip
