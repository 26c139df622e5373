"""GET and POST /sign-in, its second factor, the link that sets a password, and /sign-out. They decide nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from aiohttp import web

from detak_collector.accounts import passwords
from detak_collector.accounts.account import MOST_CODES, Account, Stage
from detak_collector.accounts.proving import Answer
from detak_collector.web.account_words import FAULTS, HELD, NOTICES, REFUSED, UNEQUAL, WRONG_CODE
from detak_collector.web.forms import go_to
from detak_collector.web.next_page import HOME, next_page, relative
from detak_collector.web.people import People
from detak_collector.web.session import COOKIE, Person, digest


class SignInPages:
    """How somebody comes in, and leaves."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._gate = people.gate
        self._forms = people.forms
        self._proving = people.proving

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/sign-in", self.sign_in),
            web.post("/sign-in", self.name_given),
            web.get("/sign-in/second-factor", self.second_factor),
            web.post("/sign-in/second-factor", self.code_given),
            web.get("/sign-in/password", self.password),
            web.post("/sign-in/password", self.password_given),
            web.get("/sign-out", self.sign_out),
            web.post("/sign-out", self.signed_out),
        ]

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Asks for name and password."""
        self._people.require()
        asked = next_page(request.query.get("next", ""))
        if await self._gate.person(request) is not None:
            return go_to(relative(asked, 0))
        return self._form(request, asked, notice=NOTICES.get(request.query.get("notice", "")))

    async def name_given(self, request: web.Request) -> web.StreamResponse:
        """Name and password have come."""
        self._people.require()
        fields = await self._forms.read(request)
        asked, typed = next_page(fields.get("next", "")), fields.get("name", "")
        answer = await self._proving.password(typed, fields.get("password", ""), self._gate.address(request))
        if answer.account is not None:
            response = await self._let_in(request, answer.account, asked)
            if response is not None:
                return response
        return self._form(request, asked, typed=typed[:100], answer=answer)

    async def _let_in(self, request: web.Request, account: Account, asked: str) -> web.StreamResponse | None:
        """Onwards, to the second factor first where there is one; None where the account is disabled by now."""
        if account.secret is None:
            response = go_to(relative(asked, 0))
            return response if await self._people.sign_in(request, account, response) else None
        value = await self._gate.begin(request, account, Stage.SECOND_FACTOR)
        if value is None:
            return None
        response = go_to(f"./sign-in/second-factor?next={quote(asked)}")
        self._gate.set_cookie(response, COOKIE, value)
        return response

    async def second_factor(self, request: web.Request) -> web.StreamResponse:
        """Asks for the code."""
        self._people.require()
        if await self._gate.person(request, Stage.SECOND_FACTOR) is None:
            return go_to("../sign-in")
        return self._code_form(request, next_page(request.query.get("next", "")))

    async def code_given(self, request: web.Request) -> web.StreamResponse:
        """The code has come."""
        self._people.require()
        fields = await self._forms.read(request)
        person = await self._gate.person(request, Stage.SECOND_FACTOR)
        if person is None:
            return go_to("../sign-in?notice=begin-again")
        asked = next_page(fields.get("next", ""))
        answer = await self._proving.code(
            person.account, person.session, fields.get("code", ""), self._gate.address(request)
        )
        if answer.account is not None:
            response = go_to(relative(asked, 1))
            if await self._people.sign_in(request, answer.account, response):
                return response
        if not answer.wait_s and person.session.wrong_codes + 1 >= MOST_CODES:
            return go_to("../sign-in?notice=begin-again")
        return self._code_form(request, asked, answer)

    async def password(self, request: web.Request) -> web.StreamResponse:
        """The link that sets a password: it is not used up by being looked at."""
        self._people.require()
        return await self._password_form(request, request.query.get("link", ""))

    async def password_given(self, request: web.Request) -> web.StreamResponse:
        """A first or another password has come by that link."""
        self._people.require()
        fields = await self._forms.read(request)
        link, accounts = fields.get("link", ""), self._people.store.accounts
        account = await self._whose(link)
        fault = None if account is None else fault_of(fields, account)
        if account is None or fault is not None:
            return await self._password_form(request, link, fault)
        kept = await self._proving.hashed(fields["new"])
        now = self._people.clock().utc
        if await self._people.write(partial(accounts.reset, digest(link), kept, now)) is None:
            return await self._password_form(request, link)
        self._people.audit("password-set", f"{account.name} has set a password by a link", user=account.name)
        return go_to("../sign-in?notice=password-set")

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """Asks whether here or everywhere."""
        self._people.require()
        person = await self._gate.person(request)
        return go_to("./") if person is None else self._forms.page(request, "sign-out.html", person)

    async def signed_out(self, request: web.Request) -> web.StreamResponse:
        """He goes."""
        self._people.require()
        fields = await self._forms.read(request)
        person = await self._gate.person(request)
        if person is not None:
            await self._people.write(partial(self._end, person, everywhere=fields.get("where") == "everywhere"))
            self._people.audit("signed-out", f"{person.account.name} has signed out", user=person.account.name)
        response = go_to("./sign-in?notice=signed-out")
        self._gate.set_cookie(response, COOKIE, "")
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def _end(self, person: Person, *, everywhere: bool) -> None:
        sessions = self._people.store.sessions
        if everywhere:
            sessions.end_others(person.account.name, None)
        else:
            sessions.end(person.account.name, person.session.hash)

    def _form(
        self, request: web.Request, asked: str, *, typed: str = "", answer: Answer | None = None,
        notice: str | None = None,
    ) -> web.Response:  # fmt: skip
        status, fault, wait_s = _refusal(answer, REFUSED)
        silent = bool(self._proving.trouble)
        return _held(
            self._forms.page(
                request, "sign-in.html", None, status, asked="" if asked == HOME else asked, typed=typed, fault=fault,
                wait=str(wait_s), notice=notice, directory_is_silent=silent, mails=self._people.mails(),
            ),
            wait_s,
        )  # fmt: skip

    def _code_form(self, request: web.Request, asked: str, answer: Answer | None = None) -> web.Response:
        status, fault, wait_s = _refusal(answer, WRONG_CODE)
        values = {"asked": asked, "fault": fault, "wait": str(wait_s)}
        return _held(self._forms.page(request, "second-factor.html", None, status, **values), wait_s)

    async def _password_form(self, request: web.Request, link: str, fault: str | None = None) -> web.Response:
        account = await self._whose(link)
        status = 403 if account is None else 422 if fault else 200
        return self._forms.page(request, "password.html", None, status, link=link, account=account, fault=fault)

    async def _whose(self, link: str) -> Account | None:
        accounts, now = self._people.store.accounts, self._people.clock().utc
        name = await asyncio.to_thread(accounts.whose_reset, digest(link), now)
        return None if name is None else await asyncio.to_thread(accounts.find, name)


def fault_of(fields: Mapping[str, str], account: Account) -> str | None:
    """What is wrong with a new password as it was typed twice."""
    new = fields.get("new", "")
    if new != fields.get("again", ""):
        return UNEQUAL
    fault = passwords.fault(new, account.name, account.mail.partition("@")[0], *account.display.split())
    return None if fault is None else FAULTS[fault]


def _refusal(answer: Answer | None, words: str) -> tuple[int, str | None, int]:
    """Status, sentence and how long to wait, of an attempt that failed."""
    if answer is None:
        return 200, None, 0
    return (429, HELD, answer.wait_s) if answer.wait_s else (403, words, 0)


def _held(response: web.Response, wait_s: int) -> web.Response:
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response
