"""What is seen, what was told of it, and what a message holds. All times are UTC milliseconds. Pure.

A *matter* is what messages are about: `outage 12`, `unseen node db-01`. Of each a target is told by items, one after
the other; the latest item says all that this target knows of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
from msgspec import Struct

OUTAGE = "outage"
UNSEEN_SERVICE = "unseen-service"
UNSEEN_NODE = "unseen-node"
STOPPED_AGENT = "stopped-agent"
LOW_COVERAGE = "low-coverage"
UNWATCHED = "unwatched"
"""A time in which the collector itself was not there: it is told once that is over."""

KEY_LENGTH = 32
PRESUMED = "presumed"


class Event(StrEnum):
    """What a message says happened, in the order in which messages of one moment are sent."""

    OPENED = "opened"
    CONFIRMED = "confirmed"
    CAUSE_CHANGED = "cause-changed"
    RECLASSIFIED = "reclassified"
    CLOSED = "closed"


class Why(StrEnum):
    """What a reclassified outage became."""

    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    NOT_COUNTED = "not-counted"
    COUNTED = "counted"
    GOES_ON = "goes-on"
    WAS_DOWN = "was-down"


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing told of one matter. `over`: nothing is running any more; `proven`: not only presumed.

    `counts`: it takes from the figure. `at` is when it was decided to be told; `other` the outage it became part of.
    """

    matter: str
    event: Event
    kind: str
    subject: str
    name: str
    at: int
    begin: int
    end: int | None = None
    over: bool = False
    cause: str = ""
    shown_as: str = ""
    detail: str = ""
    proven: bool = False
    counts: bool = False
    number: int | None = None
    counted_ms: int = 0
    certain_ms: int = 0
    possible_ms: int = 0
    why: Why | None = None
    other: int | None = None
    before: int | None = None
    """When the item before it was decided; None for the first."""

    @property
    def compact(self) -> Item:
        """Without what only a reader of the message needs: so it is kept for good."""
        return msgspec.structs.replace(self, detail="", shown_as="")


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one target is told at once: items with one event and one cause."""

    key: str
    target: str
    event: Event
    items: tuple[Item, ...]
    made_utc: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A matter as it is now. `end` is None while it runs; `after_ms`: so long it lasts before it is told.

    `services` are those on which it bears. `quiet`: in maintenance; `acknowledged`: somebody looks after it.
    """

    matter: str
    kind: str
    subject: str
    name: str
    begin: int
    end: int | None = None
    cause: str = ""
    shown_as: str = ""
    detail: str = ""
    proven: bool = False
    counts: bool = False
    in_figure: bool = False
    number: int | None = None
    counted_ms: int = 0
    certain_ms: int = 0
    possible_ms: int = 0
    after_ms: int = 0
    services: frozenset[str] = frozenset()
    quiet: bool = False
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """What the register knew last of an outage that is not seen any more: how far it reached, what it is part of."""

    end: int
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that bears on what is told, as of `now`.

    `blind`: services of which an outage has no number yet, so that a missing one proves nothing. `whole_since`: outages
    that begin later and are not among the sightings are none. `looked`: whether nodes and services were looked at.
    """

    now: int
    sightings: Mapping[str, Sighting]
    blind: frozenset[str] = frozenset()
    fates: Mapping[str, Fate] = field(default_factory=dict)
    whole_since: int = 0
    services: frozenset[str] = frozenset()
    looked: bool = True


def outage_matter(number: int) -> str:
    """The matter of an outage."""
    return f"{OUTAGE} {number}"


def number_of(matter: str) -> int | None:
    """The number of the outage that a matter is; None where it is none."""
    kind, _, number = matter.partition(" ")
    return int(number) if kind == OUTAGE and number.isdecimal() else None


def is_presumed(shown_as: str) -> bool:
    """Whether an outage rests on missing heartbeats alone."""
    return shown_as.startswith(PRESUMED)


def cause_of(item: Item) -> str:
    """What messages are grouped by: the layer, or silence, since many fall silent for one reason.

    Outages that were judged anew are grouped by what they became.
    """
    if item.kind != OUTAGE:
        return item.kind
    if item.why is not None:
        return f"{item.why} {item.other or ''}"
    return "silence" if is_presumed(item.shown_as) and not item.proven else item.cause


def key_of(target: str, items: Iterable[Item]) -> str:
    """The idempotency key: the same wherever the same is decided upon the same knowledge."""
    told = "\0".join(sorted(f"{one.matter}\0{one.event}\0{one.before}\0{one.over}" for one in items))
    return hashlib.sha256(f"{target}\0{told}".encode()).hexdigest()[:KEY_LENGTH]


def message_of(target: str, items: Sequence[Item], now: int) -> Message:
    """The message of these items."""
    return Message(key=key_of(target, items), target=target, event=items[0].event, items=tuple(items), made_utc=now)
