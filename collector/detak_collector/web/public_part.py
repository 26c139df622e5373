"""What of the status page is for everybody: services marked public, and nothing that names anything else. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction

from detak_collector.board.board import Board, FigureState, NoteState, OutageState, PlannedState, ServiceState

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
        notes=tuple(_note(one, public) for one in board.notes if one.public),
        planned=tuple(_planned(one, public) for one in board.planned if not public.isdisjoint(dict(one.services))),
    )


def _service(service: ServiceState) -> ServiceState:
    """Its groups are named by whoever wrote the catalogue, and their members are nodes and checks."""
    return replace(service, groups=())


def _outage(outage: OutageState) -> OutageState:
    """Numbers count all services' outages; the cause is a category, and what checks said stays inside."""
    presumed = outage.shown_as.startswith("presumed")
    seen = outage.acknowledged
    known = None if seen is None else replace(seen, by="", note="")
    return replace(
        outage, detail="", number=None, shown_as=PRESUMED if presumed else "", acknowledged=known, units=(), effect=""
    )


def _note(note: NoteState, public: Collection[str]) -> NoteState:
    """The role stays, and no name; a service that is not marked stays inside, also where a note is about it."""
    if note.service_id in public:
        return replace(note, by="", number=None)
    return replace(note, by="", number=None, service_id="", service_name="")


def _planned(planned: PlannedState, public: Collection[str]) -> PlannedState:
    """Of the services that it touches only those that are marked; its number counts all proposals."""
    return replace(planned, id="", services=tuple(one for one in planned.services if one[0] in public))


def _period_alone(figure: FigureState) -> FigureState:
    return FigureState(
        period=figure.period, target_percent=Fraction(0), percent=None, certain_percent=None, possible_percent=None,
        counted_ms=0, certain_ms=0, possible_ms=0, service_time_ms=0, remaining_ms=0, coverage=None, verdict=None,
        proof=None, services=0,
    )  # fmt: skip
