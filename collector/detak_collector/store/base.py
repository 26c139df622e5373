"""The seams of the store: what it promises, whichever database is behind it.

StoreError                    the store will not do this one thing; the text is for the operator
├── StoreUnavailableError     not now (disk full, locked): refuse and try again
└── StoreBrokenError          never again (input/output error, not a database, a newer schema): end the process
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from detak_collector.clocks import Reading
from detak_collector.downtime.days import DayTotals
from detak_collector.downtime.facts import Facts, Node
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.months import ServiceMonth
from detak_collector.ingest.rivals import Speaker
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.metrics import Moment
from detak_wire.messages import Evidence, Part, Stored


class StoreError(Exception):
    """The store will not do what it was asked, and nothing of it has happened."""


class StoreUnavailableError(StoreError):
    """It cannot now; what was asked has not happened and may be asked again."""


class StoreBrokenError(StoreError):
    """It cannot be relied on any more: the process ends, nothing further is acknowledged."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of an authenticated node, checked, and when its first byte was there. `address`: who sent it.

    `relayed`: another collector had it from the node and passes it on, so that nobody was heard here. `versions` are
    records that contradict others of their numbers there, and are to be kept apart here.
    """

    node: str
    evidence: Evidence
    at: Reading
    address: str = ""
    relayed: bool = False
    versions: tuple[Part, ...] = ()


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

    def news_elsewhere(self) -> bool:
        """Whether facts came into the store through another collector since this was last asked."""
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

    def facts(
        self,
        begin_utc: int,
        end_utc: int,
        now: Reading,
        checks: Collection[str] | None = None,
        *,
        known_at: int | None = None,
    ) -> Facts:
        """The same of all nodes, in one consistent view, with the time that this collector watched, around it too.

        With `checks`, such as `node/check`, only those, the nodes they run on, and these nodes' own liveness. With
        `known_at` (UTC) as they were known at that moment: without what arrived later, and of a span that was open
        then, what had surely arrived. While its node was silent that is exact; else it may fall short by two beats
        and the largest gap between its samples.
        """
        ...

    def known_since(self) -> int | None:
        """When the first evidence was recorded; None where there is none."""
        ...

    def recorded(self, begin_utc: int, end_utc: int, since: int, until: int) -> dict[str, int]:
        """By node, how many spans that touch [begin, end) were recorded after `since` and up to `until`.

        A span is recorded when it has ended; agent time is mapped roughly. Nodes without any are left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service's closed month, under the rules of `digest`.

    It rests on the evidence of these checks (`node/check`) for [since, until), which holds the month.
    """

    service: str
    begin: int
    end: int
    since: int
    until: int
    digest: bytes
    checks: frozenset[str]


@dataclass(frozen=True, slots=True)
class DerivedMonth:
    """What was derived of it. `days`, and `lanes` as packed, are left out where days were not asked for."""

    of: Wanted
    month: ServiceMonth
    days: tuple[DayTotals, ...] = ()
    lanes: bytes = b""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """`mark`: the facts known by now, for `keep`. `touched` grows when late facts bear upon time derived before."""

    mark: int
    touched: int


@dataclass(frozen=True, slots=True)
class News:
    """The checks (`node/check`; `node/`: all of a node) of which something new is known, up to the facts of `mark`.

    `said` has the state of each open span in runs of which any span was opened or closed: of some nothing is new.
    """

    mark: int
    checks: frozenset[str]
    said: Mapping[str, str]


class DerivedMonths(Protocol):
    """Closed months, kept as they were derived, and what is new. Any thread may use it."""

    def catch_up(self) -> CaughtUp:
        """Notes which months the facts recorded since it was last called bear upon."""
        ...

    def news(self, since: int) -> News:
        """What is new since a mark. Open spans that merely grew are not."""
        ...

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        """Those of the wanted that are kept, derived under the same rules, and not touched by any fact since."""
        ...

    def disposed(self, wanted: Sequence[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        """What the wanted of one month came to before its evidence was disposed of, with its days.

        With `known_at` only where nothing that came later is in it.
        """
        ...

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        """Keeps those on which no fact since that mark bears, and tells whether those were all.

        The evidence was read after `catch_up` gave the mark.
        """
        ...


class Redeemed(StrEnum):
    """What became of a token."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    OTHER_NODE = "for another node"
    TAKEN = "not for a node that is there"


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node as the registry and the evidence know it, for lists. Times are UTC.

    `issued_utc` is when its key was given out, `states` are those of the open spans by check, `rivals` the agents that
    speak as this node at once, if there are several, `conflicts` the versions that contradicted an earlier one.
    """

    name: str
    enrolled: bool
    issued_utc: int | None
    revoked_utc: int | None
    heard_utc: int | None
    agent_version: str
    states: dict[str, str]
    stopped: str | None
    rivals: tuple[Speaker, ...]
    conflicts: int


class NodeRegistry(Protocol):
    """Who may deliver evidence. It holds hashes (SHA-256 of 256 random bits), never a key or a token.

    One thread at a time; only the last two may be asked from any.
    """

    def issue(self, node: str, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """Remembers a one-time token for `node`; earlier tokens stay valid."""
        ...

    def issue_shared(self, nodes: int, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """Remembers a token that lets in so many new nodes, each once and under a name that was never enrolled."""
        ...

    def redeem(self, token_hash: bytes, node: str, key_hash: bytes, now: Reading) -> Redeemed:
        """Uses the token up and gives the node its key, in one transaction; earlier keys of the node are void."""
        ...

    def renew(self, key_hash: bytes, fresh_hash: bytes, now: Reading) -> bool:
        """Holds a fresh key beside a valid one, in place of an earlier fresh one; False where it is not valid."""
        ...

    def settle(self, fresh_hash: bytes) -> None:
        """The fresh key was used: from now on it is the node's key, and the old one is void."""
        ...

    def revoke(self, node: str, now: Reading) -> bool:
        """Voids the node's keys, keeping all its evidence; False where it has none."""
        ...

    def keys(self) -> dict[bytes, str]:
        """The node of each valid key hash, fresh ones included."""
        ...

    def fresh_keys(self) -> frozenset[bytes]:
        """The hashes of keys that were not used yet."""
        ...

    def note_rivals(self, found: Mapping[str, Sequence[Speaker]], now: Reading) -> None:
        """Several agents speak as each of these nodes at this moment; it is forgotten unless it is noted again."""
        ...

    def several(self, now: Reading) -> list[tuple[str, str, int]]:
        """Of each node of which several runs may speak now: its name, a run, and when that was heard last, in UTC."""
        ...

    def changed_elsewhere(self) -> bool:
        """Whether another process changed the database since this was last asked."""
        ...

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:
        """All nodes by name, or those of `names`."""
        ...

    def heard(self, now: Reading) -> dict[str, int | None]:
        """When each node's own liveness last grew, as the clock counts UTC now; None where it never did."""
        ...


class NodeMetrics(Protocol):
    """How nodes fared, for charts: no evidence. One thread keeps and tidies; any thread may read."""

    def keep(self, found: Sequence[tuple[str, int, bytes]]) -> None:
        """Keeps packed moments by node and UTC; one that comes twice is kept once. Unknown nodes are passed over."""
        ...

    def tidy(self, now_utc: int) -> None:
        """A small step: some nodes' latest hours are rolled up, and what is older than is kept is let go."""
        ...

    def read(self, node: str, begin_utc: int, end_utc: int, most: int) -> list[Moment] | None:
        """No more than `most` moments of [begin, end), in order; None where the node is not known."""
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
