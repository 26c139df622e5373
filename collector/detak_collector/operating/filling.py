"""The job that has closed months kept before anybody asks, in a process of its own: neither a page nor a beat waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from detak_collector.deriving.process import NotDerivedError

_log = logging.getLogger(__name__)


class FillingProcess(Protocol):
    """`Boards`, of which nothing else is asked here."""

    async def fill(self, *, only_look: bool = False) -> bool:
        """Takes a step, or only looks, and tells whether there may be another one; raises NotDerivedError."""
        ...

    async def close(self) -> None:
        """Lets the process go; it is started again by the next step."""
        ...


@dataclass(frozen=True, slots=True)
class FillingPace:
    """After a step it rests as long as that took, and `least_s`; when all is kept, `again_s`."""

    first_s: float = 60.0
    """After the start the page that people wait for comes first, which keeps the months of this year too."""
    least_s: float = 0.2
    again_s: float = 3_600.0


async def keep_filled(
    page: FillingProcess, process: FillingProcess, is_on_duty: Callable[[], bool], pace: FillingPace | None = None
) -> None:
    """For ever. Where collectors share a store, the one on duty does it.

    The page's process, which is there anyway, looks whether there is anything to do: another one takes 75 MiB.
    """
    settled = pace or FillingPace()
    await asyncio.sleep(settled.first_s)
    try:
        while True:
            if is_on_duty() and await _taken(page, only_look=True):
                await _filled(process, settled)
                await process.close()
            await asyncio.sleep(settled.again_s)
    finally:
        await process.close()


async def _filled(process: FillingProcess, pace: FillingPace) -> None:
    """Until there is nothing more to keep."""
    loop, more = asyncio.get_running_loop(), True
    while more:
        begun = loop.time()
        more = await _taken(process)
        await asyncio.sleep(max(pace.least_s, loop.time() - begun))


async def _taken(process: FillingProcess, *, only_look: bool = False) -> bool:
    """A step; False too where the process was lost, which has told why: another one goes on next time."""
    try:
        return await process.fill(only_look=only_look)
    except NotDerivedError:
        return False
    except Exception as error:  # noqa: BLE001 - what is merely kept ahead must not end the collector
        _log.warning("closed months are derived when asked for, not before: %s: %s", type(error).__name__, error)
        return False
