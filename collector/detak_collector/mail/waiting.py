"""Who is to be told of what waits: whose turn it is at once, a deputy later, all before it is too late. Pure.

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
    OVERDUE = "overdue"


class Family(StrEnum):
    """What is told of together, in one mail."""

    PROPOSAL = "proposal"
    DISPUTE = "dispute"
    PERIOD = "period"


FAMILIES = {"dispute": Family.DISPUTE, "period": Family.PERIOD}
"""By what a thing is about; all else is a proposal."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What waits for somebody. `id` is that of its entry, `begin` and `end` its window in UTC milliseconds, if any.

    `about` is `exclusion`, `declaration`, `catalogue`, `seal`, `restatement`, `dispute` or `period`, which is one that
    could be sealed; `path` is where on the pages it is decided, `deadline` by when, in UTC milliseconds. `drill`: it is
    planned work that was declared as one.
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
    deadline: int | None = None
    drill: bool = False

    @property
    def family(self) -> Family:
        """With what it is told of together."""
        return FAMILIES.get(self.about, Family.PROPOSAL)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may approve or propose, or who has proposed something. `names`: all that he signs with."""

    names: tuple[str, ...]
    address: str
    approves: bool
    is_deputy: bool
    proposes: bool = False


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
        for person in people:
            yield from (Due(person, thing, cause) for cause in _causes(thing, person, delays, now))


def _causes(thing: Thing, person: Person, delays: Delays, now: int) -> Iterator[Cause]:
    is_own = bool(thing.author) and any(same_person(thing.author, name) for name in person.names)
    may = person.proposes if thing.family is Family.PERIOD else person.approves
    is_overdue = thing.deadline is not None and now >= thing.deadline
    if may and not is_own and not person.is_deputy:
        yield Cause.WAITS
    if may and not is_own and person.is_deputy and now >= thing.since_utc + delays.deputy_ms and not is_overdue:
        yield Cause.DEPUTY
    if _begins_soon(thing, delays, now) and (person.approves or is_own):
        yield Cause.BEGINS
    if is_overdue and (person.approves or is_own):
        yield Cause.OVERDUE


def _begins_soon(thing: Thing, delays: Delays, now: int) -> bool:
    if thing.about != "exclusion" or thing.begin is None or thing.end is None:
        return False
    return thing.begin - delays.warn_ms <= now < thing.end


def grouped(dues: Iterable[Due], told: Collection[str]) -> list[list[Due]]:
    """What was not told yet, as mails: one to each person for each cause, of what is told of together."""
    mails: dict[tuple[str, Cause, Family], list[Due]] = {}
    for one in dues:
        if one.key not in told:
            mails.setdefault((one.person.address.casefold(), one.cause, one.thing.family), []).append(one)
    return list(mails.values())
