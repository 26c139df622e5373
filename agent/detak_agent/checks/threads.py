"""Blocking work in daemon threads: a call that hangs holds up neither loop nor exit, and no other call.

An executor would not do: its threads are few, so that hung ones starve the others, and are joined at exit. Here a call
takes a thread that is idle or a new one; beginning a thread for each costs twice as much as reading a file in /proc.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.deadlines import patience_s

T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Start `function` in a daemon thread; the future has its result or its exception."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    # Of a call that is given up nobody takes the error that it may end with.
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def settle(result: Callable[[], None]) -> None:
        # The loop may be closed by the time a thread that hung comes back; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if future.done() else result())

    def work() -> None:
        try:
            value = function()
        except Exception as raised:  # noqa: BLE001 - handed on to whoever awaits the future
            error = raised
            settle(lambda: future.set_exception(error))
        else:
            settle(lambda: future.set_result(value))

    _start(work)
    return future


_MOST_IDLE = 4
_Calls: TypeAlias = "queue.SimpleQueue[Callable[[], None]]"
_idle: list[_Calls] = []


def _start(work: Callable[[], None]) -> None:
    """By a thread that has nothing to do, or by a new one."""
    try:
        calls = _idle.pop()
    except IndexError:
        calls = queue.SimpleQueue()
        threading.Thread(target=_work_off, args=(calls,), name="detak-check", daemon=True).start()
    calls.put(work)


def _work_off(calls: _Calls) -> None:
    """One call after another, until enough threads are idle without this one."""
    while True:
        calls.get()()
        if len(_idle) >= _MOST_IDLE:
            return
        _idle.append(calls)


class Lane:
    """Runs one blocking function at a time, so that a hung one never gathers a crowd behind it."""

    def __init__(self) -> None:
        self._idle: Callable[[], bool] = lambda: True

    async def run(self, function: Callable[[], T], deadline_ms: int) -> T:
        """What `function` returns; asyncio.TimeoutError past the deadline, CouldNotCheckError while it still hangs."""
        if not self._idle():
            raise CouldNotCheckError("an earlier sample of this check still hangs")
        future = in_thread(function)
        self._idle = future.done
        return await asyncio.wait_for(asyncio.shield(future), patience_s(deadline_ms))
