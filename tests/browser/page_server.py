"""A real server of the status page on loopback, in a thread of its own, whose board a test may change at any time."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from detak_collector.board.board import Board
from detak_collector.board.pulse import Pulse
from detak_collector.web.assets import Assets
from detak_collector.web.pages import Pace, add_pages
from detak_collector.web.render import STATIC, TEMPLATES, Renderer, Snapshots

QUICK = Pace(least_s=0.05, most_s=0.5, heartbeat_s=0.2)


@dataclass
class FabricatedSource:
    """A source of pages that draws the board it was last told, or fails or waits as told."""

    current: Board
    made: int = 0
    languages: frozenset[str] = frozenset()
    """Of the latest drawing."""
    failure: Exception | None = None
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    apart: bool = False

    def __post_init__(self) -> None:
        self.go.set()
        self._draw = Renderer(Assets(STATIC, TEMPLATES)).snapshots

    async def snapshot(self, languages: Collection[str]) -> Snapshots:
        self.made += 1
        self.languages = frozenset(languages)
        await self.go.wait()
        if self.failure is not None:
            self.failed.set()
            raise self.failure
        return self._draw(self.current, languages, apart=self.apart)


class PageServer:
    """The pages behind a port that stays the same when the server is stopped and started again."""

    def __init__(self, board: Board, pace: Pace = QUICK) -> None:
        self.source = FabricatedSource(board)
        self.errors: list[BaseException] = []
        self._pace = pace
        self._pulse = Pulse()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runner: web.AppRunner | None = None
        self._thread.start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def show(self, board: Board) -> None:
        """Changes the board, as new evidence would."""
        self.source.current = board
        self._loop.call_soon_threadsafe(self._pulse.beat)

    def start(self) -> None:
        self._await(self._start())

    def stop(self) -> None:
        self._await(self._stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        add_pages(app, self.source, self._pulse, self._pace)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _await(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)


@contextmanager
def serving(board: Board, pace: Pace = QUICK) -> Iterator[PageServer]:
    """A started server, closed at the end whatever happens."""
    server = PageServer(board, pace)
    try:
        server.start()
        yield server
    finally:
        server.close()
