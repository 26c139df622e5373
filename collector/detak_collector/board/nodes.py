"""The nodes of the status page: who is heard, what their agents are, how far their clocks are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from detak_collector.board.board import Condition, NodeState
from detak_collector.board.boards import condition_at
from detak_collector.board.days import DAY_MS
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.facts import ALIVE, Facts, Node
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.tail import Beside
from detak_collector.ingest.rivals import rivalry
from detak_collector.store.base import NodeRow


def node_states(catalogue: Catalogue, rows: Iterable[NodeRow], facts: Facts, now: int) -> dict[str, NodeState]:
    """The nodes by name, from the last day's evidence of their liveness."""
    return {row.name: _node_state(catalogue, row, facts, now) for row in rows}


def _node_state(catalogue: Catalogue, row: NodeRow, facts: Facts, now: int) -> NodeState:
    history = history_of(facts.nodes.get(row.name, Node(row.name)), facts)
    lives = history.lives
    retired = catalogue.node(row.name).retired
    reading = read_sampled(ALIVE, history, facts, Window(now - DAY_MS, now, now), Beside(retired=retired))
    return NodeState(
        name=row.name,
        site=catalogue.node(row.name).site_at(now),
        condition=condition_at(reading, now - 1) if lives else Condition.UNOBSERVED,
        heard=row.heard_utc,
        agent_version=row.agent_version,
        checks=len(lives[-1].run.checks) if lives else 0,
        clock_uncertainty_ms=lives[-1].clock.uncertainty_ms if lives else None,
        warning=rivalry(row.name, row.rivals) if row.rivals else "",
    )
