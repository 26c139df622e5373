"""What the entries about closing say, and how they are read: tolerantly, since a later version may say more. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from detak_collector.pair.entry import DISPUTE, DISPUTE_DECISION, RESTATEMENT, SEAL, SEAL_DECISION, Body, Entry

APPROVE: Final = "approve"
REJECT: Final = "reject"
TAKE_BACK: Final = "take-back"
UPHOLD: Final = "uphold"
DISMISS: Final = "dismiss"

Verdict = Literal["approve", "reject", "take-back"]
Answer = Literal["uphold", "dismiss", "take-back"]
EntryId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Line = Annotated[str, Meta(max_length=4_000)]
Number = Annotated[int, Meta(ge=1, le=10**9)]
Instant = Annotated[int, Meta(ge=-(2**53), le=2**53)]

MOST_LINES = 200
"""Of what stood against a seal, or of what a restatement touches, so much is kept with it."""

B = TypeVar("B", bound=Struct)


class SealBody(Struct, frozen=True):
    """What an entry of the kind `seal` or `restatement` says.

    `account` is packed as in `account.py`, `digest` that of its text; it was derived from all that was recorded up to
    `as_of`, which the ledger's `head` covers. `hindrances` are what stood against it: with any, or where
    `needs_approval` says so, it takes effect only when somebody else approves it. `restates` is the entry in whose
    place a restatement comes, `touched` the further seals and recipients that it concerns. `timestamp` is the token of
    RFC 3161 over the digest, in base64.
    """

    number: Number
    period: Line
    begin: Instant
    end: Instant
    as_of: Instant
    digest: Digest
    account: str
    head: Line
    rule_version: Line
    program: Line
    login: Line
    catalogue_version: int | None = None
    catalogue_digest: Line = ""
    reason: Line = ""
    hindrances: list[Line] = []
    needs_approval: bool = False
    restates: EntryId | None = None
    touched: list[Line] = []
    timestamp: str = ""


class SealDecisionBody(Struct, frozen=True):
    """What an entry of the kind `seal-decision` says of the seal or restatement with the entry `on`."""

    on: EntryId
    verdict: Verdict
    login: Line
    reason: Line = ""


class DisputeBody(Struct, frozen=True):
    """What an entry of the kind `dispute` says: this outage is not as it is told.

    `deadline`: by when it is to be answered.
    """

    outage: Number
    service: Line
    begin: Instant
    end: Instant
    login: Line
    reason: Line
    ticket: Line = ""
    deadline: Instant | None = None


class DisputeDecisionBody(Struct, frozen=True):
    """What an entry of the kind `dispute-decision` says of the dispute with the entry `on`."""

    on: EntryId
    verdict: Answer
    login: Line
    reason: Line = ""


SEALS = (SEAL, RESTATEMENT, SEAL_DECISION)
DISPUTES = (DISPUTE, DISPUTE_DECISION)


def body_of(body: Struct) -> Body:
    """What an entry is made of."""
    built: Body = msgspec.to_builtins(body)
    return built


def read(entry: Entry, kind: type[B]) -> B | None:
    """What the entry says; None where it says something else, or in words of another version."""
    try:
        return msgspec.convert(entry.told, kind)
    except msgspec.ValidationError:
        return None


def kept_lines(lines: list[str]) -> list[str]:
    """As many as are kept, and how many more there were."""
    kept = [line[:1_000] for line in lines[:MOST_LINES]]
    return kept if len(kept) == len(lines) else [*kept, f"and {len(lines) - MOST_LINES} more"]
