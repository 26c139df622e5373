"""Of a board what programs ask for of all services at once: how each stands now and this year, without its details."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detak_collector.board.board import Board, ServiceState


@dataclass(frozen=True, slots=True)
class Overview:
    """As of `now` (UTC ms). `period` names the running year; the services have neither days nor groups here.

    `is_known`: whether the year has a figure; where hours are not known it has none.
    """

    organisation: str
    timezone: str
    now: int
    period: str
    is_known: bool
    services: tuple[ServiceState, ...]

    def public(self) -> Overview:
        """The same without what is not marked."""
        return replace(self, services=tuple(one for one in self.services if one.public))


def overview_of(board: Board) -> Overview:
    """What is left of it."""
    services = tuple(replace(one, days=(), groups=()) for one in board.services)
    return Overview(board.organisation, board.timezone, board.now, board.figure.period, not board.notices, services)
