"""Clients of checks that need a library: loaded before the first sample, in a thread, and only where configured.

Importing a driver takes up to half a second of a processor and megabytes of memory: no tick may wait for it, the kinds
wait for one another, and a node without such a check is spared it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.threads import in_thread
from detak_agent.memory import keep_what_is_there

LONGEST_TURN_S = 1.0
"""After so long a kind that still loads, from a dead disk perhaps, lets the next one begin."""

_NOT_YET = "the check's client is still being loaded; the next sample will measure"


class Client(Protocol):
    """What measures, once it is loaded."""

    async def sample(self, deadline_ms: int) -> Outcome:
        """One measurement, as Probe has it."""
        ...


C = TypeVar("C", bound=Client)


class LoadedProbe(Generic[C]):
    """A probe whose client `load` imports and makes; `extra` is what the agent must be installed with for it."""

    def __init__(self, load: Callable[[], C], extra: str = "") -> None:
        self._load = load
        self._extra = extra
        self._client: C | None = None
        self._loading: asyncio.Future[C] | None = None

    async def load(self, deadline_ms: int) -> None:
        """Have the client, as a sample would, if that is possible within the time; raises CouldNotCheckError."""
        await self._loaded(deadline_ms)

    async def sample(self, deadline_ms: int) -> Outcome:
        if self._client is not None:
            return await self._client.sample(deadline_ms)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        client = await self._loaded(deadline_ms)
        left_ms = deadline_ms - int((loop.time() - begin) * 1_000)
        if left_ms * 2 < deadline_ms:
            raise CouldNotCheckError("loading the check's client took too long; the next sample will measure")
        return await client.sample(left_ms)

    async def _loaded(self, deadline_ms: int) -> C:
        if self._client is None:
            loading = self._loading = self._loading or in_thread(self._load)
            try:
                self._client = await asyncio.wait_for(asyncio.shield(loading), patience_s(deadline_ms))
            except asyncio.TimeoutError:
                raise CouldNotCheckError(_NOT_YET) from None
            except ImportError as error:
                raise CouldNotCheckError(self._missing(error)) from None
            finally:
                if loading.done():
                    self._loading = None
        return self._client

    def _missing(self, error: ImportError) -> str:
        how = f": install detak-agent[{self._extra}]" if self._extra else ""
        return f"the library {error.name or error} that this kind needs is not installed{how}"


class Turns:
    """The kinds are loaded one after another: together, their imports would keep the loop from the interpreter.

    After each the loop has as much time for itself. Further clients of a loaded kind import nothing, and do not wait.
    """

    def __init__(self, longest_s: float = LONGEST_TURN_S) -> None:
        self._longest_s = longest_s
        self._free = asyncio.Lock()
        self._begun: set[str] = set()

    async def take(self, kind: str, load: Callable[[], Awaitable[None]]) -> None:
        """Await `load`, in this kind's turn if it is the first of it; returns or raises as it does."""
        loading: asyncio.Future[None] | None = None
        try:
            async with self._free:
                loading = asyncio.ensure_future(load())
                if kind not in self._begun:
                    self._begun.add(kind)
                    await self._turn(loading)
            # Awaited itself, it could keep a cancellation to itself: wait_for does so in Python 3.11 and older.
            await asyncio.wait({loading})
        finally:
            if loading is not None:
                loading.cancel()
        loading.result()

    async def _turn(self, loading: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        begin, modules = loop.time(), len(sys.modules)
        await asyncio.wait({loading}, timeout=self._longest_s)
        if len(sys.modules) > modules:
            keep_what_is_there()
        if loading.done():
            await asyncio.sleep(loop.time() - begin)
