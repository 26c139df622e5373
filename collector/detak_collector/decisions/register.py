"""What became of every proposal, out of the log of entries. Pure; the same entries say the same in any order.

Of all that belongs to one root at most one is in force, that of the last approval that counts, and normally one is
pending. A decision counts if its proposal was open when it was made, or if who made it could not know that it was no
more, at the other of two collectors: then the later one counts, as with all that two collectors enter at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import APPROVE, REJECT, TAKE_BACK, WITHDRAW, Decision, Proposal, read_entry
from detak_collector.pair.entry import DECISION, PROMOTION, PROPOSAL, Entry, in_order

NAMES_APART = 100
"""So many names the collector that led may have given since it was last heard, when another one is promoted."""


class State(StrEnum):
    """How a proposal stands."""

    PENDING = "pending"
    IN_FORCE = "in force"
    DONE = "approved"
    """Of a withdrawal."""
    REJECTED = "rejected"
    TAKEN_BACK = "taken back"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Something else was approved in its place."""


@dataclass(slots=True)
class Matter:
    """One proposal, how it stands, what was decided on it, and the entry that closed it."""

    proposal: Proposal
    target: Matter | None
    state: State = State.PENDING
    decisions: list[Decision] = field(default_factory=list)
    approval: Decision | None = None
    closed_by: Entry | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.proposal.name

    @property
    def is_withdrawal(self) -> bool:
        """Whether it is to end what it is about, and puts nothing in its place."""
        return self.proposal.body.action == WITHDRAW

    @property
    def live(self) -> bool:
        """Whether it is in force or pending."""
        return self.state in {State.IN_FORCE, State.PENDING}

    def descends_from(self, other: Matter) -> bool:
        """Whether it replaces or withdraws that one, perhaps through others."""
        at = self.target
        while at is not None:
            if at is other:
                return True
            at = at.target
        return False


@dataclass(slots=True)
class Root:
    """All that belongs together: in order, what was proposed, and what was approved and still counts as that."""

    matters: list[Matter] = field(default_factory=list)
    approved: list[Matter] = field(default_factory=list)

    @property
    def in_force(self) -> Matter | None:
        """What is in force of it."""
        last = self.approved[-1] if self.approved else None
        return None if last is None or last.is_withdrawal else last

    @property
    def pending(self) -> Matter | None:
        """What waits for a decision."""
        return next((one for one in reversed(self.matters) if one.state is State.PENDING), None)


@dataclass(slots=True)
class Register:
    """Every proposal in the order in which they are read. `unreadable`: entries of another version."""

    roots: list[Root] = field(default_factory=list)
    matters: dict[str, Matter] = field(default_factory=dict)
    unreadable: int = 0
    _root_of: dict[str, Root] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(entries: Iterable[Entry], moment: int | None = None) -> Register:
        """What the entries come to, or came to at an earlier moment."""
        register = Register()
        for entry in in_order(entries):
            if entry.kind in {PROPOSAL, DECISION} and (moment is None or entry.recorded_utc <= moment):
                register.take(entry)
        return register

    def named(self, name: str, about: str) -> Matter | None:
        """The proposal that people call so."""
        return next((one for one in self.about(about) if one.name == name), None)

    def about(self, about: str) -> Iterator[Matter]:
        """All proposals of exclusions, or of declarations."""
        return (one for one in self.matters.values() if one.proposal.body.about == about)

    def root_of(self, matter: Matter) -> Root:
        """All that belongs to it."""
        return self._root_of[matter.proposal.entry.id]

    def take(self, entry: Entry) -> None:
        """Reads one more entry, which comes after all that were read."""
        match read_entry(entry):
            case Proposal() as proposal:
                self._propose(proposal)
            case Decision() as decision if decision.body.on in self.matters:
                self._decide(decision, self.matters[decision.body.on])
            case _:
                self.unreadable += 1

    def _propose(self, proposal: Proposal) -> None:
        target = self.matters.get(proposal.body.target or "")
        if proposal.body.target is not None and (
            target is None or target.is_withdrawal or target.proposal.body.about != proposal.body.about
        ):
            self.unreadable += 1
            return
        if target is None:
            root = Root()
            self.roots.append(root)
        else:
            root = self.root_of(target)
        matter = Matter(replace(proposal, name=self._distinct(proposal.name)), target)
        for other in root.matters:
            if other.state is State.PENDING:
                other.state, other.closed_by = State.REPLACED, proposal.entry
        root.matters.append(matter)
        self.matters[proposal.entry.id] = matter
        self._root_of[proposal.entry.id] = root

    def _distinct(self, name: str) -> str:
        self._names[name] = self._names.get(name, 0) + 1
        return name if self._names[name] == 1 else f"{name}-{self._names[name]}"

    def _decide(self, decision: Decision, matter: Matter) -> None:
        matter.decisions.append(decision)
        if not _may_decide(decision, matter) or (
            matter.closed_by is not None and decision.entry.knew(matter.closed_by)
        ):
            return
        root = self.root_of(matter)
        root.approved = [one for one in root.approved if one is not matter]
        matter.closed_by, matter.approval = decision.entry, None
        if decision.body.verdict == APPROVE:
            matter.approval = decision
            root.approved.append(matter)
            for other in root.matters:
                if other.state is State.PENDING and other is not matter and not other.descends_from(matter):
                    other.state, other.closed_by = State.LAPSED, decision.entry
        else:
            matter.state = State.REJECTED if decision.body.verdict == REJECT else State.TAKEN_BACK
        _settle(root)


def _may_decide(decision: Decision, matter: Matter) -> bool:
    """Four eyes: nobody approves what is his own; who takes it back must have proposed it."""
    is_own = same_person(decision.author, matter.proposal.author)
    return is_own if decision.body.verdict == TAKE_BACK else decision.body.verdict == REJECT or not is_own


def _settle(root: Root) -> None:
    """Of what was approved the last is in force, and ended those before it."""
    for at, one in enumerate(root.approved):
        after = root.approved[at + 1] if at + 1 < len(root.approved) else None
        if one.is_withdrawal:
            one.state = State.DONE
        elif after is None:
            one.state = State.IN_FORCE
        else:
            one.state = State.WITHDRAWN if after.is_withdrawal else State.REPLACED


def next_number(entries: Iterable[Entry]) -> int:
    """The number of the next name. After a promotion some are left out that the other collector may have given."""
    known = list(entries)
    numbers = {one.id: int(read.body.name[1:]) for one in known if isinstance(read := read_entry(one), Proposal)}
    latest = max(numbers.values(), default=0)
    for promotion in (one for one in known if one.kind == PROMOTION):
        before = [numbers[one.id] for one in known if one.id in numbers and promotion.knew(one)]
        latest = max(latest, max(before, default=0) + NAMES_APART)
    return latest + 1
