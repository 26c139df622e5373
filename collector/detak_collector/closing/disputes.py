"""Outages that somebody says are not as they are told, and what an approver answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from detak_collector.closing.bodies import TAKE_BACK, UPHOLD, DisputeBody, DisputeDecisionBody, read
from detak_collector.decisions.persons import same_person
from detak_collector.pair.entry import DISPUTE, DISPUTE_DECISION, Entry, in_order


class DisputeState(StrEnum):
    """How a dispute stands."""

    OPEN = "open"
    UPHELD = "upheld"
    """The approver agrees; what follows of it is proposed as an exclusion or a declaration."""
    DISMISSED = "dismissed"
    TAKEN_BACK = "taken back"


@dataclass(slots=True)
class Dispute:
    """One dispute, numbered in the order in which they are read."""

    number: int
    entry: Entry
    body: DisputeBody
    state: DisputeState = DisputeState.OPEN
    answer: Entry | None = None
    answered: DisputeDecisionBody | None = None

    @property
    def author(self) -> str:
        """Who disputes."""
        return self.entry.author

    def overlaps(self, begin: int, end: int) -> bool:
        """Whether its outage shares time with [begin, end)."""
        return self.body.begin < end and begin < max(self.body.end, self.body.begin + 1)


@dataclass(slots=True)
class Disputes:
    """All of them, in order."""

    all: list[Dispute] = field(default_factory=list)

    @staticmethod
    def of(entries: Iterable[Entry], moment: int | None = None) -> Disputes:
        """What the entries come to, or came to at an earlier moment."""
        disputes = Disputes()
        for entry in in_order(entries):
            if moment is None or entry.recorded_utc <= moment:
                disputes._take(entry)
        return disputes

    def open(self) -> list[Dispute]:
        """Those that nobody answered yet."""
        return [one for one in self.all if one.state is DisputeState.OPEN]

    def numbered(self, number: int) -> Dispute | None:
        """The one of that number."""
        return self.all[number - 1] if 1 <= number <= len(self.all) else None

    def open_of(self, outage: int) -> Dispute | None:
        """The open one about this outage."""
        return next((one for one in self.open() if one.body.outage == outage), None)

    def _take(self, entry: Entry) -> None:
        if entry.kind == DISPUTE:
            body = read(entry, DisputeBody)
            if body is not None:
                self.all.append(Dispute(len(self.all) + 1, entry, body))
        elif entry.kind == DISPUTE_DECISION:
            answered = read(entry, DisputeDecisionBody)
            dispute = None if answered is None else next((one for one in self.all if one.entry.id == answered.on), None)
            if answered is not None and dispute is not None:
                _answer(dispute, entry, answered)


def _answer(dispute: Dispute, entry: Entry, answered: DisputeDecisionBody) -> None:
    """The first answer counts, and only of somebody else; who takes it back must have disputed it."""
    is_own = same_person(entry.author, dispute.author)
    if dispute.state is not DisputeState.OPEN or is_own != (answered.verdict == TAKE_BACK):
        return
    dispute.answer, dispute.answered = entry, answered
    if answered.verdict == TAKE_BACK:
        dispute.state = DisputeState.TAKEN_BACK
    else:
        dispute.state = DisputeState.UPHELD if answered.verdict == UPHOLD else DisputeState.DISMISSED
