"""GET and POST /sign-in/forgotten: who has lost his password gets a link by mail. It tells nobody who has an account.

The answer is the same whatever was typed, and comes before anything is looked up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial

from aiohttp import web

from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.names import normal
from detak_collector.accounts.throttle import Throttle
from detak_collector.config import Config
from detak_collector.mail.file import MailTerms, is_address
from detak_collector.mail.reset import LINK_MS, reset_letter
from detak_collector.translation.saying import mark
from detak_collector.web.account_words import HELD
from detak_collector.web.forms import go_to
from detak_collector.web.people import People
from detak_collector.web.session import digest

PATH = "/sign-in/forgotten"
NOT_HERE = mark("This collector sends no mails. An administrator makes a link by which you set a new password.") + "\n"
MOST_LETTERS = 200


def add_forgotten(app: web.Application, people: People, leads: Callable[[], bool]) -> None:
    """Adds the page; `leads`: whether this collector is the one that sends mails."""
    people.mails = lambda: people.config().mail is not None and leads()
    app.add_routes(ForgottenPages(people).routes())


class ForgottenPages:
    """How somebody gets a link that sets his password."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._throttle = Throttle()
        self._working: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [web.get(PATH, self.asked), web.post(PATH, self.given)]

    async def asked(self, request: web.Request) -> web.StreamResponse:
        """Asks for the name."""
        self._terms()
        return self._page(request, sent="sent" in request.query)

    async def given(self, request: web.Request) -> web.StreamResponse:
        """A name has come, or a mail address."""
        terms, config = self._terms(), self._people.config()
        typed = normal((await self._people.forms.read(request)).get("name", "")[:MOST_LETTERS])
        address = self._people.gate.address(request)
        wait_s = self._throttle.take(typed, address, self._people.clock().boottime / 1_000)
        if wait_s:
            response = self._page(request, 429, fault=HELD, wait=str(wait_s))
            response.headers["Retry-After"] = str(wait_s)
            return response
        self._people.audit("reset-asked", f"a link for {typed!r} was asked for from {address}", address=address)
        # Whether there is such an account must not show in how long the answer takes.
        task = asyncio.create_task(self._people.write(partial(self._mail, typed, terms, config)))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return go_to("forgotten?sent=")

    def _mail(self, typed: str, terms: MailTerms, config: Config) -> None:
        """Makes the link and the mail where there is such an account."""
        now, store = self._people.clock().utc, self._people.store
        account = self._found(typed)
        if account is None:
            return
        token = secrets.token_urlsafe(32)
        store.accounts.issue_reset(account.name, digest(token), now + LINK_MS)
        link = f"{config.url}/sign-in/password?link={token}"
        store.outbox.add([reset_letter(account, link, terms, config.url, now)])
        self._people.audit("reset-mailed", f"a link was mailed to {account.name}", user=account.name)

    def _found(self, typed: str) -> Account | None:
        accounts = self._people.store.accounts.listing()
        matching = [one for one in accounts if typed in {one.name, normal(one.mail)} and _may(one)]
        return matching[0] if len(matching) == 1 else None

    def _terms(self) -> MailTerms:
        self._people.require()
        terms = self._people.config().mail
        if terms is None or not self._people.mails():
            raise web.HTTPNotFound(text=NOT_HERE)
        return terms

    def _page(
        self, request: web.Request, status: int = 200, *, sent: bool = False, fault: str | None = None, wait: str = "0"
    ) -> web.Response:
        return self._people.forms.page(request, "forgotten.html", None, status, sent=sent, fault=fault, wait=wait)


def _may(one: Account) -> bool:
    """Whether its password is this collector's, and can be set by who reads its mails."""
    return one.origin is Origin.LOCAL and one.disabled_utc is None and is_address(one.mail)
