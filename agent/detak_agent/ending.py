"""Ends tasks for certain. It must not return while one of them goes on, whatever the task makes of being told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

_TELL_AGAIN_S = 0.1


async def end_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel them all and wait. One may miss that, in wait_for of Python 3.11 and older: then it is told again."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_TELL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
