"""Lets the pages wait until something has changed. It says that, not what: who is woken derives again."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Pulse:
    """A version number that grows, in one event loop."""

    def __init__(self) -> None:
        self._version = 0
        self._grown = asyncio.Event()

    @property
    def version(self) -> int:
        """Grows with each change."""
        return self._version

    def beat(self) -> None:
        """Something changed: everyone who waits is woken."""
        self._version += 1
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """The version, as soon as it is greater than `seen`."""
        while self._version <= seen:
            await self._grown.wait()
        return self._version

    async def changed(self, seen: int, within_s: float) -> None:
        """Returns as soon as the version is greater than `seen`, and at the latest after that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.wait(seen)
