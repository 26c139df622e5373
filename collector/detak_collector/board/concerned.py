"""Whom an outage concerns, as far as the catalogue says: the units that have the service in their figure. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detak_collector.board.board import Board
from detak_collector.downtime.catalogue import Unit


def with_units(board: Board, units: Sequence[Unit]) -> Board:
    """The board whose running outages name the units of their service, in the catalogue's order."""
    if not units or not board.running:
        return board
    return replace(
        board,
        running=tuple(
            replace(outage, units=tuple(one.name for one in units if outage.service_id in one.services))
            for outage in board.running
        ),
    )
