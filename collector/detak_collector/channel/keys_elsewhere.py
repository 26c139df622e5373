"""Looks in the store for keys that another collector may have given a moment ago, before a node is refused.

All who ask share one look, and there is one a second at most: wrong keys must not keep the store busy.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from detak_collector.channel.enrol import Keyring

LOOK_S = 1.0


class KeysElsewhere:
    """Of one serving process, used in its event loop only; `thread` is the store's only writer."""

    def __init__(self, keyring: Keyring, thread: ThreadPoolExecutor) -> None:
        self._keyring = keyring
        self._thread = thread
        self._next: asyncio.Task[None] | None = None
        self._looked_s = -LOOK_S

    async def look(self) -> None:
        """Returns when a look is over that began after this was called; raises StoreError where it failed."""
        if self._next is None:
            self._next = asyncio.create_task(self._look(), name="keys elsewhere")
        await asyncio.shield(self._next)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._looked_s + LOOK_S - loop.time()))
        # Who asks from here on may have a key that is newer than this look.
        self._looked_s, self._next = loop.time(), None
        await loop.run_in_executor(self._thread, self._keyring.refill)
