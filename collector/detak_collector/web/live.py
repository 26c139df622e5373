"""One drawing of the status page, in each language that is looked at, shared by all who look.

It is renewed when something changed, and told to them at once. Where it cannot be renewed, or takes long, the last one
is shown, and says of when it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from detak_collector.board.overview import Overview
from detak_collector.channel.limits import WATCHERS
from detak_collector.web.render import Snapshot, Snapshots
from detak_collector.web.watchers import Watchers

HEARTBEAT = b": still here\n\n"
logger = logging.getLogger(__name__)


class SnapshotSource(Protocol):
    """Where the page comes from."""

    async def snapshot(self, languages: Collection[str]) -> Snapshots:
        """The page as of now in these languages. Heavy work belongs elsewhere: the caller's loop receives evidence."""
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

    What changed is drawn sooner where that is cheap, though not within `soonest_s`: `leisure` times what it took the
    last time is left between two, and `apiece_s` for each who looks, since all of them fetch it.

    While that takes longer than `wait_s` the last one is shown, and once that is older than `outdated_s` it says so.
    Where it took longer than `slow_s` the last time, who asks does not wait, and a page that was asked for within
    `lately_s` is drawn each `unwatched_s` even if nobody looks: so nobody waits for a large organisation's page.
    """

    least_s: float = 1.0
    soonest_s: float = 0.1
    leisure: float = 10.0
    apiece_s: float = 0.005
    most_s: float = 10.0
    wait_s: float = 5.0
    outdated_s: float = 30.0
    slow_s: float = 0.1
    unwatched_s: float = 20.0
    lately_s: float = 3_600.0
    heartbeat_s: float = 15.0
    watchers: int = WATCHERS


@dataclass(slots=True)
class _Page:
    """In one language: the latest, what is shown of it, and when that was begun. `watchers` look at it now."""

    latest: Snapshot | None = None
    shown: Snapshot | None = None
    drawn_at: float = 0.0
    asked_at: float = 0.0
    watchers: int = 0


class Live:
    """The latest snapshots and those who wait for the next ones."""

    def __init__(self, source: SnapshotSource, pulse: Pulse, pace: Pace) -> None:
        self._source = source
        self._pulse = pulse
        self._pace = pace
        self._drawing: asyncio.Task[None] | None = None
        self._drawn: frozenset[str] = frozenset()
        self._pages: dict[str, _Page] = {}
        self._overview: tuple[Overview, float] | None = None
        self._trouble = ""
        self._seen = pulse.version
        self._took_s = 0.0
        self._watchers = Watchers(pace.watchers)
        self._watched = asyncio.Event()
        self._turn = asyncio.Event()
        self._closed = False

    async def snapshot(self, code: str) -> Snapshot | None:
        """The page as of now, or one that may still stand: however many ask, it is drawn once.

        Else the last one in that language; None where there is none. The log says why.
        """
        page = self._page(code)
        page.asked_at = asyncio.get_running_loop().time()
        return await self._current(code, page, self._patience_s(page))

    async def _current(self, code: str, page: _Page, patience_s: float) -> Snapshot | None:
        if page.shown is not None and page.shown is page.latest and self._stands(page.drawn_at):
            return page.shown
        done = await self._renewed(code, None if page.latest is None else patience_s)
        is_late = not done and self._age_s(page.drawn_at) > self._pace.outdated_s
        if page.latest is not None and (self._trouble or is_late):
            await self._say_outdated(page, page.latest)
        return page.shown

    async def overview(self) -> Overview | None:
        """How all services stand, as of now or while that may still stand; the last one where it takes long.

        None where there is none as of the last `outdated_s`: what is asked for by programs must not look current.
        """
        known = self._overview
        if known is None or not self._stands(known[1]):
            await self._renewed(None, None if known is None else self._pace.wait_s)
        known = self._overview
        return known[0] if known is not None and self._age_s(known[1]) < self._pace.outdated_s else None

    def _page(self, code: str) -> _Page:
        return self._pages.setdefault(code, _Page())

    def _patience_s(self, page: _Page) -> float:
        """How long it is waited for: of what takes long to draw the last one serves, while it is not outdated."""
        serves = self._is_slow and self._age_s(page.drawn_at) < self._pace.outdated_s
        return 0.0 if serves else self._pace.wait_s

    @property
    def _is_slow(self) -> bool:
        return self._took_s > self._pace.slow_s

    def _stands(self, drawn_at: float) -> bool:
        """Whether what was drawn then is still shown as it is."""
        is_changed = self._pulse.version != self._seen
        return self._age_s(drawn_at) < (self._rest_s if is_changed else self._pace.least_s)

    @property
    def _rest_s(self) -> float:
        """After a drawing, before what changed since is drawn."""
        pace = self._pace
        cheap = max(pace.soonest_s, pace.leisure * self._took_s, pace.apiece_s * self._watchers.all)
        return pace.least_s if self._trouble else min(pace.least_s, cheap)

    def _age_s(self, at: float) -> float:
        return asyncio.get_running_loop().time() - at

    async def _renewed(self, code: str | None, wait_s: float | None) -> bool:
        """Whether a drawing in that language (None: in any) ended in that time. It renews all that are watched."""
        while True:
            if self._drawing is None:
                watched = {one for one, page in self._pages.items() if page.watchers}
                self._drawn = frozenset(watched if code is None else watched | {code})
                self._drawing = asyncio.create_task(self._draw(self._drawn), name="drawing")
            is_in_it = code is None or code in self._drawn
            done, _ = await asyncio.wait({self._drawing}, timeout=wait_s)
            if not done or is_in_it:
                return bool(done)

    async def _draw(self, languages: frozenset[str]) -> None:
        """Renews the latest; a failure is logged when it begins, or becomes another one."""
        # What changes from here on may not be in it.
        begun, self._seen = asyncio.get_running_loop().time(), self._pulse.version
        try:
            fresh = await self._source.snapshot(languages)
        except Exception as error:
            if str(error) != self._trouble:
                logger.exception("the status page could not be drawn; those who watch it still see the last one")
            self._trouble = str(error) or type(error).__name__
        else:
            self._took_s = self._age_s(begun)
            self._trouble, self._overview = "", (fresh.overview, begun)
            for code, snapshot in fresh.pages.items():
                page = self._page(code)
                page.latest = page.shown = snapshot
                page.drawn_at = begun
            self._wake()
        finally:
            self._drawing = None

    async def _say_outdated(self, page: _Page, latest: Snapshot) -> None:
        if page.shown is latest:
            outdated = await asyncio.to_thread(latest.outdated)
            if page.shown is latest:
                page.shown = outdated
                self._wake()

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def run(self) -> None:
        """Renews what is watched, and now and then what was asked for lately and takes long, for ever."""
        while True:
            is_watched = await self._is_watched()
            for code, page in [one for one in self._pages.items() if one[1].watchers or self._is_kept(one[1])]:
                await self._current(code, page, self._pace.wait_s)
            if is_watched:
                await asyncio.sleep(self._rest_s)
                await self._changed()

    async def _is_watched(self) -> bool:
        """As soon as somebody watches, or after as long as a page may stand unwatched."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.unwatched_s):
                await self._watched.wait()
        return self._watched.is_set()

    def _is_kept(self, page: _Page) -> bool:
        return self._is_slow and self._age_s(page.asked_at) < self._pace.lately_s

    async def _changed(self) -> None:
        """As soon as something changes that the latest drawing may not have, or after as long as one may stand."""
        try:
            async with asyncio.timeout(self._pace.most_s - self._rest_s):
                await self._pulse.wait(self._seen)
        except TimeoutError:
            return

    async def messages(self, code: str, view: Callable[[Snapshot], Snapshot | None]) -> AsyncIterator[bytes]:
        """What one watcher is sent: each snapshot's event, and a sign of life where there is none for long.

        `view` is what he sees of a snapshot, None where that one has nothing for him.
        """
        sent: Snapshot | None = None
        page = self._page(code)
        while not self._closed:
            if page.shown is not None and page.shown is not sent:
                sent = page.shown
                seen = view(sent)
                yield HEARTBEAT if seen is None else seen.told.event
                continue
            try:
                async with asyncio.timeout(self._pace.heartbeat_s):
                    await self._turn.wait()
            except TimeoutError:
                yield HEARTBEAT

    @contextmanager
    def watching(self, code: str, address: str | None) -> Iterator[bool]:
        """Counts one watcher in and out; false where there are too many already. `address`: of one not signed in."""
        if not self._watchers.enter(address):
            yield False
            return
        page = self._page(code)
        page.watchers += 1
        self._watched.set()
        try:
            yield True
        finally:
            page.watchers -= 1
            self._watchers.leave(address)
            if not self._watchers.all:
                self._watched.clear()

    def close(self) -> None:
        """Lets every watcher go, so that the server can stop."""
        self._closed = True
        if self._drawing is not None:
            self._drawing.cancel()
        self._wake()
