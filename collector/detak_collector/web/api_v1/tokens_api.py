"""Tokens over the JSON API: looked at, and revoked. None is made here: that takes a password, on the account's page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.report.numbers import iso_utc
from detak_collector.web.api_v1 import answers, telling
from detak_collector.web.api_v1.access import Access
from detak_collector.web.api_v1.endpoints import told
from detak_collector.web.api_v1.problems import guarded
from detak_collector.web.people import People
from detak_collector.web.tokens_kept import revoke

BY_TOKEN = "Revoke it with a token: itself, or one with the scope admin. A browser does so on /account/tokens."  # noqa: S105
NO_TOKEN = "There is no token of that id that is not revoked, or it is not for you to revoke."  # noqa: S105


@dataclass(frozen=True, slots=True)
class TokensApi:
    """The two endpoints."""

    people: People
    access: Access

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/api/v1/tokens", guarded(self.tokens)),
            web.delete("/api/v1/tokens/{token}", guarded(self.revoked)),
        ]

    async def tokens(self, request: web.Request) -> web.StreamResponse:
        """One's own; for an administrator everybody's."""
        person = await self.access.holder(request)
        owner = None if Right.ADMINISTER in person.rights else person.account.name
        found = await asyncio.to_thread(self.people.store.api_tokens.of, owner)
        now = self.people.clock().utc
        return await told(
            request, answers.Tokens(as_of=iso_utc(now), items=[telling.token_of(one, now) for one in found])
        )

    async def revoked(self, request: web.Request) -> web.StreamResponse:
        """Makes one worthless, at once."""
        person = await self.access.holder(request)
        if person.token is None:
            # A cookie comes with what other sites send too.
            raise web.HTTPForbidden(text=BY_TOKEN)
        id_ = request.match_info["token"]
        if id_ != person.token.id and Right.ADMINISTER not in person.rights:
            raise web.HTTPNotFound(text=NO_TOKEN)
        if await self.people.write(partial(revoke, self.people, id_, person.account.name)) is None:
            raise web.HTTPNotFound(text=NO_TOKEN)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})
