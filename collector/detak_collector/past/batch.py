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
OWN = "own"
"""The tool of a mapping of one's own."""
NAME_CHARACTERS = 8
EVENTS = {"approve": "import-approved", "reject": "import-rejected", "withdraw": "import-withdrawn"}
"""By what is decided, what the audit trail calls it after the kind, as it does of a single declaration."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of outages: its SHA-256, which program wrote it, and what it is called.

    Of what was imported by an earlier version only the beginning of the digest is known.
    """

    digest: str
    tool: str = ""
    file: str = ""

    @staticmethod
    def of(content: bytes, tool: str, file: str) -> Source:
        """That of a file; `tool` has no slash in it."""
        return Source(sha256(content).hexdigest(), tool, file[:TEXT_CHARACTERS])

    @property
    def name(self) -> str:
        """What the outages of the file are called together."""
        return self.digest[:NAME_CHARACTERS]

    def uid(self, line: int) -> str:
        """That of the declaration made of a line."""
        return "/".join((PREFIX, self.digest, str(line), self.tool, self.file))


def source_of(uid: str) -> Source | None:
    """The file out of which a declaration was made; None where it was no file."""
    prefix, _, rest = uid.partition("/")
    if prefix != PREFIX or not rest:
        return None
    digest, _, *told = rest.split("/", 3)
    return Source(digest, *told)


@dataclass(slots=True)
class Planned:
    """What is to be proposed of which outages, and how many are declared already."""

    drafts: list[Draft] = field(default_factory=list)
    outages: list[PastOutage] = field(default_factory=list)
    known: int = 0


def plan(register: Register, outages: Sequence[PastOutage], source: Source, document: str) -> Planned:
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
        made.outages.append(outage)
        record = _record(outage, source.file, document)
        made.drafts.append(Draft(DECLARATION, ADD, record=record, uid=source.uid(outage.line)))
    return made


def _record(outage: PastOutage, file: str, document: str) -> Mapping[str, Any]:
    source = f"{file} line {outage.line}"
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

    source: Source
    matters: list[Matter] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.source.name

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
        source = source_of(matter.proposal.body.uid)
        if source is not None:
            found.setdefault(source.name, Batch(source)).matters.append(matter)
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
