"""What is said of a node in one word, and how many nodes and checks are in each state. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from detak_collector.store.base import NodeRow

STATES = ("heard", "silent", "never heard", "stopped", "shut down", "failed", "two agents", "revoked")
CHECK_STATES = ("up", "degraded", "down", "unknown")


def standing(row: NodeRow, as_of: int, down_after_ms: int) -> str:
    """One of STATES, as the collector knew it at `as_of` (UTC)."""
    if not row.enrolled:
        return "revoked"
    if row.heard_utc is None:
        return "never heard"
    if row.rivals:
        return "two agents"
    if row.stopped is not None and row.stopped != "reload":
        return {"stop": "stopped", "shutdown": "shut down"}.get(row.stopped, row.stopped)
    return "silent" if as_of - row.heard_utc > down_after_ms else "heard"


@dataclass(frozen=True, slots=True)
class Census:
    """How many nodes are in each of STATES, and how many checks of those that are heard in each of CHECK_STATES."""

    nodes: dict[str, int]
    checks: dict[str, int]


def census(rows: Iterable[NodeRow], as_of: int, down_after_ms: int) -> Census:
    """All of them counted; a state that none is in has 0, so that a graph of it has no hole."""
    nodes, checks = Counter(dict.fromkeys(STATES, 0)), Counter(dict.fromkeys(CHECK_STATES, 0))
    for row in rows:
        state = standing(row, as_of, down_after_ms)
        nodes[state] += 1
        if state == "heard":
            checks.update(row.states.values())
    return Census(dict(nodes), dict(checks))
