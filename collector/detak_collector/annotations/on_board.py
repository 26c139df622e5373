"""What people said, put onto the status page's data: who looks after an outage, its effect, and the notes. Pure.

A note stands for a day, and if it is about an outage as long as that lasts, and for a day after its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from detak_collector.annotations.bodies import Note, Said
from detak_collector.annotations.told import ToldOfAll
from detak_collector.board.board import Acknowledged, Board, NoteState, OutageState

DAY_MS = 86_400_000
MOST_SHOWN = 20
"""Notes on one page: the latest of them."""

Lasting = Callable[[int], Collection[int]]
"""The numbers of the outages that are running, or have ended since a moment (UTC ms)."""


def annotated(board: Board, told: ToldOfAll, lasting: Lasting) -> Board:
    """The board with what stands of that at its moment."""
    if not told.outages and not told.notes:
        return board
    outages = (*board.running, *board.recent)
    services: dict[int | None, tuple[str, str]] = {
        one.number: (one.service_id, one.service_name) for one in outages if one.number is not None
    }
    return replace(
        board,
        running=tuple(_said_of(one, told) for one in board.running),
        notes=tuple(
            _state(one, number, *services.get(number, ("", "")))
            for number, one in reversed(standing(told, lasting, board.now)[-MOST_SHOWN:])
        ),
    )


def _said_of(outage: OutageState, told: ToldOfAll) -> OutageState:
    said = told.of_outage(outage.number)
    known = said.acknowledgements
    outage = replace(outage, effect="" if said.latest is None else said.latest.body.effect)
    if not known:
        return outage
    first, last = known[0], known[-1]
    return replace(outage, acknowledged=Acknowledged(first.at, first.by, last.body.note or first.body.note))


def standing(told: ToldOfAll, lasting: Lasting, now: int) -> list[tuple[int | None, Said[Note]]]:
    """The notes that stand at that moment (UTC ms), in order of time, each with the number of its outage by now."""
    since = now - DAY_MS
    now_of = {note.id: number for number, one in told.outages.items() for note in one.notes}
    found = [(now_of.get(one.id), one) for one in told.notes if one.at <= now]
    older = {number for number, one in found if number is not None and one.at <= since}
    last = frozenset(lasting(since)) if older else frozenset[int]()
    return [(number, one) for number, one in found if one.at > since or number in last]


def _state(one: Said[Note], number: int | None, service: str, name: str) -> NoteState:
    texts = tuple((code, text) for code, text in (("id", one.body.id), ("en", one.body.en)) if text)
    return NoteState(one.id, one.at, one.by, one.body.role, one.body.public, texts, number, service, name)
