"""One node by itself: its checks as they are now and were in the last day, its clock, its agent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.board.board import Condition, NodeState
from detak_collector.board.boards import condition_at
from detak_collector.board.days import DAY_MS
from detak_collector.board.nodes import node_states
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.facts import Facts, Node, Settings
from detak_collector.downtime.lives import Life, history_of
from detak_collector.downtime.reading import Passage, Reading
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.tail import Beside
from detak_collector.store.base import NodeRow

MOST_ERRORS = 30


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """One check: what it is now, what it last said, and the last day of it. `settings` None: no run of then ran it."""

    name: str
    condition: Condition
    since: int | None
    message: str
    settings: Settings | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class ClockDetail:
    """How far UTC is known from the node's agent time now, and how far off its own clock was when the agent started.

    `offset_ms`: what the node's clock was ahead of the collector's, None where no exchange tells. `claimed_error_ms`:
    what the node's own time synchronisation claimed, None where it was not synchronised.
    """

    uncertainty_ms: int
    offset_ms: int | None
    claimed_error_ms: int | None
    opened: int


@dataclass(frozen=True, slots=True)
class NodeDetail:
    """One node as of `now` (UTC ms). `errors` are the latest stretches in which a check was not simply up."""

    state: NodeState
    row: NodeRow
    now: int
    checks: tuple[CheckDetail, ...]
    clock: ClockDetail | None
    errors: tuple[tuple[str, Passage], ...]


def node_detail(catalogue: Catalogue, row: NodeRow, facts: Facts, now: int) -> NodeDetail:
    """What the last day's evidence of all the node's checks tells of it."""
    history = history_of(facts.nodes.get(row.name, Node(row.name)), facts)
    beside = Beside(retired=catalogue.node(row.name).retired)
    latest = history.lives[-1] if history.lives else None
    running = {} if latest is None else latest.checks
    checks = tuple(
        _check(name, read_sampled(name, history, facts, Window(now - DAY_MS, now, now), beside), running, now)
        for name in checks_of(row, latest)
    )
    errors = sorted(
        ((one.name, passage) for one in checks for passage in one.reading.passages if passage.begin < now),
        key=lambda pair: -pair[1].end,
    )
    return NodeDetail(
        state=node_states(catalogue, [row], facts, now)[row.name],
        row=row,
        now=now,
        checks=checks,
        clock=None if latest is None else _clock(latest),
        errors=tuple(errors[:MOST_ERRORS]),
    )


def checks_of(row: NodeRow, latest: Life | None) -> list[str]:
    """What it runs, or ran last: the names without the node's, `alive` first."""
    names = {*row.states, *(() if latest is None else latest.checks)}
    return sorted(names, key=lambda name: (name != "alive", name))


def _check(name: str, reading: Reading, running: Mapping[str, Settings], now: int) -> CheckDetail:
    condition = condition_at(reading, now - 1)
    latest = reading.latest
    message, since = ("", None) if latest is None else (latest.message, latest.since)
    if condition in {Condition.PRESUMED_DOWN, Condition.UNOBSERVED}:
        unseen = [one for one in reading.passages if one.touches(now - 1, now)]
        message, since = (unseen[-1].shown_as, unseen[-1].begin) if unseen else (message, since)
    return CheckDetail(name, condition, since, message, running.get(name), reading)


def _clock(life: Life) -> ClockDetail:
    claim = life.run.claim
    offset = claim.utc - life.clock.middle(claim.at) if life.clock.at else None
    return ClockDetail(life.clock.uncertainty_ms, offset, claim.error_ms, life.clock.middle(life.run.opened))
