"""Tells a URL of the organisation's choice that this collector is well: who watches it notices when it is not.

The way of Healthchecks: a request says well, one to the same URL with /fail at its end that there are urgent alarms.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from detak_collector.operating.alarms import Alarm
from detak_collector.pair.ping_to import PingTo

WITHIN_S = 15.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ping:
    """Of one serving process. `to` is asked each time; `urgent` are the alarms that make it a failure."""

    to: Callable[[], PingTo | None]
    urgent: Callable[[], tuple[Alarm, ...]]
    trouble: str = field(default="", init=False)

    async def run(self) -> None:
        """Pings for ever; where nothing is configured it waits for a reload."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN_S)) as session:
            while True:
                to = self.to()
                if to is not None:
                    await self._ping(session, to.url)
                else:
                    self._note("")
                await asyncio.sleep(1.0 if to is None else to.every_ms / 1_000)

    async def _ping(self, session: aiohttp.ClientSession, url: str) -> None:
        urgent = self.urgent()
        said = "\n".join(one.text for one in urgent)
        try:
            async with session.post(
                url.rstrip("/") + ("/fail" if urgent else ""), data=said.encode(), allow_redirects=False
            ) as answer:
                self._note("" if answer.status < 300 else f"it answers with status {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._note("it does not answer in time" if isinstance(error, TimeoutError) else str(error))

    def _note(self, trouble: str) -> None:
        """Its URL may be a secret, and is not told."""
        if trouble and not self.trouble:
            _log.warning("the ping is not taken: %s", trouble)
        elif self.trouble and not trouble:
            _log.info("the ping is taken again")
        self.trouble = trouble
