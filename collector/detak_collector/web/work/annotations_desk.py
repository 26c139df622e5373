"""Where people say what happened in outages, from pages and the API: who may, what is known, and that it is entered.

It decides nothing: `annotations` does, in the transaction that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from aiohttp import web

from detak_collector.accounts.roles import Right, Role
from detak_collector.annotations.drafts import Speaker
from detak_collector.annotations.faults import Fault, FaultsError, UnknownOutageError
from detak_collector.annotations.known import KnownAnnotations
from detak_collector.annotations.recording import outage_now
from detak_collector.annotations.rulings import fault_of, touching
from detak_collector.annotations.told import NOTHING, Told, ToldOfAll
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.numbering import Known
from detak_collector.pair.entry import PROMOTION
from detak_collector.pair.role import role_of
from detak_collector.rules import Rules
from detak_collector.store.database import Database
from detak_collector.translation.language import mark
from detak_collector.web.people import People
from detak_collector.web.session import Person

ELSEWHERE = mark("Incidents are put together at the collector that leads: do it there.")
SPEAKING = (Role.OPERATOR, Role.APPROVER)
"""In which role somebody speaks who has several."""
MOST_DIGITS = 15

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage with all that was said of it."""

    known: Known
    told: Told
    rulings: tuple[Ruling, ...]


@dataclass(slots=True)
class Desk:
    """One collector's. `rules` are those in force; `beat` tells that the status page has changed."""

    people: People
    rules: Callable[[], Rules]
    beat: Callable[[], None]
    log: KnownAnnotations = field(init=False)

    def __post_init__(self) -> None:
        self.log = KnownAnnotations(self.people.store.database)

    @property
    def database(self) -> Database:
        """Where all of it is kept."""
        return self.people.store.database

    @property
    def now_utc(self) -> int:
        """UTC ms."""
        return self.people.clock().utc

    async def told(self) -> ToldOfAll:
        """What was said of all outages."""
        return await asyncio.to_thread(self.log.told)

    async def outage(self, number: int) -> Outage:
        """The outage that has this number or has taken it in; raises UnknownOutageError."""
        return await asyncio.to_thread(self._outage, number)

    async def told_of(self, number: int) -> tuple[Told, tuple[Ruling, ...]]:
        """What was said of an outage, and the rulings on it; nothing where there is none of that number."""
        try:
            found = await self.outage(number)
        except UnknownOutageError:
            return NOTHING, ()
        return found.told, tuple(touching(found.rulings, {found.known.number}))

    def _outage(self, number: int) -> Outage:
        with self.database.reading() as connection:
            known = outage_now(connection, number)
        rulings = tuple(self.people.store.outages.rulings())
        return Outage(known, self.log.told().of_outage(known.number), rulings)

    async def enter(self, work: Callable[[], R]) -> R:
        """Has something entered, by the store's thread; the status page is drawn anew. Raises what `work` does."""
        done = await self.people.write(work)
        self.beat()
        return done

    async def rule(self, ruling: Ruling) -> Ruling:
        """Enters a ruling on incidents; raises FaultsError."""
        return await self.enter(partial(self._rule, ruling))

    def _rule(self, ruling: Ruling) -> Ruling:
        store = self.people.store
        follows = self.people.config().follow is not None
        # Rulings are numbered, and one collector of a pair gives numbers.
        if not role_of(store.collector, store.entries.of(PROMOTION), follows=follows).leads:
            raise FaultsError([Fault("ruling", ELSEWHERE)])
        fault = fault_of(ruling, store.outages.known, store.outages.rulings())
        if fault is not None:
            raise FaultsError([fault])
        return store.outages.rule(ruling)

    def audit(self, name: str, person: Person, text: str, outage: int) -> None:
        """Tells the audit trail who did what, of which outage (0: of none)."""
        by = person.account.name
        if outage:
            self.people.audit(name, f"{text}, by {by}", user=by, outage=outage)
        else:
            self.people.audit(name, f"{text}, by {by}", user=by)

    def service_name(self, service: str, at: int) -> str:
        """What a service was called then; its id where it is in no catalogue any more."""
        for one in self.rules().catalogue.services:
            if one.id == service:
                return one.name.value_at(at)
        return service


def speaker(person: Person) -> Speaker:
    """Who speaks: by the name of the account, which is nobody else's and never another one."""
    role = next((one for one in SPEAKING if one in person.roles), Role.OPERATOR)
    return Speaker(person.account.name, role.value, person.account.name)


def may_write(person: Person | None) -> bool:
    """Whether he may say something of outages: operators and approvers do."""
    return person is not None and Right.ANNOTATE in person.rights


def number_of(request: web.Request) -> int:
    """The outage's number in the address; raises UnknownOutageError."""
    part = request.match_info["number"]
    if not (part.isascii() and part.isdigit() and len(part) <= MOST_DIGITS):
        raise UnknownOutageError
    return int(part)
