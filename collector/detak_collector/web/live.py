"""One drawing of the status page shared by all who look, renewed when something changed and told to them at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from detak_collector.board.board import Board
from detak_collector.web.render import Snapshot

HEARTBEAT = b": still here\n\n"
logger = logging.getLogger(__name__)


class BoardSource(Protocol):
    """Where the page's data comes from."""

    async def board(self) -> Board:
        """The board as of now. Heavy work belongs into a thread: the caller's loop also receives evidence."""
        ...


class Pulse(Protocol):
    """Tells that new evidence may have changed the board."""

    @property
    def version(self) -> int:
        """Grows with each change."""
        ...

    async def wait(self, seen: int) -> int:
        """The version, as soon as it is greater than `seen`."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the page is drawn: no more than once in `least_s`; while somebody looks, at least once in `most_s`."""

    least_s: float = 1.0
    most_s: float = 10.0
    heartbeat_s: float = 15.0
    watchers: int = 1_000


class Live:
    """The latest snapshot and those who wait for the next one."""

    def __init__(self, boards: BoardSource, pulse: Pulse, draw: Callable[[Board], Snapshot], pace: Pace) -> None:
        self._boards = boards
        self._pulse = pulse
        self._draw = draw
        self._pace = pace
        self._lock = asyncio.Lock()
        self._latest: Snapshot | None = None
        self._drawn_at = 0.0
        self._watchers = 0
        self._watched = asyncio.Event()
        self._turn = asyncio.Event()
        self._closed = False

    async def snapshot(self) -> Snapshot:
        """The page as of now, or as of less than `least_s` ago: however many ask, it is drawn once."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._latest is not None and now - self._drawn_at < self._pace.least_s:
                return self._latest
            fresh = await asyncio.to_thread(self._draw, await self._boards.board())
            self._latest, self._drawn_at = fresh, now
            self._wake()
            return fresh

    async def attempt(self) -> Snapshot | None:
        """The same, or None where it cannot be drawn; the log says why."""
        try:
            return await self.snapshot()
        except Exception:
            logger.exception("the status page could not be drawn; those who watch it still see the last one")
            return None

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def run(self) -> None:
        """Renews the snapshot while somebody watches, for ever."""
        while True:
            await self._watched.wait()
            version = self._pulse.version
            await self.attempt()
            await asyncio.sleep(self._pace.least_s)
            await self._changed(version)

    async def _changed(self, version: int) -> None:
        try:
            async with asyncio.timeout(self._pace.most_s - self._pace.least_s):
                await self._pulse.wait(version)
        except TimeoutError:
            return

    async def messages(self) -> AsyncIterator[bytes]:
        """What one watcher is sent: each snapshot's event, and a sign of life where there is none for long."""
        sent: Snapshot | None = None
        while not self._closed:
            if self._latest is not None and self._latest is not sent:
                sent = self._latest
                yield sent.event
                continue
            try:
                async with asyncio.timeout(self._pace.heartbeat_s):
                    await self._turn.wait()
            except TimeoutError:
                yield HEARTBEAT

    @contextmanager
    def watching(self) -> Iterator[bool]:
        """Counts one watcher in and out; false where there are too many already."""
        if self._watchers >= self._pace.watchers:
            yield False
            return
        self._watchers += 1
        self._watched.set()
        try:
            yield True
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._watched.clear()

    def close(self) -> None:
        """Lets every watcher go, so that the server can stop."""
        self._closed = True
        self._wake()
