"""Waiting with a limit. `asyncio.wait_for` of Python 3.11 and earlier may lose a cancellation, so it is not used."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; TimeoutError when it takes longer. It has ended either way, unless it refuses to."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_retrieve)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
    if task.cancelled() or not task.done():
        raise TimeoutError
    return task.result()


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Whoever was cancelled meanwhile does not ask for the error any more, and that is no error."""
    if not task.cancelled():
        task.exception()


async def woken_within(seconds: float, event: asyncio.Event) -> None:
    """Until the event is set or the time is over."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
