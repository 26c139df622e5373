"""What disposal leaves of a chain: of each block its header, what stays of its records, and the entry that tells of it.

Pure. A block's header stands for all that it ever held, so the chain and every earlier head hold without the records.
What is left is held by another digest, which the entry `disposed` has, chained after all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from detak_collector.decisions.persons import same_person
from detak_collector.ledger.chain import digest_of, short_of
from detak_collector.ledger.plain import RECORD, plain_line
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, DISPOSED

KINDS = frozenset({DISPOSAL, DISPOSAL_DECISION, DISPOSED})
_MARK = b'"kind":"dispos'


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a block once it was disposed of: so many records, the digest of their lines, their short ones.

    `disposal` is the id of the entry by which that was proposed.
    """

    number: int
    disposal: str
    records: int
    digest: bytes
    shorts: bytes


@dataclass(frozen=True, slots=True)
class Carried:
    """A disposal as the chain tells of it, for people. `records` are gone, of blocks `first` to `last`."""

    number: int
    document: str
    proposed_by: str
    approved_by: str
    at: int
    until: int
    first: int
    last: int
    records: int


def left_of(number: int, disposal: str, lines: Sequence[bytes]) -> Left:
    """What these lines are as the rest of a block."""
    return Left(number, disposal, len(lines), digest_of(lines), b"".join(map(short_of, lines)))


def left_line(left: Left) -> bytes:
    """The canonical text of it, without an end of line; an export has it."""
    return plain_line(
        {"block": left.number, "digest": left.digest.hex(), "disposal": left.disposal, "records": left.records}
    )


def left_digest(every: Iterable[Left]) -> str:
    """SHA-256 over all that one disposal leaves, block after block: what its entry has."""
    digest = sha256()
    for one in every:
        digest.update(left_line(one) + b"\n")
    return digest.hexdigest()


def entries_among(lines: Iterable[bytes]) -> int:
    """How many of the lines are entries, of which a disposal takes none."""
    mark = b'"record":"entry"'
    return sum(mark in line and json.loads(line).get(RECORD) == "entry" for line in lines)


@dataclass(slots=True)
class Disposals:
    """Takes what is left and the entries as a chain is gone through; at the end each has to tell of the other."""

    collector: str
    told: list[Carried] = field(default_factory=list)
    _left: dict[str, list[Left]] = field(default_factory=dict)
    _less: dict[str, Left] = field(default_factory=dict)
    _proposals: dict[str, dict[str, Any]] = field(default_factory=dict)
    _approvals: dict[str, list[str]] = field(default_factory=dict)
    _carried: set[str] = field(default_factory=set)

    def take_left(self, left: Left, *, is_less: bool) -> None:
        """Of one block, in the order of the chain. `is_less`: some of its records are gone already."""
        self._left.setdefault(left.disposal, []).append(left)
        if is_less:
            self._less.setdefault(left.disposal, left)

    def take_lines(self, lines: Iterable[bytes], block: int) -> str | None:
        """The entries among the lines of a block; what is wrong with one that tells of a disposal here."""
        for line in lines:
            if _MARK not in line:
                continue
            told = json.loads(line)
            if told.get(RECORD) == "entry" and told.get("kind") in KINDS and isinstance(told.get("body"), dict):
                wrong = self._take(told, block)
                if wrong is not None:
                    return wrong
        return None

    def untold(self) -> Left | None:
        """The first block that is less than its header says without any entry that tells so."""
        rest = (first for name, first in self._less.items() if name not in self._carried)
        return min(rest, key=lambda one: one.number, default=None)

    def _take(self, told: dict[str, Any], block: int) -> str | None:
        body = told["body"]
        if told["kind"] == DISPOSAL:
            self._proposals[str(told.get("id"))] = told
        elif told["kind"] == DISPOSAL_DECISION:
            if body.get("verdict") == "approve":
                self._approvals.setdefault(str(body.get("on")), []).append(str(told.get("author")))
        elif told.get("collector") == self.collector:
            return self._carry_out(told, body, block)
        return None

    def _carry_out(self, told: dict[str, Any], body: dict[str, Any], block: int) -> str | None:
        on = str(body.get("on"))
        proposal, left = self._proposals.get(on), self._left.get(on, [])
        which = f"disposal {body.get('number')}"
        if proposal is None:
            return f"{which}: nobody proposed it in this chain"
        author = str(proposal.get("author"))
        by = next((one for one in self._approvals.get(on, ()) if not same_person(one, author)), None)
        if by is None:
            return f"{which}: nobody but {author}, who proposed it, approved it"
        if left_digest(left) != body.get("digest") or any(one.number >= block for one in left):
            return f"{which}: what it left of its blocks is not as it was when it was carried out"
        try:
            self.told.append(_carried(told, body, author, by))
        except (KeyError, TypeError, ValueError):
            return f"{which}: the entry that tells of it cannot be read"
        self._carried.add(on)
        return None


def _carried(told: dict[str, Any], body: dict[str, Any], author: str, by: str) -> Carried:
    numbers = (int(body[name]) for name in ("until", "first", "last", "records"))
    return Carried(
        int(body["number"]), str(body.get("document", "")), author, by, int(told["recorded_utc"]), *numbers
    )  # fmt: skip
