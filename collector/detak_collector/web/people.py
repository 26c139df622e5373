"""Puts together how people sign in to a serving collector: the gate, the proof, the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TypeVar

from aiohttp import web

from detak_collector.accounts.account import Account, Stage
from detak_collector.accounts.known_grants import KnownGrants
from detak_collector.accounts.proving import Authenticates, Proving
from detak_collector.accounts.sign_in_file import DirectoryPlace, SignInTerms
from detak_collector.clocks import Clock
from detak_collector.config import Config
from detak_collector.operating.events import Audit
from detak_collector.store.parts import Store
from detak_collector.translation.saying import mark
from detak_collector.web.assets import Assets
from detak_collector.web.forms import Forms
from detak_collector.web.refusal_page import RefusalPages
from detak_collector.web.render import STATIC, TEMPLATES
from detak_collector.web.session import COOKIE, Gate

NOT_HERE = mark("People do not sign in at this collector: its collector.toml has no table [sign_in].") + "\n"
R = TypeVar("R")


@dataclass(slots=True)
class People:
    """What the pages of accounts stand on. `config` and `zone` are asked each time: a reload changes them."""

    store: Store
    thread: Executor
    clock: Clock
    config: Callable[[], Config]
    zone: Callable[[], tzinfo]
    audit: Audit
    gate: Gate = field(init=False)
    proving: Proving = field(init=False)
    forms: Forms = field(init=False)
    refusals: RefusalPages = field(init=False)
    mails: Callable[[], bool] = field(default=lambda: False, init=False)
    """Whether this collector sends links by mail."""
    _directory: tuple[DirectoryPlace, Authenticates] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        grants = KnownGrants(self.store.entries)
        self.gate = Gate(self.store, self.clock, self.write, grants, self.terms, self.is_encrypted)
        self.proving = Proving(self.store, self.clock, self.write, self.audit, self._asked_directory, grants)
        assets = Assets(STATIC, TEMPLATES)
        self.forms, self.refusals = Forms(self.gate, assets), RefusalPages(assets)

    def terms(self) -> SignInTerms | None:
        """How people sign in; None where they do not."""
        return self.config().sign_in

    def is_encrypted(self) -> bool:
        """Whether people come by HTTPS."""
        return self.config().url.startswith("https://")

    def require(self) -> None:
        """Raises HTTPNotFound where people do not sign in."""
        if self.terms() is None:
            raise web.HTTPNotFound(text=NOT_HERE)

    async def write(self, work: Callable[[], R]) -> R:
        """The result of what only the store's thread may do."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    async def sign_in(self, request: web.Request, account: Account, response: web.StreamResponse) -> bool:
        """Begins a session, the cookie of which `response` carries; False where the account is disabled by now."""
        value = await self.gate.begin(request, account, Stage.WHOLE)
        if value is None:
            return False
        address = self.gate.address(request)
        await self.write(lambda: self.store.accounts.signed_in(account.name, self.clock().utc))
        self.audit("signed-in", f"{account.name} has signed in from {address}", user=account.name, address=address)
        self.gate.set_cookie(response, COOKIE, value)
        return True

    def add_to(self, app: web.Application) -> None:
        """Adds the pages of accounts, and what lets go of them at the end."""
        # Imported here, since they are made of this.
        from detak_collector.web.account import AccountPages  # noqa: PLC0415
        from detak_collector.web.sign_in import SignInPages  # noqa: PLC0415

        app.add_routes([*SignInPages(self).routes(), *AccountPages(self).routes()])

        async def lasting(_: web.Application) -> AsyncIterator[None]:
            yield
            self.proving.close()

        app.cleanup_ctx.append(lasting)

    def _asked_directory(self) -> Authenticates | None:
        terms = self.terms()
        place = None if terms is None else terms.directory
        if place is None:
            return None
        if self._directory is None or self._directory[0] != place:
            # Imported where one is configured: its library is an extra.
            from detak_collector.accounts.directory import Directory  # noqa: PLC0415

            self._directory = (place, Directory(place))
        return self._directory[1]
