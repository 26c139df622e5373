"""The job that chains what was recorded: beside ingest, in small steps, and never for long at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from detak_collector.clocks import Clock
from detak_collector.ledger.chain import MOST_RECORDS
from detak_collector.store.ledger import SqlLedger

LEISURE = 20
"""A store with years that were never chained is gone through in a twentieth of the time: it takes turns with beats."""


async def chain_due(ledger: SqlLedger, clock: Clock, is_on_duty: Callable[[], bool]) -> None:
    """Chains what is due, until nothing is. Raises StoreError."""
    while is_on_duty():
        begun = time.monotonic()
        block = await asyncio.to_thread(lambda: ledger.append(clock().utc, only_due=True))
        if block is None or block.records < MOST_RECORDS:
            return
        await asyncio.sleep(LEISURE * (time.monotonic() - begun))
