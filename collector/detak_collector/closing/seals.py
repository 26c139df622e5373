"""Which seals are in force, out of the log of entries. Pure; the same entries say the same in any order.

Of one period at most one is in force. A seal against which nothing stood is in force at once; any other one, and every
restatement, when another person approves it. What is in force only ever ends by a restatement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from detak_collector.closing.account import Account, unpacked
from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, SealBody, SealDecisionBody, read
from detak_collector.decisions.persons import same_person
from detak_collector.downtime.periods import Period
from detak_collector.pair.entry import RESTATEMENT, SEAL, SEAL_DECISION, Entry, in_order
from detak_collector.translation.saying import Saying, saying


class SealState(StrEnum):
    """How a seal or a restatement stands."""

    PENDING = "pending"
    IN_FORCE = "in force"
    RESTATED = "restated"
    """A later one took its place."""
    REJECTED = "rejected"
    TAKEN_BACK = "taken back"
    LAPSED = "lapsed"
    """Another one was in force first."""


@dataclass(slots=True)
class Seal:
    """A seal or a restatement with its entry. `label` has a number behind it where two collectors gave one number."""

    entry: Entry
    body: SealBody
    label: str
    state: SealState = SealState.PENDING
    restates: Seal | None = None
    decision: Entry | None = None
    decided: SealDecisionBody | None = None

    @property
    def period(self) -> Period:
        """What it closes."""
        return Period(self.body.period, self.body.begin, self.body.end)

    @property
    def author(self) -> str:
        """Who asked for it."""
        return self.entry.author

    @property
    def is_restatement(self) -> bool:
        """Whether it takes the place of another one."""
        return self.entry.kind == RESTATEMENT

    @property
    def approved_by(self) -> str | None:
        """Who approved it; None where nobody needed to, or has."""
        is_approved = self.decided is not None and self.decided.verdict == APPROVE
        return self.decision.author if is_approved and self.decision is not None else None

    @property
    def since(self) -> int:
        """When it took effect, or was asked for."""
        return self.decision.recorded_utc if self.decision is not None else self.entry.recorded_utc

    @property
    def account(self) -> Account:
        """What it holds; raises AccountError."""
        return unpacked(self.body.account)

    @property
    def what(self) -> str:
        """What people call it."""
        return str(self.said)

    @property
    def said(self) -> Saying:
        """The same, for each language."""
        if self.is_restatement:
            return saying("restatement {number} of {period}", number=self.label, period=self.body.period)
        return saying("seal {number} of {period}", number=self.label, period=self.body.period)

    def overlaps(self, begin: int, end: int) -> bool:
        """Whether its period shares time with [begin, end)."""
        return self.body.begin < end and begin < self.body.end


@dataclass(slots=True)
class Seals:
    """All of them, in the order in which they are read. `unreadable`: entries of another version."""

    all: list[Seal] = field(default_factory=list)
    unreadable: int = 0

    @staticmethod
    def of(entries: Iterable[Entry], moment: int | None = None) -> Seals:
        """What the entries come to, or came to at an earlier moment."""
        seals = Seals()
        for entry in in_order(entries):
            if moment is None or entry.recorded_utc <= moment:
                seals._take(entry)
        return seals

    def in_force(self, period: Period) -> Seal | None:
        """The one in force of exactly this time."""
        standing = (one for one in self.standing() if (one.body.begin, one.body.end) == (period.begin, period.end))
        return next(standing, None)

    def standing(self) -> Iterator[Seal]:
        """All that are in force."""
        return (one for one in self.all if one.state is SealState.IN_FORCE)

    def pending(self, period: Period) -> Seal | None:
        """The one of exactly this time that waits for a decision."""
        waiting = (one for one in self.all if one.state is SealState.PENDING)
        return next((one for one in waiting if (one.body.begin, one.body.end) == (period.begin, period.end)), None)

    def touching(self, begin: int, end: int) -> list[Seal]:
        """Those in force that share time with [begin, end)."""
        return [one for one in self.standing() if one.overlaps(begin, end)]

    def labelled(self, label: str) -> Seal | None:
        """The one that people call so."""
        return next((one for one in self.all if one.label == label), None)

    def next_number(self) -> int:
        """The number of the next one."""
        return max((one.body.number for one in self.all), default=0) + 1

    def _take(self, entry: Entry) -> None:
        if entry.kind in {SEAL, RESTATEMENT}:
            body = read(entry, SealBody)
            if body is None or (body.restates is None) != (entry.kind == SEAL):
                self.unreadable += 1
            else:
                self._ask(Seal(entry, body, self._label(body.number)))
        elif entry.kind == SEAL_DECISION:
            decided = read(entry, SealDecisionBody)
            seal = None if decided is None else self._by_entry(decided.on)
            if decided is None or seal is None:
                self.unreadable += 1
            else:
                self._decide(seal, entry, decided)

    def _ask(self, seal: Seal) -> None:
        if seal.body.restates is not None:
            seal.restates = self._by_entry(seal.body.restates)
        self.all.append(seal)
        if not self._may_stand(seal):
            seal.state = SealState.LAPSED
        elif not seal.is_restatement and not seal.body.needs_approval and not seal.body.hindrances:
            self._put_in_force(seal)

    def _decide(self, seal: Seal, entry: Entry, decided: SealDecisionBody) -> None:
        is_own = same_person(entry.author, seal.author)
        if seal.state is not SealState.PENDING or is_own != (decided.verdict == TAKE_BACK):
            return
        if decided.verdict == APPROVE and not self._may_stand(seal):
            return
        seal.decision, seal.decided = entry, decided
        if decided.verdict == APPROVE:
            self._put_in_force(seal)
        else:
            seal.state = SealState.REJECTED if decided.verdict == REJECT else SealState.TAKEN_BACK

    def _may_stand(self, seal: Seal) -> bool:
        """A seal where none is in force of its time, a restatement in the place of what is in force of the same."""
        standing = self.in_force(seal.period)
        return standing is seal.restates if seal.is_restatement else standing is None

    def _put_in_force(self, seal: Seal) -> None:
        if seal.restates is not None:
            seal.restates.state = SealState.RESTATED
        seal.state = SealState.IN_FORCE
        for other in self.all:
            if other.state is SealState.PENDING and not self._may_stand(other):
                other.state = SealState.LAPSED

    def _by_entry(self, id_: str) -> Seal | None:
        return next((one for one in self.all if one.entry.id == id_), None)

    def _label(self, number: int) -> str:
        same = sum(one.body.number == number for one in self.all)
        return str(number) if not same else f"{number}-{same + 1}"
