"""The seams of the store: what it promises, whichever database is behind it.

StoreError                    the store will not do this one thing; the text is for the operator
├── StoreUnavailableError     not now (disk full, locked): refuse and try again
└── StoreBrokenError          never again (input/output error, not a database, a newer schema): end the process
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from detak_collector.clocks import Reading
from detak_collector.downtime.facts import Facts, Node
from detak_collector.downtime.intervals import Intervals
from detak_collector.ingest_validation import InvalidRecordError
from detak_wire.messages import Evidence, Stored


class StoreError(Exception):
    """The store will not do what it was asked, and nothing of it has happened."""


class StoreUnavailableError(StoreError):
    """It cannot now; what was asked has not happened and may be asked again."""


class StoreBrokenError(StoreError):
    """It cannot be relied on any more: the process ends, nothing further is acknowledged."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of an authenticated node, checked, and when its first byte was there."""

    node: str
    evidence: Evidence
    at: Reading


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message. `heard`: its node's own liveness grew; `news`: more than open spans grew."""

    stored: dict[str, Stored]
    heard: bool
    news: bool


class EvidenceStore(Protocol):
    """Evidence goes in, facts come out. One thread commits and asks who was heard; facts any thread may ask for."""

    def commit(self, arrivals: Sequence[Arrival]) -> list[Receipt | InvalidRecordError]:
        """Stores all messages in one transaction, in order, and returns when they survive a loss of power.

        A message with an invalid record changes nothing, and its place in the answer holds the error. Raises
        StoreError, after which nothing of `arrivals` is stored.
        """
        ...

    def heard(self, now: Reading) -> dict[str, int]:
        """When each node that was ever heard was heard last, as the BOOTTIME of `now`'s boot (may be negative)."""
        ...

    def node_facts(self, name: str, begin_utc: int, end_utc: int, now: Reading) -> Node:
        """The evidence of one node for [begin, end): every run that may touch it, open spans included.

        Spans and exchanges are those that may touch the window, by a generous margin, and of each check and each
        collector the last one before it and the first one after. An unknown node has no runs.
        """
        ...

    def facts(self, begin_utc: int, end_utc: int, now: Reading) -> Facts:
        """The same of all nodes, in one consistent view, with the time that this collector watched."""
        ...


class Redeemed(StrEnum):
    """What became of a token."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    OTHER_NODE = "for another node"


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node as the registry and the evidence know it, for lists. Times are UTC.

    `states` are those of the open spans by check, `rivals` the runs that grow at once, `conflicts` the versions that
    contradicted an earlier one.
    """

    name: str
    enrolled: bool
    revoked_utc: int | None
    heard_utc: int | None
    agent_version: str
    states: dict[str, str]
    stopped: str | None
    rivals: int
    conflicts: int


class NodeRegistry(Protocol):
    """Who may deliver evidence. It holds hashes (SHA-256 of 256 random bits), never a key or a token.

    One thread at a time; only the listing may be asked for from any.
    """

    def issue(self, node: str, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """Remembers a one-time token for `node`; earlier tokens stay valid."""
        ...

    def redeem(self, token_hash: bytes, node: str, key_hash: bytes, now: Reading) -> Redeemed:
        """Uses the token up and gives the node its key, in one transaction; an earlier key of the node is void."""
        ...

    def revoke(self, node: str, now: Reading) -> bool:
        """Voids the node's key, keeping all its evidence; False where it has none."""
        ...

    def keys(self) -> dict[bytes, str]:
        """The node of each valid key hash."""
        ...

    def changed_elsewhere(self) -> bool:
        """Whether another process changed the database since this was last asked."""
        ...

    def listing(self, now: Reading) -> list[NodeRow]:
        """All nodes by name."""
        ...


class WatchLog(Protocol):
    """When this collector was there to hear its nodes."""

    def begin(self, at: Reading) -> int:
        """Opens a row that reaches from `at` to `at`, and returns its id; rows left open are closed as `died`."""
        ...

    def extend(self, row: int, at: Reading) -> None:
        """The row reaches to `at`, durably."""
        ...

    def end(self, row: int, why: str) -> None:
        """The row grows no more."""
        ...

    def watched(self, begin_utc: int, end_utc: int) -> Intervals:
        """The part of [begin, end) in which it was there."""
        ...

    def latest_utc(self) -> int | None:
        """Up to when it was there last; None where it never was."""
        ...
