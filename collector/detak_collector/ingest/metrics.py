"""Takes metrics to the store once a second, apart from evidence: nothing waits for them, and no evidence is refused."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from detak_collector.metrics import kept, moments
from detak_collector.store.base import Arrival, NodeMetrics

MOST_WAITING = 8_000
AT_ONCE = 250
"""In one commit, of some milliseconds: evidence waits no longer than that."""

COMMITS = 24
"""In one second at most: more than ten thousand nodes bring that have an outage to catch up with."""

_log = logging.getLogger(__name__)


class MetricsIntake:
    """Between the endpoint and the store; `thread` is the store's only writer. Of too many the oldest are let go."""

    def __init__(self, store: NodeMetrics, thread: ThreadPoolExecutor) -> None:
        self._store = store
        self._thread = thread
        self._waiting: deque[tuple[str, int, bytes]] = deque(maxlen=MOST_WAITING)
        self._trouble = ""

    def take(self, arrival: Arrival) -> None:
        """The metrics of a message, once its evidence is durable."""
        if arrival.evidence.metrics:
            # Packed at once: as objects eight thousand of them would take ten times as much.
            found = moments(arrival.evidence, arrival.at.utc)
            self._waiting.extend(kept(arrival.node, moment) for moment in found)

    async def store(self, now_utc: int) -> None:
        """Keeps what has arrived since, and tidies a little. Whatever fails is logged once, and evidence goes on."""
        run = asyncio.get_running_loop().run_in_executor
        try:
            for _ in range(COMMITS):
                if not self._waiting:
                    break
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                await run(self._thread, self._store.keep, batch)
            await run(self._thread, self._store.tidy, now_utc)
        except Exception as error:  # noqa: BLE001 - it would end the collector
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("metrics are lost: %s", error)
        else:
            self._trouble = ""
