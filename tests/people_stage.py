"""The pages of accounts on a real socket over a real store, with a clock that a test moves and people that it makes."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher

from browser.fabricated import healthy
from browser.page_server import QUICK, FabricatedSource
from detak_collector.accounts.account import Account, Origin, Terms
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.passwords import Hasher
from detak_collector.accounts.roles import Role
from detak_collector.accounts.sign_in_file import SignInTerms
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.config import Config, load
from detak_collector.pair.entry import GRANT
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_collector.web.forgotten import add_forgotten
from detak_collector.web.pages import add_pages
from detak_collector.web.people import People
from evidence_builders import reading

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
TERMS = SignInTerms(Terms(2 * HOUR_MS, 12 * HOUR_MS))
PASSWORD = "kuda baterai staples benar"
QUICK_HASHER = PasswordHasher(1, 8, 1)
TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')


def quick() -> Hasher:
    """The same hash at the least cost."""
    return Hasher(QUICK_HASHER)


@dataclass
class Told:
    """The audit trail."""

    events: list[tuple[str, str, Mapping[str, str | int]]] = field(default_factory=list)

    def __call__(self, name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:
        self.events.append((name, text, told))

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.events]


@dataclass
class Stage:
    """A collector's pages and whoever comes to them."""

    url: str
    store: Store
    people: People
    source: FabricatedSource
    told: Told
    now: Reading
    config: Config

    def later(self, by_ms: int) -> None:
        """Time goes by."""
        self.now = Reading(self.now.utc + by_ms, self.now.boottime + by_ms, self.now.boot)

    def terms(self, terms: SignInTerms | None, url: str | None = None) -> None:
        """As after a reload with another collector.toml."""
        self.config = replace(self.config, sign_in=terms, url=url or self.config.url)

    def add(self, name: str, *roles: Role, display: str = "", password: str | None = PASSWORD, mail: str = "") -> None:
        kept = None if password is None else QUICK_HASHER.hash(password)
        assert self.store.accounts.add(Account(name, display or name, mail, Origin.LOCAL, self.now.utc, kept))
        for role in roles:
            wish = Wish(name, role, "root", Source.MACHINE)
            self.store.entries.append(GRANT, body_of(wish, withdrawn=False), "root", self.now.utc)

    def account(self, name: str) -> Account:
        found = self.store.accounts.find(name)
        assert found is not None
        return found

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """One with cookies of its own."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.url, cookie_jar=jar) as client:
            yield Browser(client)


@dataclass
class Page:
    """An answer with its text."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def to(self) -> str:
        """Where it leads."""
        return self.headers.get("Location", "")


@dataclass
class Browser:
    """Somebody's browser, which fills forms in as they are."""

    client: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path, headers=named, allow_redirects=False) as answer:
            return Page(answer.status, await answer.text(), dict(answer.headers))

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(path, data=dict(fields), headers=named, allow_redirects=False) as answer:
            return Page(answer.status, await answer.text(), dict(answer.headers))

    async def token(self, path: str = "/sign-in") -> str:
        found = TOKEN.search((await self.get(path)).text)
        assert found is not None, path
        return found[1]

    async def fill(self, form: str, to: str, **fields: str) -> Page:
        """Opens the page `form` and sends its form to another address."""
        return await self.post(to, {"token": await self.token(form), **fields})

    async def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> Page:
        return await self.fill("/sign-in", "/sign-in", name=name, password=password, **more)

    def cookie(self, name: str = "detak") -> str:
        return next((one.value for one in self.client.cookie_jar if one.key == name), "")


@asynccontextmanager
async def people_stage(folder: Path, terms: SignInTerms | None = TERMS) -> AsyncIterator[Stage]:
    (folder / "collector.toml").write_text('state_directory = "state"\n')
    told, source, app = Told(), FabricatedSource(healthy()), web.Application()
    stage: Stage
    with closing(open_store(folder, reading(0))) as store, ThreadPoolExecutor(1) as thread:
        people = People(store, thread, lambda: stage.now, lambda: stage.config, lambda: ZoneInfo("Asia/Jakarta"), told)
        config = replace(load(folder / "collector.toml"), sign_in=terms)
        stage = Stage("", store, people, source, told, reading(0), config)
        people.proving.hasher = quick()
        people.proving.refusal_s = 0.0
        app = web.Application(middlewares=[people.gate.attend])
        people.add_to(app)
        add_forgotten(app, people, lambda: True)
        source.apart = True
        add_pages(app, source, Pulse(), QUICK, people.gate)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield stage
        finally:
            await runner.cleanup()
