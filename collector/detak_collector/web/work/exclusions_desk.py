"""Where people enter proposals and decisions from pages and the API: reads the log, enters, asks what would change.

It decides nothing: `decisions` does, in the transaction that writes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.decisions.claims import Claim, ClaimBody, body_of, claims_of
from detak_collector.decisions.corrections import corrections_of, with_approved
from detak_collector.decisions.recording import Author, Step, enter, imagined, log_of
from detak_collector.decisions.register import Matter, Register
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.catalogue import Correction
from detak_collector.pair.entry import CLAIM, PROMOTION
from detak_collector.pair.role import role_of
from detak_collector.rules import Rules
from detak_collector.store.base import StoreError
from detak_collector.store.entries import entries_of
from detak_collector.web.people import People
from detak_collector.web.session import Person
from detak_collector.web.sheet import EffectSheet
from detak_collector.web.sheet_pages import Kept
from detak_collector.web.work.exclusions_effect import Effect, read_effect

EFFECT_S = 30.0
"""For so long a page waits for what a proposal would change; it is derived on, and is there at the next look."""

R = TypeVar("R")


class ElsewhereError(Exception):
    """Things are entered at the other collector; the text is its address, empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the log comes to. `claims` by the entry of the proposal with which an exclusion began."""

    register: Register
    claims: Mapping[str, tuple[Claim, ...]]

    def imagined(self, register: Register) -> Known:
        """The same claims with another log."""
        return Known(register, self.claims)

    def claims_on(self, matter: Matter) -> tuple[Claim, ...]:
        """What was told of the third party, of all that belongs to this proposal."""
        return self.claims.get(self.register.root_of(matter).matters[0].proposal.entry.id, ())


@dataclass(slots=True)
class Desk:
    """One collector's. `sheets` is where effects are derived."""

    people: People
    sheets: Kept
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _known: tuple[int, Known] | None = field(default=None, init=False)

    async def known(self) -> Known:
        """The log as of now, read again only when something was entered."""
        return await asyncio.to_thread(self._read)

    async def rules(self) -> Rules:
        """The rules in force."""
        return await asyncio.to_thread(self.sheets.source.rules)

    def now(self) -> int:
        """UTC ms."""
        return self.people.clock().utc

    async def leads(self) -> bool:
        """Whether things are entered here."""
        return await asyncio.to_thread(self._leads)

    async def reader(self, request: web.Request, right: Right = Right.SEE) -> Person | None:
        """Who asks, if he may do that; None where he may not, and everybody may see where people do not sign in."""
        person = await self.people.gate.person(request)
        return person if person is not None and right in person.rights else None

    async def enter(self, steps: Sequence[Step], person: Person) -> list[str]:
        """The names of what was entered, all or none; raises RefusedError or ElsewhereError."""
        author = author_of(person)
        _, names = await self._write(lambda: enter(self.people.store.database, steps, author, self.now()))
        return names

    async def claim(self, body: ClaimBody, person: Person) -> None:
        """Enters how a third party takes it; raises ElsewhereError."""
        entries = self.people.store.entries
        await self._write(lambda: entries.append(CLAIM, body_of(body), author_of(person).name, self.now()))

    async def imagined(self, steps: Sequence[Step], person: Person) -> tuple[Register, list[str]]:
        """What the log would come to; raises RefusedError."""
        database, author, now = self.people.store.database, author_of(person), self.now()
        return await asyncio.to_thread(partial(imagined, database, steps, author, now))

    async def effect(self, register: Register, names: Sequence[str]) -> Effect | None:
        """What the approval of these proposals would change; None where it cannot be derived now."""
        wanted = await asyncio.to_thread(self._difference, register, names)
        if wanted is None:
            return Effect()
        try:
            async with asyncio.timeout(EFFECT_S):
                drawn = await self.sheets.get(wanted)
        except (TimeoutError, NotDerivedError, StoreError):
            return None
        return None if drawn is None else await asyncio.to_thread(read_effect, drawn.page.plain)

    def audit(self, event: str, name: str, person: Person, text: str) -> None:
        """For the audit trail."""
        self.people.audit(event, f"{person.account.name} {text}", id=name, author=person.account.name)

    async def _write(self, work: Callable[[], R]) -> R:
        def here() -> R:
            if not self._leads():
                peer = self.people.store.peers.peer()
                raise ElsewhereError(self.people.config().follow or (peer.url if peer is not None else ""))
            return work()

        return await self.people.write(here)

    def _leads(self) -> bool:
        store = self.people.store
        follows = self.people.config().follow is not None
        return role_of(store.collector, store.entries.of(PROMOTION), follows=follows).leads

    def _read(self) -> Known:
        with self._lock:
            mark = self.people.store.entries.mark()
            if self._known is None or self._known[0] != mark:
                with self.people.store.database.reading() as connection:
                    entries, claims = log_of(connection), entries_of(connection, CLAIM)
                self._known = (mark, Known(Register.of(entries), claims_of(claims)))
            return self._known[1]

    def _difference(self, register: Register, names: Sequence[str]) -> EffectSheet | None:
        """The corrections that would go and come; None where no figure of the time so far rests on them."""
        now, known = self.now(), self._read().register
        before, after = corrections_of(known, now), with_approved(register, names, now)
        one = set[Correction]((*before.exclusions, *before.declarations))
        other = set[Correction]((*after.exclusions, *after.declarations))
        gone, added = one - other, other - one
        if not any(each.begin < now for each in (*gone, *added)):
            return None
        # As if approved when it was proposed, which no figure depends on: so the same question is the same.
        told = (replace(each, approved_at=each.proposed_at) for each in added)
        return EffectSheet(_in_order(gone), _in_order(told))


def author_of(person: Person) -> Author:
    """Who speaks: by the name of the account, which is nobody else's and never another one."""
    return Author(person.account.name, person.account.name)


def _in_order(corrections: Iterable[Correction]) -> tuple[Correction, ...]:
    return tuple(sorted(corrections, key=lambda one: (one.id, one.begin)))
