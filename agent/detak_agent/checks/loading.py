"""Clients of checks that need a library: loaded with the first sample, in a thread, and only where configured.

Importing a driver takes up to half a second and megabytes of memory: no tick may wait for it, and a node without such a
check is spared it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.threads import Lane


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
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        if self._client is not None:
            return await self._client.sample(deadline_ms)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            self._client = await self._lane.run(self._load, deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError("the check's client is still being loaded; the next sample will measure") from None
        except ImportError as error:
            raise CouldNotCheckError(self._missing(error)) from None
        left_ms = deadline_ms - int((loop.time() - begin) * 1_000)
        if left_ms * 2 < deadline_ms:
            raise CouldNotCheckError("loading the check's client took too long; the next sample will measure")
        return await self._client.sample(left_ms)

    def _missing(self, error: ImportError) -> str:
        how = f": install detak-agent[{self._extra}]" if self._extra else ""
        return f"the library {error.name or error} that this kind needs is not installed{how}"
