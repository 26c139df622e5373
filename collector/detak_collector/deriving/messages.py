"""What the serving process and the one that derives boards say to each other, over a pair of pipes of their own.

Both are one program on one machine and trust each other, so their objects travel as they are, pickled.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass

from detak_collector.board.glance import Glance
from detak_collector.clocks import Reading
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found
from detak_collector.rules import Rules
from detak_collector.store.base import DerivedMonth
from detak_collector.store.noted import Since
from detak_collector.store.place import StorePlace
from detak_collector.web.render import Snapshots
from detak_collector.web.sheet import DrawnSheet, Wanted

LENGTH = struct.Struct("!Q")
"""Stands before each message."""


@dataclass(frozen=True, slots=True)
class Start:
    """The first word to the deriving process: where the store is."""

    place: StorePlace


@dataclass(frozen=True, slots=True)
class Order:
    """Derive as of `now`, everything anew as seldom as `leisure` says; with `alarms`, draw the page too and show them.

    `rules` are None where they are the ones told before.
    """

    now: Reading
    leisure: int
    rules: Rules | None
    alarms: tuple[str, ...] | None
    apart: bool = False
    """Draw what is public a second time, by itself."""
    languages: tuple[str, ...] = ()
    """Of the page."""


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """Draw this page by itself, or derive what else is wanted, as of `now`. `rules` as in an Order."""

    now: Reading
    rules: Rules | None
    sheet: Wanted


@dataclass(frozen=True, slots=True)
class FillOrder:
    """Keep a few closed months that are not kept yet, or only look whether there is any. `rules` as in an Order."""

    now: Reading
    rules: Rules | None
    only_look: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of it: whether there may be `more` of them."""

    more: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of an order; with the page where it was asked for."""

    glance: Glance
    snapshots: Snapshots | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing came of an order: why, and where in the program that was."""

    text: str
    details: str


@dataclass(frozen=True, slots=True)
class Note:
    """To be done where writing is done: SqlDerived.note, of what was found here."""

    since: Since


@dataclass(frozen=True, slots=True)
class Put:
    """SqlDerived.put, of what was found sound here."""

    months: tuple[DerivedMonth, ...]
    mark: int


@dataclass(frozen=True, slots=True)
class Number:
    """OutageRegister.number."""

    found: tuple[Found, ...]
    window: Interval
    now: Reading


Errand = Note | Put | Number
Outcome = int | tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The store did not do an errand, and what it said; `is_for_now`: it may be asked again."""

    text: str
    is_for_now: bool


Message = Start | Order | SheetOrder | FillOrder | Drawn | DrawnSheet | Filled | Failed | Errand | Outcome | Refused


def packed(message: Message) -> bytes:
    """The message as it is sent, its length first."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


def unpacked(body: bytes) -> Message:
    """What was sent, without its length."""
    message: Message = pickle.loads(body)  # noqa: S301 - from our own child, or from the process that started us
    return message
