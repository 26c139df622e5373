"""Past outages as declarations: proposed together under the name of their file, and decided together. Pure.

Each is a declaration of its own, so that it is listed, amended and withdrawn like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from detak_collector.catalogue.values import TEXT_CHARACTERS
from detak_collector.decisions.corrections import windows_of
from detak_collector.decisions.proposal import ADD, APPROVE, DECLARATION, REJECT, TAKE_BACK, WITHDRAW
from detak_collector.decisions.recording import Draft, RefusedError, Ruling, Step
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.declarations import DOWN
from detak_collector.past.outages import PastOutage
from detak_collector.report.numbers import iso_utc

PREFIX = "past"
NAME_CHARACTERS = 8


def batch_name(content: bytes) -> str:
    """What the outages of a file are called together: the beginning of its SHA-256."""
    return sha256(content).hexdigest()[:NAME_CHARACTERS]


@dataclass(slots=True)
class Planned:
    """What is to be proposed, and how many of the outages are declared already."""

    drafts: list[Draft] = field(default_factory=list)
    known: int = 0


def plan(register: Register, outages: Sequence[PastOutage], name: str, file: str, document: str) -> Planned:
    """What is in force or pending for the same service and time is not proposed again, from whatever file it came."""
    made = Planned()
    taken = {
        (one.scope, one.begin, one.end)
        for matter in register.about(DECLARATION)
        if matter.live and not matter.is_withdrawal
        for one in windows_of(matter, 0)
        if one.category == DOWN
    }
    for outage in outages:
        key = (outage.service, outage.begin, outage.end)
        if key in taken:
            made.known += 1
            continue
        taken.add(key)
        uid = f"{PREFIX}/{name}/{outage.line}"
        made.drafts.append(Draft(DECLARATION, ADD, record=_record(outage, file, document), uid=uid))
    return made


def _record(outage: PastOutage, file: str, document: str) -> Mapping[str, Any]:
    source = f"{file[:TEXT_CHARACTERS]} line {outage.line}"
    told = ": ".join(one for one in (outage.what, outage.reason) if one)
    return {
        "category": DOWN,
        "scope": {"service": outage.service},
        "from": iso_utc(outage.begin),
        "to": iso_utc(outage.end),
        "document": document,
        "reason": f"{told} ({source})" if told else source,
    }


@dataclass(slots=True)
class Batch:
    """What was proposed out of one file."""

    name: str
    matters: list[Matter] = field(default_factory=list)

    @property
    def proposed(self) -> list[Matter]:
        """The outages themselves, without what was proposed to end them."""
        return [one for one in self.matters if not one.is_withdrawal]

    @property
    def pending(self) -> list[Matter]:
        """What waits for a decision."""
        return [one for one in self.matters if one.state is State.PENDING]

    @property
    def in_force(self) -> list[Matter]:
        """What counts."""
        return [one for one in self.matters if one.state is State.IN_FORCE]


def batches(register: Register) -> list[Batch]:
    """All imports, in the order in which they were proposed."""
    found: dict[str, Batch] = {}
    for matter in register.about(DECLARATION):
        prefix, _, rest = matter.proposal.body.uid.partition("/")
        if prefix == PREFIX and rest:
            name = rest.partition("/")[0]
            found.setdefault(name, Batch(name)).matters.append(matter)
    return list(found.values())


def named(register: Register, name: str) -> Batch:
    """The import of that name; raises RefusedError."""
    for one in batches(register):
        if one.name == name.strip().casefold():
            return one
    raise RefusedError(f"NAME: no import has it; `detak-collector past list` has them (got {name!r})")


def approvals(batch: Batch, reason: str, document: str) -> list[Step]:
    """All that is pending of it takes effect; raises RefusedError."""
    return list(_rulings(batch, APPROVE, reason, document))


def rejections(batch: Batch, reason: str, document: str) -> list[Step]:
    """All that is pending of it ends without effect; raises RefusedError."""
    return list(_rulings(batch, REJECT, reason, document))


def withdrawals(batch: Batch, reason: str, document: str) -> list[Step]:
    """What is pending is taken back, of what is in force the end is proposed; raises RefusedError."""
    pending = [one for one in batch.pending if not one.is_withdrawal]
    ending = {one.target.name for one in batch.pending if one.is_withdrawal and one.target is not None}
    standing = [one for one in batch.in_force if one.name not in ending]
    if not pending and not standing:
        raise RefusedError(f"NAME: nothing of {batch.name} is in force or pending that is not to end already; "
                           "`detak-collector past list` tells how it stands")  # fmt: skip
    if standing and not document:
        raise RefusedError(f"--document: required, since {len(standing)} of {batch.name} are in force and figures rest "
                           "on them")  # fmt: skip
    taken_back: list[Step] = [Ruling(DECLARATION, one.name, TAKE_BACK, reason, document) for one in pending]
    ends = [
        Draft(DECLARATION, WITHDRAW, one.name, None, reason, document, uid=one.proposal.body.uid) for one in standing
    ]
    return [*taken_back, *ends]


def _rulings(batch: Batch, verdict: str, reason: str, document: str) -> Iterator[Ruling]:
    if not batch.pending:
        raise RefusedError(f"NAME: nothing of {batch.name} is pending; `detak-collector past list` tells how it stands")
    for one in batch.pending:
        yield Ruling(DECLARATION, one.name, APPROVE if verdict == APPROVE else REJECT, reason, document)
