"""One thread that makes every call to the journal, in order, so that a slow disk never delays the loop."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from detak_agent.failures import JournalError

T = TypeVar("T")


class JournalThread:
    """Its thread is a daemon: a disk that never answers must not keep the process from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - handed on as they are
        """The function's result, once the journal's thread has come to it; it runs even if nobody waits any more."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if result.done():
                return
            if error is None:
                result.set_result(value)  # type: ignore[arg-type]
            else:
                result.set_exception(error)

        def work() -> None:
            value: T | None = None
            error: Exception | None = None
            try:
                value = function(*arguments)
            except sqlite3.Error as failure:
                error = JournalError(f"journal: cannot be used any more, so the agent ends: {failure}")
            except Exception as failure:  # noqa: BLE001 - it belongs to whoever asked
                error = failure
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, value, error)

        self._calls.put(work)
        return await result

    def end(self, within_s: float) -> None:
        """Finish what was asked for, unless the disk does not answer."""
        self._calls.put(None)
        self._thread.join(within_s)

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            work()
