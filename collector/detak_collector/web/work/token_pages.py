"""/account/tokens: one's own tokens for programs, made and revoked; an administrator sees and revokes everybody's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.accounts.tokens import DAY_MS, Fault, Token, Wish, allowed
from detak_collector.translation.language import language, mark
from detak_collector.web.account_words import HELD, WRONG_PASSWORD
from detak_collector.web.forms import go_to
from detak_collector.web.people import People
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.tokens_kept import Made, make, revoke
from detak_collector.web.work.token_words import FAULTS, FIELDS, LIMITS, SCOPES

DAYS = (7, 30, 90, 365)
USUAL_DAYS = 90
MOST_OVER = 10
"""Of those that are no longer good so many are listed; the command has all."""


def add_token_pages(app: web.Application, people: People) -> None:
    """Adds the page and its two forms."""
    pages = _TokenPages(people)
    app.add_routes(
        [
            web.get("/account/tokens", pages.tokens),
            web.post("/account/tokens", pages.make),
            web.post("/account/tokens/revoke", pages.revoke),
        ]
    )


class _TokenPages:
    def __init__(self, people: People) -> None:
        self._people = people

    async def tokens(self, request: web.Request) -> web.StreamResponse:
        """All of them, and the form for another."""
        self._people.require()
        person = await self._people.gate.person(request)
        if person is None:
            return go_to("../sign-in?next=/account/tokens")
        return await self._page(request, person, _Shown(revoked=request.query.get("notice") == "revoked"))

    async def make(self, request: web.Request) -> web.StreamResponse:
        """Makes one, for who knows his password, and shows it this once."""
        person, fields = await self._sent(request)
        if person is None:
            return go_to("../sign-in?next=/account/tokens")
        address = self._people.gate.address(request)
        proof = await self._people.proving.password(person.account.name, fields.get("password", ""), address)
        if proof.wait_s:
            return await self._page(request, person, _Shown(HELD, "password", proof.wait_s), fields)
        if proof.account is None:
            return await self._page(request, person, _Shown(WRONG_PASSWORD, "password"), fields)
        made = await self._people.write(partial(make, self._people, _wish(person, fields)))
        if isinstance(made, Fault):
            return await self._page(request, person, _Shown(FAULTS[made], FIELDS.get(made, "form")), fields)
        return await self._page(request, person, _Shown(made=made))

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """Makes one of his own worthless, or for an administrator anybody's."""
        person, fields = await self._sent(request)
        if person is None:
            return go_to("../../sign-in?next=/account/tokens")
        wanted = fields.get("id", "")
        if wanted not in {one.id for one in await self._seen(person)}:
            raise web.HTTPNotFound(text=mark("There is no such token, or it is somebody else's.") + "\n")
        await self._people.write(partial(revoke, self._people, wanted, person.account.name))
        return go_to("../tokens?notice=revoked")

    async def _sent(self, request: web.Request) -> tuple[Person | None, Mapping[str, str]]:
        self._people.require()
        fields = await self._people.forms.read(request)
        return await self._people.gate.person(request), fields

    async def _seen(self, person: Person) -> list[Token]:
        owner = None if Right.ADMINISTER in person.rights else person.account.name
        return await asyncio.to_thread(self._people.store.api_tokens.of, owner)

    async def _page(
        self, request: web.Request, person: Person, shown: _Shown, typed: Mapping[str, str] | None = None
    ) -> web.Response:
        spoken, now = language(spoken_by(request)), self._people.clock().utc
        seen, own, fault = await self._seen(person), person.account.name, shown.fault
        status = 200 if fault is None else 429 if shown.wait_s else 422
        response = self._people.forms.page(
            request, "work/tokens.html", person, status,
            own=[one for one in seen if one.owner == own and one.is_good(now)],
            others=[one for one in seen if one.owner != own and one.is_good(now)],
            over=[one for one in seen if one.owner == own and not one.is_good(now)][:MOST_OVER],
            scopes=[(one.value, SCOPES[one]) for one in allowed(person.rights)],
            days=DAYS, typed=typed or {"days": str(USUAL_DAYS)}, made=shown.made, notice=shown.revoked,
            fault=None if fault is None else spoken.say(fault, **{**LIMITS, "number": str(shown.wait_s)}),
            where=shown.where, moment=partial(spoken.moment, zone=self._people.zone()), count=spoken.count,
        )  # fmt: skip
        if shown.wait_s:
            response.headers["Retry-After"] = str(shown.wait_s)
        return response


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page says besides: a fault and beside which field, a token that was just made, that one was revoked."""

    fault: str | None = None
    where: str = ""
    wait_s: int = 0
    made: Made | None = None
    revoked: bool = False


def _wish(person: Person, fields: Mapping[str, str]) -> Wish:
    name, days = person.account.name, fields.get("days", "")
    scopes = frozenset(scope for scope in SCOPES if fields.get(f"scope-{scope.value}"))
    lifetime_ms = int(days) * DAY_MS if days in {str(one) for one in DAYS} else 0
    return Wish(name, name, fields.get("label", ""), scopes, lifetime_ms)
