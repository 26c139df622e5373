"""A collector's key while it is used: which one to send, when a new one is due, and how that takes its place.

A crash at any point leaves a key that works: the collector keeps the old one until the new one is first used, and
here the old one stays beside the new one, for a collector that was restored from a backup and knows no other.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path
from typing import Protocol

from detak_agent.clocks import Clock
from detak_agent.config import CollectorSettings
from detak_agent.connection import ConnectionBrokenError, Reply, problem_of
from detak_agent.failures import CouldNotError
from detak_agent.keys import is_handed_over, key_path, previous_path, read_key, write_key
from detak_agent.timing import within
from detak_wire import PROTOCOL_VERSION
from detak_wire.codec import InvalidMessageError, decode, encode
from detak_wire.messages import Enrolled, KeyRenewal

_log = logging.getLogger("detak_agent")

DAY_MS = 86_400_000
SPREAD = 0.1
"""The share of the time by which nodes come earlier, each by its own, so that not all of them come at once."""

_LOOKS_EVERY_MS = 3_600_000
_DEADLINE_S = 10.0


class Link(Protocol):
    """An open way to the collector, as the couriers have it."""

    async def open(self) -> None: ...

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply: ...


class HeldKey:
    """One node's key with one collector."""

    def __init__(self, collector: CollectorSettings, state_directory: Path, node: str) -> None:
        self._collector = collector
        self._state_directory = state_directory
        self._node = node
        self._current: str | None = None
        self._falls_back = False
        self._looks_again = 0
        self._trouble = ""

    def read(self) -> str | None:
        """The key to send, read anew each time; None where this node is not enrolled. Raises CouldNotError."""
        path = self._path
        current = read_key(path)
        if current != self._current:
            self._current, self._falls_back = current, False
        return (read_key(previous_path(path)) or current) if self._falls_back else current

    def refused(self) -> bool:
        """The collector does not know the key: whether there is another one to try."""
        previous = None if self._falls_back or is_handed_over(self._collector) else read_key(previous_path(self._path))
        self._falls_back = previous is not None and previous != self._current
        if self._falls_back:
            self._looks_again = 0
        return self._falls_back

    async def another(self, most_ms: int, look_every_ms: int) -> None:
        """Until somebody puts another key in place, as by enrolling this node again, or the time is over."""
        left_ms = most_ms
        while left_ms > 0 and not self._is_another():
            pause_ms = min(left_ms, look_every_ms)
            await asyncio.sleep(pause_ms / 1_000)
            left_ms -= pause_ms

    async def renew_if_due(self, link: Link, clock: Clock) -> None:
        """Looks once an hour, so that no failure is repeated sooner. Whatever goes wrong, the old key works on."""
        if clock.begin() < self._looks_again:
            return
        self._looks_again = clock.begin() + _LOOKS_EVERY_MS
        if not (self._falls_back or is_due(self._collector, self._state_directory, self._node, clock.utc())):
            return
        try:
            await self.renew(link)
        except CouldNotError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("%s", error)
        else:
            self._trouble = ""
            _log.info("collector %s: this node has a new key", self._collector.url)

    def _is_another(self) -> bool:
        try:
            return read_key(self._path) != self._current
        except CouldNotError:
            return False

    async def renew(self, link: Link) -> None:
        """Ask for a new key and put it in the old one's place. Raises CouldNotError; the old one works on then."""
        url = self._collector.url
        if is_handed_over(self._collector):
            name = self._collector.key_file
            raise CouldNotError(f"{url}: key_file {name} is a systemd credential, which only a new enrolment replaces")
        path, key = self._path, self.read()
        if key is None:
            raise CouldNotError(f"{url}: this node is not enrolled there: run detak-agent enroll")
        try:
            reply = await within(_DEADLINE_S, _ask(link, self._node, key))
        except ConnectionBrokenError as error:
            raise CouldNotError(f"{url}: {error}") from error
        except TimeoutError as error:
            raise CouldNotError(f"{url}: no answer within {_DEADLINE_S:.0f} s") from error
        fresh = _fresh(url, reply)
        write_key(previous_path(path), key, self._state_directory)
        write_key(path, fresh, self._state_directory)

    @property
    def _path(self) -> Path:
        return key_path(self._collector, self._state_directory)


def is_due(collector: CollectorSettings, state_directory: Path, node: str, now_utc: int) -> bool:
    """Whether the key is so old that it should be renewed; one that systemd handed over never is."""
    if collector.renew_days == 0 or is_handed_over(collector):
        return False
    issued = issued_utc(key_path(collector, state_directory))
    if issued is None:
        return False
    age_ms = now_utc - issued
    # A key from the future was written by a clock that was wrong: nobody knows how old it is.
    return age_ms >= lifetime_ms(collector, node) or age_ms < -DAY_MS


def lifetime_ms(collector: CollectorSettings, node: str) -> int:
    """How old this node's key gets with this collector; the same whenever it is asked."""
    drawn = hashlib.sha256(f"{node} {collector.url}".encode()).digest()
    share = int.from_bytes(drawn[:4], "big") / 2**32
    return int(collector.renew_days * DAY_MS * (1 - SPREAD * share))


def issued_utc(path: Path) -> int | None:
    """When the key was put in place, by this node's clock."""
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None


async def _ask(link: Link, node: str, key: str) -> Reply:
    body = encode(KeyRenewal(PROTOCOL_VERSION, node))
    await link.open()
    return await link.post(
        "/api/v1/renew", body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    )


def _fresh(url: str, reply: Reply) -> str:
    if reply.status in {404, 405}:
        raise CouldNotError(f"{url}: this collector is too old to renew keys; the key stays as it is")
    if reply.status != 200:
        raise CouldNotError(f"{url}: the collector does not renew the key: {problem_of(reply).detail}")
    try:
        return decode(reply.body, Enrolled).key
    except InvalidMessageError as error:
        raise CouldNotError(f"{url}: this is not a collector's answer: {error}") from error
