"""Who reads by programs: what he may see, and how much those may have derived who have not signed in."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.channel.limits import Allowances, Rate, place_of
from detak_collector.clocks import Clock
from detak_collector.deriving.process import NotDerivedError
from detak_collector.operating.counters import refusals
from detak_collector.store.base import StoreError
from detak_collector.web.api_v1.data_sheets import DataSheet
from detak_collector.web.session import Gate, Person
from detak_collector.web.sheet import DrawnSheet
from detak_collector.web.sheet_pages import Kept

STRANGER = Rate(5, 200)
"""Requests of one address by who has not signed in: a page with many badges asks for them at once."""

STRANGERS_WAITING = 4
"""So many answers may be derived for them at once; the other places are for who has signed in."""

THEIR_PERIOD = re.compile(r"20\d\d(-(0[1-9]|1[0-2]))?")
"""Years and months alone: these are kept derived, so that asking costs little."""

BAD_TOKEN = "This token is not known here, revoked or over: make another one on the page of your account.\n"  # noqa: S105
SIGN_IN = "This is for people who have signed in, and programs with a token of theirs.\n"
NO_RIGHT = "This account or token may not see that.\n"
UNDERIVED = "This cannot be derived at this moment; the collector's log says why. Checks and evidence go on.\n"
CROWDED = "Too much is being derived at this moment. Try again in a few seconds.\n"
TOO_OFTEN = "This address asks more often than is allowed without signing in.\n"
THEIRS = "Without signing in a period is a year or a month, such as 2026 or 2026-10.\n"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and whether he sees what is not marked public."""

    person: Person | None
    whole: bool


@dataclass(slots=True)
class Access:
    """Of one serving process."""

    gate: Gate
    kept: Kept
    clock: Clock
    strangers: Allowances = field(default_factory=lambda: Allowances(STRANGER))
    _waiting: int = field(default=0, init=False)

    async def reader(self, request: web.Request) -> Reader:
        """Who asks; raises HTTPUnauthorized for a token that is no good, HTTPTooManyRequests for a busy stranger."""
        if self.gate.terms() is None:
            return Reader(None, whole=True)
        person = await self.gate.person(request)
        if person is None and request.headers.get("Authorization", "").lower().startswith(("bearer ", "basic ")):
            raise web.HTTPUnauthorized(text=BAD_TOKEN, headers={"WWW-Authenticate": "Bearer"})
        whole = person is not None and Right.SEE in person.rights
        if person is None:
            self._hold_back(self.gate.address(request))
        return Reader(person, whole)

    async def seer(self, request: web.Request) -> Reader:
        """The same, for what only those may see who may see everything."""
        reader = await self.reader(request)
        if not reader.whole:
            raise _refused(reader.person)
        return reader

    async def holder(self, request: web.Request) -> Person:
        """The person, for what is somebody's own."""
        reader = await self.reader(request)
        if reader.person is None:
            raise _refused(None)
        return reader.person

    async def derived(self, reader: Reader, sheet: DataSheet) -> DrawnSheet:
        """What was asked for; raises HTTPServiceUnavailable where it cannot be had now."""
        async with self._place(reader):
            try:
                drawn = await self.kept.get(sheet)
            except (NotDerivedError, StoreError) as error:
                _log.warning("an answer could not be derived: %s", error, exc_info=hasattr(error, "__notes__"))
                raise web.HTTPServiceUnavailable(text=UNDERIVED, headers={"Retry-After": "10"}) from None
        if drawn is None:
            raise _crowded()
        return drawn

    def refuse_their(self, reader: Reader, period: str) -> None:
        """Raises HTTPBadRequest for a period that is not kept derived, asked for by a stranger."""
        if not reader.whole and period and not THEIR_PERIOD.fullmatch(period):
            raise web.HTTPBadRequest(text=THEIRS)

    @asynccontextmanager
    async def _place(self, reader: Reader) -> AsyncIterator[None]:
        if reader.whole:
            yield
            return
        if self._waiting >= STRANGERS_WAITING:
            raise _crowded()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _hold_back(self, address: str) -> None:
        place, now_s = place_of(address), self.clock().boottime / 1_000
        if not self.strangers.take(place, now_s):
            refusals.count("readers")
            wait = str(self.strangers.wait_s(place, now_s))
            raise web.HTTPTooManyRequests(text=TOO_OFTEN, headers={"Retry-After": wait})


def _crowded() -> web.HTTPServiceUnavailable:
    refusals.count("pages")
    return web.HTTPServiceUnavailable(text=CROWDED, headers={"Retry-After": "5"})


def _refused(person: Person | None) -> web.HTTPException:
    if person is None:
        return web.HTTPUnauthorized(text=SIGN_IN, headers={"WWW-Authenticate": "Bearer"})
    return web.HTTPForbidden(text=NO_RIGHT)
