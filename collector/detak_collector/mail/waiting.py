"""Who is to be told of a proposal that waits: approvers at once, a deputy later, all before its window begins. Pure.

Each is told once of each thing for each cause; what was told is remembered by its key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detak_collector.decisions.persons import same_person
from detak_collector.mail.letter import key_of

PURPOSE = "waiting"


class Cause(StrEnum):
    """Why somebody is told."""

    WAITS = "waits"
    DEPUTY = "deputy"
    BEGINS = "begins"


@dataclass(frozen=True, slots=True)
class Thing:
    """What waits for an approver. `id` is that of its entry, `begin` and `end` its window in UTC milliseconds, if any.

    `about` is `exclusion`, `declaration` or `catalogue`; `path` is where on the pages it is decided.
    """

    id: str
    about: str
    name: str
    author: str
    since_utc: int
    path: str
    action: str = "add"
    target: str = ""
    category: str = ""
    scope_kind: str = ""
    scope: str = ""
    begin: int | None = None
    end: int | None = None
    document: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may approve, or who has proposed something. `names`: all that he signs with."""

    names: tuple[str, ...]
    address: str
    approves: bool
    is_deputy: bool


@dataclass(frozen=True, slots=True)
class Due:
    """That this person is to be told of this thing for this cause."""

    person: Person
    thing: Thing
    cause: Cause

    @property
    def key(self) -> str:
        """What is remembered of it."""
        return key_of(PURPOSE, self.cause, self.thing.id, self.person.address.casefold())


@dataclass(frozen=True, slots=True)
class Delays:
    """After how long a deputy is told, and how long before a window begins everybody is, in milliseconds."""

    deputy_ms: int
    warn_ms: int


def due(things: Iterable[Thing], people: Sequence[Person], delays: Delays, now: int) -> Iterator[Due]:
    """All that is due now, whether told already or not."""
    for thing in things:
        begins_soon = thing.about == "exclusion" and thing.begin is not None and thing.end is not None and (
            thing.begin - delays.warn_ms <= now < thing.end
        )  # fmt: skip
        for one in people:
            is_own = any(same_person(thing.author, name) for name in one.names)
            if one.approves and not is_own and not one.is_deputy:
                yield Due(one, thing, Cause.WAITS)
            if one.approves and not is_own and one.is_deputy and now >= thing.since_utc + delays.deputy_ms:
                yield Due(one, thing, Cause.DEPUTY)
            if begins_soon and (one.approves or is_own):
                yield Due(one, thing, Cause.BEGINS)


def grouped(dues: Iterable[Due], told: Collection[str]) -> list[list[Due]]:
    """What was not told yet, as mails: one to each person for each cause."""
    mails: dict[tuple[str, Cause], list[Due]] = {}
    for one in dues:
        if one.key not in told:
            mails.setdefault((one.person.address.casefold(), one.cause), []).append(one)
    return list(mails.values())
