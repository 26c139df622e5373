"""One drawing of the status page shared by all who look, renewed when something changed and told to them at once.

Where it cannot be renewed, or takes long, the last one is shown, and says of when it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from detak_collector.channel.limits import WATCHERS
from detak_collector.web.render import Snapshot
from detak_collector.web.watchers import Watchers

HEARTBEAT = b": still here\n\n"
logger = logging.getLogger(__name__)


class SnapshotSource(Protocol):
    """Where the page comes from."""

    async def snapshot(self) -> Snapshot:
        """The page as of now. Heavy work belongs elsewhere: the caller's loop also receives evidence."""
        ...


class Pulse(Protocol):
    """Tells that new evidence may have changed the page."""

    @property
    def version(self) -> int:
        """Grows with each change."""
        ...

    async def wait(self, seen: int) -> int:
        """The version, as soon as it is greater than `seen`."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the page is drawn: no more than once in `least_s`; while somebody looks, at least once in `most_s`.

    While that takes longer than `wait_s` the last one is shown, and once that is older than `outdated_s` it says so.
    """

    least_s: float = 1.0
    most_s: float = 10.0
    wait_s: float = 5.0
    outdated_s: float = 30.0
    heartbeat_s: float = 15.0
    watchers: int = WATCHERS


class Live:
    """The latest snapshot and those who wait for the next one."""

    def __init__(self, source: SnapshotSource, pulse: Pulse, pace: Pace) -> None:
        self._source = source
        self._pulse = pulse
        self._pace = pace
        self._drawing: asyncio.Task[None] | None = None
        self._latest: Snapshot | None = None
        self._shown: Snapshot | None = None
        self._drawn_at = 0.0
        self._trouble = ""
        self._watchers = Watchers(pace.watchers)
        self._watched = asyncio.Event()
        self._turn = asyncio.Event()
        self._closed = False

    async def snapshot(self) -> Snapshot | None:
        """The page as of now, or as of less than `least_s` ago: however many ask, it is drawn once.

        Else the last one; None where there is none. The log says why.
        """
        if self._shown is not None and self._shown is self._latest and self._age_s() < self._pace.least_s:
            return self._shown
        if self._drawing is None:
            self._drawing = asyncio.create_task(self._draw(), name="drawing")
        wait_s = None if self._latest is None else self._pace.wait_s
        done, _ = await asyncio.wait({self._drawing}, timeout=wait_s)
        is_late = not done and self._age_s() > self._pace.outdated_s
        if self._latest is not None and (self._trouble or is_late):
            await self._say_outdated(self._latest)
        return self._shown

    def _age_s(self) -> float:
        """Since the latest was asked for."""
        return asyncio.get_running_loop().time() - self._drawn_at

    async def _draw(self) -> None:
        """Renews the latest; a failure is logged when it begins, or becomes another one."""
        begun = asyncio.get_running_loop().time()
        try:
            fresh = await self._source.snapshot()
        except Exception as error:
            if str(error) != self._trouble:
                logger.exception("the status page could not be drawn; those who watch it still see the last one")
            self._trouble = str(error) or type(error).__name__
        else:
            self._latest, self._drawn_at, self._trouble = fresh, begun, ""
            self._show(fresh)
        finally:
            self._drawing = None

    async def _say_outdated(self, latest: Snapshot) -> None:
        if self._shown is latest:
            outdated = await asyncio.to_thread(latest.outdated)
            if self._shown is latest:
                self._show(outdated)

    def _show(self, snapshot: Snapshot) -> None:
        self._shown = snapshot
        self._wake()

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def run(self) -> None:
        """Renews the snapshot while somebody watches, for ever."""
        while True:
            await self._watched.wait()
            version = self._pulse.version
            await self.snapshot()
            await asyncio.sleep(self._pace.least_s)
            await self._changed(version)

    async def _changed(self, version: int) -> None:
        try:
            async with asyncio.timeout(self._pace.most_s - self._pace.least_s):
                await self._pulse.wait(version)
        except TimeoutError:
            return

    async def messages(self, view: Callable[[Snapshot], Snapshot | None]) -> AsyncIterator[bytes]:
        """What one watcher is sent: each snapshot's event, and a sign of life where there is none for long.

        `view` is what he sees of a snapshot, None where that one has nothing for him.
        """
        sent: Snapshot | None = None
        while not self._closed:
            if self._shown is not None and self._shown is not sent:
                sent = self._shown
                seen = view(sent)
                yield HEARTBEAT if seen is None else seen.told.event
                continue
            try:
                async with asyncio.timeout(self._pace.heartbeat_s):
                    await self._turn.wait()
            except TimeoutError:
                yield HEARTBEAT

    @contextmanager
    def watching(self, address: str | None) -> Iterator[bool]:
        """Counts one watcher in and out; false where there are too many already. `address`: of one not signed in."""
        if not self._watchers.enter(address):
            yield False
            return
        self._watched.set()
        try:
            yield True
        finally:
            self._watchers.leave(address)
            if not self._watchers.all:
                self._watched.clear()

    def close(self) -> None:
        """Lets every watcher go, so that the server can stop."""
        self._closed = True
        if self._drawing is not None:
            self._drawing.cancel()
        self._wake()
