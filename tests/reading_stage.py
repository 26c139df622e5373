"""What programs read, on a real socket over the made-up organisation of `sheets_stage`: two services are public."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from browser.page_server import QUICK
from detak_collector.accounts.roles import Role
from detak_collector.accounts.tokens import DAY_MS, Scope, Wish
from detak_collector.board.board import Board
from detak_collector.downtime.catalogue import Dated
from detak_collector.web.sheet_pages import Keeping
from detak_collector.web.tokens_kept import Made, make
from sheets_stage import SERVICES, SheetStage, figures, sheets_stage

PUBLIC = ("impor", "portal")
MARKED = tuple(replace(one, public=Dated.always(value=one.id in PUBLIC)) for one in SERVICES)
KEPT = Keeping(least_s=0.0, leisure=0.0)


@dataclass(frozen=True, slots=True)
class Read:
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reader:
    """Somebody who reads, by a token, or without one as everybody does."""

    client: aiohttp.ClientSession
    token: str = ""
    later: Callable[[], None] = lambda: None
    """Told before each request."""

    async def get(self, path: str, **headers: str) -> Read:
        return await self.ask("GET", path, **headers)

    async def ask(self, method: str, path: str, **headers: str) -> Read:
        self.later()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named.setdefault("Authorization", f"Bearer {self.token}")
        async with self.client.request(method, path, headers=named, allow_redirects=False) as answer:
            return Read(answer.status, await answer.read(), answer.headers)


@dataclass
class ReadingStage:
    """The stage, and whoever comes to it."""

    stage: SheetStage
    client: aiohttp.ClientSession
    pace_ms: int = 0
    """So much time goes by between two requests, for what is allowed by time alone."""
    _tokens: dict[tuple[str, tuple[Scope, ...]], str] = field(default_factory=dict)

    def stranger(self) -> Reader:
        return Reader(self.client, later=self._later)

    def _later(self) -> None:
        self.stage.later(self.pace_ms)

    @asynccontextmanager
    async def showing(self, board: Board) -> AsyncIterator[None]:
        """Another board, as long as it is needed."""
        source, before = self.stage.source, self.stage.source.current
        source.current = board
        await asyncio.sleep(2 * QUICK.least_s)
        try:
            yield
        finally:
            source.current = before
            await asyncio.sleep(2 * QUICK.least_s)

    def made(self, owner: str, *scopes: Scope, days: int = 90) -> Made:
        """A token that its owner has made."""
        made = make(self.stage.people, Wish(owner, owner, "a test", frozenset(scopes), days * DAY_MS))
        assert isinstance(made, Made), made
        return made

    def with_token(self, owner: str, *scopes: Scope) -> Reader:
        wanted = scopes or (Scope.READ,)
        if (owner, wanted) not in self._tokens:
            self._tokens[owner, wanted] = self.made(owner, *wanted).secret
        return Reader(self.client, self._tokens[owner, wanted], self._later)


_BOARDS: list[Board] = []


def _board(stage: SheetStage) -> Board:
    """The same for every test of a process: it is derived from the same evidence."""
    if not _BOARDS:
        _BOARDS.append(figures(stage).board_now())
    return _BOARDS[0]


@asynccontextmanager
async def reading_stage(folder: Path, *, sign_in: bool = True, pace_ms: int = 0) -> AsyncIterator[ReadingStage]:
    async with sheets_stage(folder, MARKED, sign_in=sign_in, keeping=KEPT) as stage:
        stage.source.current = _board(stage)
        stage.source.apart = True
        if sign_in:
            stage.add("oki", Role.OPERATOR, display="Oki")
            stage.add("ada", Role.ADMIN, display="Ada")
        async with aiohttp.ClientSession(stage.url) as client:
            yield ReadingStage(stage, client, pace_ms)
