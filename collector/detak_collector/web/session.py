"""Who asks: from a cookie to a person with his rights. A cookie holds 256 random bits, and the store their hash."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from detak_collector.accounts.account import Account, Session, Stage, is_alive
from detak_collector.accounts.known_grants import KnownGrants
from detak_collector.accounts.proving import Writes
from detak_collector.accounts.roles import Right, Role, rights_of
from detak_collector.accounts.sign_in_file import SignInTerms
from detak_collector.accounts.tokens import Token
from detak_collector.clocks import Clock
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.translation.saying import mark
from detak_collector.web.browser_words import browser_words
from detak_collector.web.token_bearers import TokenBearers, brought

AUDIT_TRAIL, ADMINISTRATION, CATALOGUE = mark("Audit trail"), mark("Administration"), mark("Catalogue")
SEEN_EVERY_MS = 60_000
COOKIE = "detak"
FORM_COOKIE = "detak-form"
GUARDED = {"/metrics", "/api/v1/nodes/{node}/metrics"}
SUMMED_UP = "/readyz"
BY_ITSELF = {"/live", "/status/fragment"}
"""What an open page asks by itself: that is no sign of a person."""
UNSTORED = mark("The store cannot be used now; the collector's log says why. Try again in a while.") + "\n"
SIGN_IN_FIRST = (
    mark("This is for people who have signed in, and for Prometheus with its token (metrics_token_file).") + "\n"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in, or a program with a token of his, for the length of one request."""

    account: Account
    session: Session
    roles: frozenset[Role]
    token: Token | None = None

    @property
    def rights(self) -> frozenset[Right]:
        """What he may do; by a token no more than that is for."""
        owned = rights_of(self.roles)
        return owned if self.token is None else self.token.rights(owned)

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """The pages that are not for everybody who has signed in: (path, words)."""
        rights = self.rights
        found = [("audit", AUDIT_TRAIL)] if Right.AUDIT in rights else []
        if Right.ADMINISTER in rights:
            found.append(("admin/people", ADMINISTRATION))
        elif Right.APPROVE in rights or Right.AUDIT in rights:
            found.append(("admin/catalogue", CATALOGUE))
        return tuple(found)


@dataclass(slots=True)
class Gate:
    """Of one serving process. `terms` is None while collector.toml has no [sign_in]: then all is as it was before."""

    store: Store
    clock: Clock
    write: Writes
    grants: KnownGrants
    terms: Callable[[], SignInTerms | None]
    is_encrypted: Callable[[], bool]
    """Whether people come by HTTPS, to this process or to a proxy before it."""
    bearers: TokenBearers = field(init=False)

    def __post_init__(self) -> None:
        self.bearers = TokenBearers(self.store.api_tokens, self.clock, self.write)

    async def person(self, request: web.Request, stage: Stage = Stage.WHOLE) -> Person | None:
        """Who asks; None where he has not signed in so far, or where the store cannot say."""
        terms, value, token = self.terms(), self.cookie(request, COOKIE), brought(request)
        if terms is not None and token is not None:
            return await self._by_token(request, token) if stage is Stage.WHOLE else None
        if terms is None or not value:
            return None
        try:
            found = await asyncio.to_thread(self.store.sessions.find, digest(value))
            if found is None or found[0].stage is not stage or not is_alive(found[0], self.clock().utc, terms.terms):
                return None
            roles = await asyncio.to_thread(self.grants.roles, found[1].name)
            await self._seen(request, found[0])
        except StoreError:
            return None
        return Person(found[1], found[0], roles)

    async def _by_token(self, request: web.Request, token: str) -> Person | None:
        """The owner, who may no more than the token; a cookie beside it is not looked at."""
        address = self.address(request)
        try:
            found = await self.bearers.find(token, address)
            if found is None:
                return None
            one, account = found
            roles = await asyncio.to_thread(self.grants.roles, account.name)
        except StoreError:
            return None
        session = Session(one.hash, account.name, Stage.WHOLE, one.made_utc, self.clock().utc, address, one.label)
        return Person(account, session, roles, one)

    async def may(self, request: web.Request, right: Right) -> bool:
        """Whether who asks may do that; everybody may see everything where people do not sign in."""
        if self.terms() is None:
            return right is Right.SEE
        person = await self.person(request)
        return person is not None and right in person.rights

    async def begin(self, request: web.Request, account: Account, stage: Stage) -> str | None:
        """A new session and what its cookie holds; the one there was ends. None: the account is disabled by now."""
        terms, now = self.terms(), self.clock().utc
        if terms is None:
            return None
        value, before = secrets.token_urlsafe(32), self.cookie(request, COOKIE)
        browser = browser_words(request.headers.get("User-Agent", ""))
        session = Session(digest(value), account.name, stage, now, now, self.address(request), browser)
        ended = digest(before) if before else None
        begin = partial(self.store.sessions.begin, session, ended, now - terms.terms.longest_ms)
        return value if await self.write(begin) else None

    def cookie(self, request: web.Request, name: str) -> str:
        """What one of the collector's cookies holds, empty where there is none."""
        return request.cookies.get(self._named(name), "")

    def set_cookie(self, response: web.StreamResponse, name: str, value: str) -> None:
        """Has the browser keep it, for this collector alone and out of reach of scripts; empty: no longer."""
        terms = self.terms()
        longest_s = terms.terms.longest_ms // 1_000 if terms is not None and value else 0
        response.set_cookie(
            self._named(name), value, max_age=longest_s, httponly=True, samesite="Lax", path="/",
            secure=self.is_encrypted(),
        )  # fmt: skip

    def address(self, request: web.Request) -> str:
        """Where the request came from; of a proxy that is trusted, what it says last."""
        terms, peer = self.terms(), request.remote or ""
        if terms is None or peer not in terms.proxies:
            return peer
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(told))
        except ValueError:
            return peer

    @web.middleware
    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keeps numbers that name nodes for who may see them; a supervisor is told no more than whether all is well."""
        if self.terms() is None:
            return await handler(request)
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        if path in GUARDED and not (self._has_token(request) or await self.may(request, Right.SEE)):
            raise web.HTTPUnauthorized(text=SIGN_IN_FIRST, headers={"WWW-Authenticate": "Bearer"})
        try:
            response = await handler(request)
        except StoreError:
            raise web.HTTPServiceUnavailable(text=UNSTORED, headers={"Retry-After": "10"}) from None
        if path == SUMMED_UP and not (self._has_token(request) or await self.may(request, Right.SEE)):
            said = {"status": "ready" if response.status == 200 else "unready"}
            return web.json_response(said, status=response.status, headers={"Cache-Control": "no-store"})
        return response

    def _has_token(self, request: web.Request) -> bool:
        terms = self.terms()
        scheme, _, brought = request.headers.get("Authorization", "").partition(" ")
        if terms is None or terms.metrics_token_file is None or scheme.lower() != "bearer":
            return False
        try:
            token = terms.metrics_token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return False
        return bool(token) and hmac.compare_digest(digest(token), digest(brought.strip()))

    async def _seen(self, request: web.Request, session: Session) -> None:
        now = self.clock().utc
        if request.path not in BY_ITSELF and now - session.seen_utc >= SEEN_EVERY_MS:
            await self.write(partial(self.store.sessions.seen, session.hash, now))

    def _named(self, name: str) -> str:
        # The prefix has browsers refuse the cookie from another host or without TLS (RFC 6265bis, 4.1.3.2).
        return f"__Host-{name}" if self.is_encrypted() else name


def digest(secret: str) -> bytes:
    """What is kept of a cookie, a link or a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
