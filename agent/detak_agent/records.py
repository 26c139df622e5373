"""What goes into the journal and comes out of it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from msgspec import Struct

from detak_wire.messages import Exchange, Gap, Part, RunOpening, Span, StopReason

Kept: TypeAlias = Span | Exchange | Gap
RecordKind = Literal["opening", "span", "exchange", "gap"]

RECORD_TYPES: Mapping[str, type[RunOpening | Span | Exchange | Gap]] = {
    "opening": RunOpening,
    "span": Span,
    "exchange": Exchange,
    "gap": Gap,
}


def kind_of(record: RunOpening | Kept) -> str:
    """Under which word the journal keeps the record."""
    return next(kind for kind, struct in RECORD_TYPES.items() if isinstance(record, struct))


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction of the run: how far every open span reaches, and what has been closed since the last one."""

    run: str
    tick: int
    last_number: int
    open: tuple[Span, ...] = ()
    opened_after: int = 0
    """Open spans with a greater number are new to the journal."""
    closed: tuple[Kept, ...] = ()
    edges: int = 0
    contacts: Mapping[str, int] = field(default_factory=dict)
    ended: bool = False
    stopped: StopReason | None = None
    stopped_agent: int | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Numbers of the running run that are to be named by a gap, which takes a number of its own there."""

    first: int
    last: int
    reason: str


class Reached(Struct, frozen=True, array_like=True):
    """How far one open span reaches, in the tick's row."""

    number: int
    last_begin: int
    last_end: int
    samples: int
    largest_gap: int


class TickRow(Struct, frozen=True):
    """The one row that every tick writes: kept short, since it is synchronised to disk each second."""

    tick: int
    last_number: int
    reached: list[Reached]
    contacts: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Owed:
    """A piece of what one collector has not acknowledged, newest first: parts by run, and how many records remain."""

    parts: tuple[Part, ...] = ()
    records: int = 0
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class CollectorStanding:
    """How one collector stands, for the `status` command."""

    url: str
    acknowledged: int
    backlog: int
    last_contact_utc: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the journal says of the agent, for the `status` command."""

    run: str
    boot: str
    tick_ms: int
    last_tick: int
    last_number: int
    stopped: str | None
    bytes: int
    quarantined: int
    collectors: tuple[CollectorStanding, ...] = ()
