"""What somebody may do with a proposal: the four eyes as pages and the API offer them. Pure.

What is offered is a courtesy; what may be is decided once more by `decisions`, in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from detak_collector.accounts.roles import Right
from detak_collector.decisions.claims import STANCES, ClaimBody
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import APPROVE, EXCLUSION, REJECT, TAKE_BACK, Verdict
from detak_collector.decisions.recording import Ruling
from detak_collector.decisions.register import Matter, State
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_desk import Known
from detak_collector.web.work.exclusions_form import NO_CHOICE, REQUIRED, Fault
from detak_collector.web.work.exclusions_words import NO_MORE, OWN

LONGEST_REASON = 2_000
LONGEST_DOCUMENT = 200


class Act(StrEnum):
    """One thing that is done to a proposal."""

    APPROVE = "approve"
    REJECT = "reject"
    TAKE_BACK = "take-back"
    CLAIM = "claim"
    AMEND = "amend"
    WITHDRAW = "withdraw"

    @staticmethod
    def of(word: str) -> Act | None:
        """What a form sends; None where it is nothing that a proposal's page does."""
        return Act(word) if word in _AT_ITS_PAGE else None

    @property
    def right(self) -> Right:
        """What it takes."""
        return Right.APPROVE if self in {Act.APPROVE, Act.REJECT} else Right.PROPOSE

    @property
    def event(self) -> str:
        """Of the audit trail, behind `exclusion-` or `declaration-`."""
        return _EVENTS[self]

    @property
    def verb(self) -> str:
        """What the audit trail says that somebody does."""
        return _VERBS[self]

    def faults(self, fields: Mapping[str, str]) -> dict[str, Fault]:
        """What is wrong with a form that does it."""
        if self is Act.CLAIM:
            if fields.get("stance") not in STANCES:
                return {"claim_reason": Fault(NO_CHOICE)}
            return {} if fields.get("claim_reason", "").strip() else {"claim_reason": Fault(REQUIRED)}
        is_silent = self is not Act.APPROVE and not fields.get("reason", "").strip()
        return {"reason": Fault(REQUIRED)} if is_silent else {}

    def claim(self, matter: Matter, known: Known, fields: Mapping[str, str], login: str) -> ClaimBody:
        """How the third party takes it."""
        first = known.register.root_of(matter).matters[0].proposal
        (stance,) = (one for one in STANCES if one == fields["stance"])
        reason = fields["claim_reason"].strip()[:LONGEST_REASON]
        return ClaimBody(first.entry.id, first.body.root, stance, reason, login)


_AT_ITS_PAGE = ("approve", "reject", "take-back", "claim")
_EVENTS = {Act.APPROVE: "approved", Act.REJECT: "rejected", Act.TAKE_BACK: "taken-back"}
_VERBS = {Act.APPROVE: "approves", Act.REJECT: "rejects", Act.TAKE_BACK: "takes back"}
_VERDICTS: Mapping[Act, Verdict] = {Act.APPROVE: APPROVE, Act.REJECT: REJECT, Act.TAKE_BACK: TAKE_BACK}


def ruling_of(matter: Matter, act: Act, fields: Mapping[str, str]) -> Ruling:
    """The decision that a form asks for."""
    reason, document = fields.get("reason", "").strip(), fields.get("document", "").strip()
    about = matter.proposal.body.about
    return Ruling(about, matter.name, _VERDICTS[act], reason[:LONGEST_REASON], document[:LONGEST_DOCUMENT])


def is_own(matter: Matter, person: Person) -> bool:
    """Whether somebody proposed it himself, under his account's name or as he is called."""
    names = (person.account.name, person.account.display)
    return any(same_person(one, matter.proposal.author) for one in names)


def acts_of(matter: Matter, known: Known, person: Person) -> tuple[Act, ...]:
    """What somebody may do with it now."""
    return tuple(one for one in Act if one.right in person.rights and _is_open(one, matter, known, person))


def hindered(matter: Matter, person: Person, act: Act) -> str:
    """Why he may not, a sentence to translate."""
    is_four_eyes = act in {Act.APPROVE, Act.REJECT}
    return OWN if matter.state is State.PENDING and is_four_eyes and is_own(matter, person) else NO_MORE


def _is_open(act: Act, matter: Matter, known: Known, person: Person) -> bool:
    is_pending = matter.state is State.PENDING
    if act in {Act.APPROVE, Act.REJECT}:
        return is_pending and not is_own(matter, person)
    if act is Act.TAKE_BACK:
        return is_pending and same_person(person.account.name, matter.proposal.author)
    if act is Act.CLAIM:
        record = matter.proposal.body.record or {}
        is_thirds = matter.proposal.body.about == EXCLUSION and record.get("category") == "third_party"
        return is_thirds and matter.live
    other = known.register.root_of(matter).pending
    is_free = matter.live and not matter.is_withdrawal and (other is None or other is matter)
    return is_free and (act is Act.AMEND or matter.state is State.IN_FORCE)
