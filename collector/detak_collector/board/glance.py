"""Of a board what the serving process needs: that alone comes to it from where boards are derived, never the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from detak_collector.board.board import Board, Condition, OutageState


@dataclass(frozen=True, slots=True)
class Glance:
    """As of `now` (UTC ms): the outages that run, those that ended within the last hour, services by condition."""

    now: int
    running: tuple[OutageState, ...]
    lately: tuple[OutageState, ...]
    conditions: dict[Condition, int]


def glance_of(board: Board) -> Glance:
    """What is seen of it at a glance."""
    return Glance(board.now, board.running, board.lately, dict(Counter(one.condition for one in board.services)))
