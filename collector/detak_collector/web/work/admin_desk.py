"""What the pages and the API of administrators stand on: who may do it, that he proves it, and that it is done here.

It decides nothing about roles, nodes or the catalogue: the modules of those do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.catalogue.register import Register
from detak_collector.channel.enrol import Keyring
from detak_collector.pair.entry import PROMOTION
from detak_collector.pair.role import role_of
from detak_collector.rules import Rules
from detak_collector.store.place import StorePlace
from detak_collector.translation.language import mark
from detak_collector.web.account_words import HELD, WRONG_PASSWORD
from detak_collector.web.people import People
from detak_collector.web.session import Person

ELSEWHERE = mark("This collector follows another one: do it there ({text}).")
NOT_FOUND = mark("There is no {text} here.")

R = TypeVar("R")


class RefusedError(Exception):
    """What was asked is not done. `message` is a sentence of the translations, `where` the field that it is about."""

    def __init__(self, message: str, where: str = "", status: int = 422, *, wait_s: int = 0, **named: str) -> None:
        super().__init__(message.format(**{"number": str(wait_s), **named}) if named or wait_s else message)
        self.message = message
        self.where = where
        self.status = status
        self.named: Mapping[str, str] = {"number": str(wait_s), **named} if named or wait_s else {}
        self.wait_s = wait_s


@dataclass(slots=True)
class Desk:
    """One collector's. `rules` are those of now, corrections included, and are asked in a thread."""

    people: People
    keyring: Keyring
    place: StorePlace
    rules: Callable[[], Rules]
    beat: Callable[[], None]
    register: Register = field(init=False)

    def __post_init__(self) -> None:
        self.register = Register(self.people.store.entries)

    async def person(self, request: web.Request, rights: Iterable[Right]) -> Person | None:
        """Who asks, if he may do one of these."""
        person = await self.people.gate.person(request)
        return person if person is not None and person.rights & set(rights) else None

    async def prove(self, request: web.Request, person: Person, password: str) -> None:
        """That he knows his password, now; raises RefusedError. An open browser alone gives nobody a role."""
        address = self.people.gate.address(request)
        answer = await self.people.proving.password(person.account.name, password, address)
        if answer.wait_s:
            raise RefusedError(HELD, "password", 429, wait_s=answer.wait_s)
        if answer.account is None:
            raise RefusedError(WRONG_PASSWORD, "password")

    async def enter(self, work: Callable[[], R]) -> R:
        """What becomes an entry of the log, in the store's thread; raises RefusedError where that is done elsewhere."""
        return await self.people.write(partial(self._here, work))

    async def read(self, work: Callable[[], R]) -> R:
        """What reads the store, in a thread."""
        return await asyncio.to_thread(work)

    def _here(self, work: Callable[[], R]) -> R:
        store, config = self.people.store, self.people.config()
        if not role_of(store.collector, store.entries.of(PROMOTION), follows=config.follow is not None).leads:
            peer = store.peers.peer()
            raise RefusedError(ELSEWHERE, "", 409, text=config.follow or (peer.url if peer is not None else "-"))
        return work()

    @property
    def now_utc(self) -> int:
        """UTC milliseconds."""
        return self.people.clock().utc
