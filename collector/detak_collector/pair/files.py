"""Fetches from the other collector the bytes of attachments that entries speak of and that are lacking here.

They come in pieces, after all evidence, and are kept only where their SHA-256 is the one in the entry. What the other
one has not got either, or an earlier version of it cannot tell, is asked for again after a while.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from detak_collector.annotations.bodies import Attachment, read
from detak_collector.annotations.kinds import MOST_BYTES
from detak_collector.clocks import Clock
from detak_collector.pair.client import Client, PeerError
from detak_collector.pair.entry import ATTACHMENT
from detak_collector.pair.messages import PAIR_PROTOCOL, WantedFile
from detak_collector.store.attachments import digest_of
from detak_collector.store.parts import Store

AGAIN_MS = 60_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FetchingFiles:
    """Of one serving process; `thread` is the store's only writer."""

    store: Store
    thread: ThreadPoolExecutor
    clock: Clock
    _looked: int = field(default=-1, init=False)
    _again: int = field(default=0, init=False)

    async def fetch(self, client: Client) -> None:
        """What is lacking, one file after the other; raises StoreError."""
        now = self.clock().boottime
        mark = await asyncio.to_thread(self.store.entries.mark)
        if mark == self._looked and (not self._again or now < self._again):
            return
        lacking = await asyncio.to_thread(self._lacking)
        found = [await self._fetched(client, digest) for digest in lacking]
        self._looked, self._again = mark, 0 if all(found) else now + AGAIN_MS

    def _lacking(self) -> list[str]:
        said = (read(one, Attachment) for one in self.store.entries.of(ATTACHMENT))
        return self.store.attachments.lacking(one.body.digest for one in said if one is not None)

    async def _fetched(self, client: Client, digest: str) -> bool:
        """Whether it is here now."""
        try:
            content = await _whole(client, digest)
        except PeerError as error:
            _log.info("attachment %s is not here so far: %s", digest, error)
            return False
        if content is None:
            return False
        if digest_of(content) != digest:
            _log.warning("not taken from the other collector: attachment %s has other bytes there", digest)
            return False
        loop, keep = asyncio.get_running_loop(), self.store.attachments.take
        await loop.run_in_executor(self.thread, partial(keep, content, self.clock().utc))
        return True


async def _whole(client: Client, digest: str) -> bytes | None:
    """The file, piece by piece; None where it is not there, or is larger than any that is taken."""
    content = b""
    while True:
        piece = await client.file(WantedFile(PAIR_PROTOCOL, digest, len(content)))
        if piece.size is None or piece.size > MOST_BYTES:
            return None
        content += piece.content
        if len(content) >= piece.size or not piece.content:
            return content
