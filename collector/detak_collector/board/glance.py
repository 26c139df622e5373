"""Of a board what the serving process needs: that alone comes to it from where boards are derived, never the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from detak_collector.board.board import Board, Condition, Day, OutageState, ServiceState


@dataclass(frozen=True, slots=True)
class ServiceGlance:
    """One service: its state and since when it is in it (UTC ms); `yesterday` is its last whole day.

    None where it was not known before that day: of that one only a part could be observed.
    """

    id: str
    name: str
    condition: Condition
    since: int | None
    yesterday: Day | None


@dataclass(frozen=True, slots=True)
class Glance:
    """As of `now` (UTC ms): the outages that run, those that ended within the last hour, services by condition.

    `recent` are the latest outages that ended, however long ago.
    """

    now: int
    running: tuple[OutageState, ...]
    lately: tuple[OutageState, ...]
    conditions: dict[Condition, int]
    recent: tuple[OutageState, ...] = ()
    services: tuple[ServiceGlance, ...] = ()


def glance_of(board: Board) -> Glance:
    """What is seen of it at a glance."""
    conditions = dict(Counter(one.condition for one in board.services))
    services = tuple(map(_service, board.services))
    return Glance(board.now, board.running, board.lately, conditions, board.recent, services)


def _service(one: ServiceState) -> ServiceGlance:
    is_known = any(day.elapsed_ms for day in one.days[:-2])
    yesterday = one.days[-2] if is_known else None
    return ServiceGlance(one.id, one.name, one.condition, one.since, yesterday)
