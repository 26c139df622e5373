"""How each node of a fleet stands, who is awaited, and whether any of it is bad news. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.board.node_standing import STATES, standing
from detak_collector.downtime.catalogue import Catalogue, NodeEntry
from detak_collector.store.base import NodeRow

RETIRED = "retired"
INVITED = "invited"
EVERY_STATE = (*STATES, RETIRED, INVITED)
BAD_NEWS = frozenset({"silent", "two agents", "failed"})
FIRST_WORD_WITHIN_MS = 3_600_000
"""An enrolled node that was never heard so long after it got its key is bad news."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One node. `late`: its records that are known to be missing, and may still come. `site`: empty if not known."""

    row: NodeRow
    state: str
    site: str
    late: int
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Invited:
    """A token that nobody has used: of one node, or for so many new ones. Times are UTC."""

    node: str | None
    left: int
    expires_utc: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """`awaited` are the tokens that wait, `unknown` the nodes that the catalogue names and nobody ever let in."""

    nodes: tuple[Standing, ...]
    awaited: tuple[Invited, ...]
    unknown: tuple[str, ...]

    @property
    def is_bad(self) -> bool:
        """Whether any node is bad news."""
        return any(one.is_bad for one in self.nodes)

    def counted(self) -> list[tuple[str, int]]:
        """How many are in each state that any is in."""
        found = Counter(one.state for one in self.nodes) + Counter({INVITED: len(self.invited())})
        return [(state, found[state]) for state in EVERY_STATE if found[state]]

    def invited(self) -> list[Invited]:
        """The tokens of nodes that never enrolled."""
        known = {one.row.name for one in self.nodes}
        return [one for one in self.awaited if one.node is not None and one.node not in known]

    def versions(self) -> list[tuple[str, int]]:
        """How many run each version of the agent, the most common one first."""
        found = Counter(one.row.agent_version for one in self.nodes if one.row.agent_version)
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Known:
    """What was read: the registry's rows, records that are missing by node, and tokens that wait.

    `catalogue` is None where none is right.
    """

    rows: Sequence[NodeRow]
    late: Mapping[str, int]
    awaited: Sequence[Invited]
    catalogue: Catalogue | None


def fleet(known: Known, as_of: int, now: int, down_after_ms: int) -> Fleet:
    """The fleet as the collector knew it at `as_of` (UTC), which is earlier than now where it does not run."""
    names = {row.name for row in known.rows} | {one.node for one in known.awaited}
    entries = {} if known.catalogue is None else {one.name: one for one in known.catalogue.nodes}
    nodes = tuple(
        _standing(row, standing(row, as_of, down_after_ms), entries.get(row.name, NodeEntry(row.name)), now)
        for row in known.rows
    )
    late = tuple(replace(one, late=known.late.get(one.row.name, 0)) for one in nodes)
    named = frozenset[str]() if known.catalogue is None else nodes_of(known.catalogue)
    return Fleet(late, tuple(known.awaited), tuple(sorted(named - names)))


def nodes_of(catalogue: Catalogue) -> frozenset[str]:
    """The nodes on whose checks any service rests, but for those that are retired."""
    checks = {check for service in catalogue.services for check in service.checks()}
    retired = {one.name for one in catalogue.nodes if one.retired is not None}
    return frozenset(check.partition("/")[0] for check in checks) - retired


def _standing(row: NodeRow, said: str, entry: NodeEntry, now: int) -> Standing:
    """`said` is how it stands by itself: silence of a node that the catalogue retired is no news."""
    is_retired = entry.retired is not None and entry.retired <= now
    state = RETIRED if is_retired and said != "heard" else said
    return Standing(row, state, entry.site_at(now) or "", 0, state in BAD_NEWS or _never_came(row, state, now))


def _never_came(row: NodeRow, state: str, now: int) -> bool:
    return state == "never heard" and row.issued_utc is not None and now - row.issued_utc > FIRST_WORD_WITHIN_MS
