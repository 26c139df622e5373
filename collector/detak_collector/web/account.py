"""/account: what somebody sees and changes of his own: password, second factor, sessions. It decides nothing."""

from __future__ import annotations

import asyncio
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web
from markupsafe import Markup

from detak_collector.accounts.account import Origin, Session, Stage, is_alive
from detak_collector.accounts.roles import Role
from detak_collector.accounts.second_factor import address_of, drawing_of, in_fours, matching_step, new_secret
from detak_collector.translation.language import language
from detak_collector.web.account_words import HELD, NOTICES, ROLES, WRONG_CODE, WRONG_PASSWORD
from detak_collector.web.forms import go_to
from detak_collector.web.people import People
from detak_collector.web.session import Person
from detak_collector.web.sign_in import fault_of
from detak_collector.web.speaking import spoken_by


class AccountPages:
    """One's own account."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._gate = people.gate
        self._forms = people.forms
        self._proving = people.proving

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/account", self.account),
            web.post("/account/password", self.password),
            web.post("/account/second-factor", self.second_factor),
            web.post("/account/sessions", self.sessions),
        ]

    async def account(self, request: web.Request) -> web.StreamResponse:
        """All of it on one page."""
        self._people.require()
        person = await self._gate.person(request)
        if person is None:
            return go_to("./sign-in?next=/account")
        return await self._page(request, person, notice=NOTICES.get(request.query.get("notice", "")))

    async def password(self, request: web.Request) -> web.StreamResponse:
        """Another password, for who knows the one of now; all other sessions end."""
        person, fields = await self._sent(request)
        if person is None:
            return go_to("../sign-in?next=/account")
        account = person.account
        fault = fault_of(fields, account) if account.origin is Origin.LOCAL else WRONG_PASSWORD
        if fault is None:
            fault, wait_s = await self._unproven(request, person, fields)
            if fault is None:
                kept = await self._proving.hashed(fields["new"])
                await self._people.write(partial(self._people.store.accounts.set_password, account.name, kept))
                self._people.audit("password-changed", f"{account.name} has changed the password", user=account.name)
                response = go_to("../account?notice=password-changed")
                await self._people.sign_in(request, account, response)
                return response
            return await self._page(request, person, "password", fault, wait_s)
        return await self._page(request, person, "password", fault)

    async def second_factor(self, request: web.Request) -> web.StreamResponse:
        """Begins it, takes its first code, ends it."""
        person, fields = await self._sent(request)
        if person is None:
            return go_to("../sign-in?next=/account")
        action, name, accounts = fields.get("action", ""), person.account.name, self._people.store.accounts
        if action == "confirm":
            return await self._confirm(request, person, fields.get("code", ""))
        if action == "cancel":
            await self._people.write(partial(accounts.offer_secret, name, None))
            return go_to("../account#second-factor")
        fault, wait_s = await self._unproven(request, person, fields)
        if fault is not None:
            return await self._page(request, person, "second-factor", fault, wait_s)
        if action == "begin":
            await self._people.write(partial(accounts.offer_secret, name, new_secret()))
            return go_to("../account")
        if action == "off" and await self._people.write(partial(accounts.drop_secret, name)):
            self._people.audit("second-factor-off", f"{name} has ended the second factor", user=name)
        return go_to("../account?notice=factor-off")

    async def sessions(self, request: web.Request) -> web.StreamResponse:
        """Ends one of one's own sessions, or all others."""
        person, fields = await self._sent(request)
        if person is None:
            return go_to("../sign-in?next=/account")
        name, sessions = person.account.name, self._people.store.sessions
        if "others" in fields:
            await self._people.write(partial(sessions.end_others, name, person.session.hash))
        for one in await asyncio.to_thread(sessions.of, name):
            if one.handle == fields.get("end"):
                await self._people.write(partial(sessions.end, name, one.hash))
        self._people.audit("sessions-ended", f"{name} has ended sessions of his own", user=name)
        return go_to("../account?notice=ended")

    async def _sent(self, request: web.Request) -> tuple[Person | None, dict[str, str]]:
        self._people.require()
        fields = dict(await self._forms.read(request))
        return await self._gate.person(request), fields

    async def _unproven(self, request: web.Request, person: Person, fields: dict[str, str]) -> tuple[str | None, int]:
        """Why he is not shown to be the holder once more; None where he is."""
        address = self._gate.address(request)
        answer = await self._proving.password(person.account.name, fields.get("password", ""), address)
        if answer.wait_s:
            return HELD, answer.wait_s
        return (None, 0) if answer.account is not None else (WRONG_PASSWORD, 0)

    async def _confirm(self, request: web.Request, person: Person, code: str) -> web.StreamResponse:
        account = person.account
        if account.fresh_secret is None:
            return go_to("../account#second-factor")
        step = matching_step(account.fresh_secret, code, self._people.clock().utc, 0)
        take = partial(self._people.store.accounts.take_secret, account.name, account.fresh_secret, step or 0)
        if step is None or not await self._people.write(take):
            return await self._page(request, person, "second-factor", WRONG_CODE)
        others = partial(self._people.store.sessions.end_others, account.name, person.session.hash)
        await self._people.write(others)
        self._people.audit("second-factor-on", f"{account.name} has a second factor now", user=account.name)
        return go_to("../account?notice=factor-on")

    async def _page(
        self, request: web.Request, person: Person, where: str = "", fault: str | None = None, wait_s: int = 0,
        *, notice: str | None = None,
    ) -> web.Response:  # fmt: skip
        """The page; a fault stands at the form `where`."""
        account, place = person.account, urlsplit(self._people.config().url).hostname or ""
        sessions = await asyncio.to_thread(self._people.store.sessions.of, account.name)
        offered = account.fresh_secret
        address = None if offered is None else address_of(offered, account.name, place)
        status = 200 if fault is None else 429 if wait_s else 422
        response = self._forms.page(
            request, "account.html", person, status,
            where=where, fault=fault, wait=str(wait_s), notice=notice,
            roles=[ROLES[role] for role in Role if role in person.roles],
            is_local=account.origin is Origin.LOCAL,
            # The drawing is of our own making, and has nothing of anybody's in it but squares.
            drawing=None if address is None else Markup(drawing_of(address)),  # noqa: S704
            secret=None if offered is None else in_fours(offered),
            sessions=[one for one in sessions if self._is_alive(one)],
            own=person.session.handle,
            moment=partial(language(spoken_by(request)).moment, zone=self._people.zone()),
        )  # fmt: skip
        if wait_s:
            response.headers["Retry-After"] = str(wait_s)
        return response

    def _is_alive(self, session: Session) -> bool:
        terms = self._people.terms()
        is_whole = session.stage is Stage.WHOLE
        return is_whole and terms is not None and is_alive(session, self._people.clock().utc, terms.terms)
