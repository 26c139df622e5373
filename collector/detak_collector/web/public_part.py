"""What of the status page is for everybody: services marked public, and nothing that names anything else. Pure."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from detak_collector.board.board import Board, FigureState, OutageState, ServiceState

PRESUMED = "presumed down"


def public_part(board: Board) -> Board:
    """The board without what is not marked: other services, nodes, checks and what they said, the collector's alarms.

    The organisation's figure counts unmarked services too, so it is not there either; each public service has its own.
    """
    public = {one.id for one in board.services if one.public}
    return Board(
        organisation=board.organisation,
        timezone=board.timezone,
        now=board.now,
        figure=_period_alone(board.figure),
        services=tuple(_service(one) for one in board.services if one.id in public),
        running=tuple(_outage(one) for one in board.running if one.service_id in public),
        recent=tuple(_outage(one) for one in board.recent if one.service_id in public),
        nodes=(),
        ha_rule="",
        lately=tuple(_outage(one) for one in board.lately if one.service_id in public),
    )


def _service(service: ServiceState) -> ServiceState:
    """Its groups are named by whoever wrote the catalogue, and their members are nodes and checks."""
    return replace(service, groups=())


def _outage(outage: OutageState) -> OutageState:
    """Numbers count all services' outages; the cause is a category, and what checks said stays inside."""
    presumed = outage.shown_as.startswith("presumed")
    return replace(outage, detail="", number=None, shown_as=PRESUMED if presumed else "")


def _period_alone(figure: FigureState) -> FigureState:
    return FigureState(
        period=figure.period, target_percent=Fraction(0), percent=None, certain_percent=None, possible_percent=None,
        counted_ms=0, certain_ms=0, possible_ms=0, service_time_ms=0, remaining_ms=0, coverage=None, verdict=None,
        proof=None, services=0,
    )  # fmt: skip
