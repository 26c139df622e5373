"""Who asks by a token: from an Authorization header to the token with its owner's account, and how often he may ask."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from detak_collector.accounts.account import Account
from detak_collector.accounts.tokens import PREFIX, Token
from detak_collector.channel.limits import Allowances, Rate, place_of
from detak_collector.clocks import Clock
from detak_collector.operating.counters import refusals
from detak_collector.store.api_tokens import SqlApiTokens

TAKEN_UNDER = ("/api/v1/", "/feed.atom", "/calendar.ics", "/badge/", "/metrics")
"""Where tokens are taken: pages are for browsers, and a token never signs one in."""

USED_EVERY_MS = 60_000
EACH = Rate(20, 200)
STRANGERS = Rate(0.5, 60)
TOO_OFTEN = "More often than is allowed; come again after the seconds that Retry-After says.\n"

Writes = Callable[[Callable[[], None]], Awaitable[None]]


def brought(request: web.Request) -> str | None:
    """The token of the request, as `Bearer` or as the password of `Basic`; None where there is none."""
    if not request.path.startswith(TAKEN_UNDER):
        return None
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    told = told.strip()
    if scheme.lower() == "basic":
        try:
            told = base64.b64decode(told, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    elif scheme.lower() != "bearer":
        return None
    return told if told.startswith(PREFIX) else None


@dataclass(slots=True)
class TokenBearers:
    """Of one serving process."""

    tokens: SqlApiTokens
    clock: Clock
    write: Writes
    each: Allowances = field(default_factory=lambda: Allowances(EACH))
    strangers: Allowances = field(default_factory=lambda: Allowances(STRANGERS))

    async def find(self, token: str, address: str) -> tuple[Token, Account] | None:
        """Whose token it is, if it is good; raises HTTPTooManyRequests, and StoreError as the store does."""
        place, now = place_of(address), self.clock()
        hash_ = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        found = await asyncio.to_thread(self.tokens.find, hash_)
        if found is None or not found[0].is_good(now.utc) or found[1].disabled_utc is not None:
            refusals.count("token")
            self._hold_back(self.strangers, place, now.boottime)
            return None
        self._hold_back(self.each, found[0].id, now.boottime)
        last = found[0].used_utc
        if last is None or now.utc - last >= USED_EVERY_MS:
            await self.write(partial(self.tokens.used, found[0].id, now.utc, address))
        return found

    @staticmethod
    def _hold_back(allowances: Allowances, whose: str, boottime: int) -> None:
        now_s = boottime / 1_000
        if not allowances.take(whose, now_s):
            refusals.count("token_too_often")
            wait = str(allowances.wait_s(whose, now_s))
            raise web.HTTPTooManyRequests(text=TOO_OFTEN, headers={"Retry-After": wait})
