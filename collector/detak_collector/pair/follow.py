"""Follows the other collector for ever: asks what is new, keeps it, and fetches the evidence that is lacking here.

Evidence goes the way of the agents' own, so that nothing of it is special; what may still be on its way from the
agents is left to them for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Clock
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.operating.events import Audit
from detak_collector.pair.alarms import Standing
from detak_collector.pair.client import Client, PeerError
from detak_collector.pair.entry import PROMOTION
from detak_collector.pair.fetching import MOST_ROUNDS, Fetching
from detak_collector.pair.files import FetchingFiles
from detak_collector.pair.messages import PAIR_PROTOCOL, Answered, Ask
from detak_collector.pair.role import Role, role_of
from detak_collector.pair.trust import UntrustedError, learned
from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.instance import epoch_of
from detak_collector.store.learning import learn, mark_records
from detak_collector.store.parts import Store
from detak_collector.store.peers import Peer
from detak_collector.store.telling import stale_runs

FOLLOW_S = 2.0
SETTLED_MS = 10_000
"""What an agent sends to both has come to both by then."""
DIFFERING_MS = 60_000
"""A version of the catalogue that one has recorded is with the other one long before."""
TRUST_EVERY_MS = 3_600_000

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Following:
    """Of one serving process, used in its event loop only; `thread` is the store's only writer.

    `follow` is what collector.toml says now, `services` a digest of the catalogue in force. `connect` is given the
    other one's URL, the key to show it and what proves it.
    """

    store: Store
    thread: ThreadPoolExecutor
    clock: Clock
    deadlines: Deadlines
    pulse: Pulse
    follow: Callable[[], str | None]
    services: Callable[[], str]
    audit: Audit
    connect: Callable[[str, str, str | None], Client] = Client
    role: Role = field(init=False)
    trouble: str = field(default="", init=False)
    _peer: Peer | None = field(default=None, init=False)
    _client: Client | None = field(default=None, init=False)
    _fetching: Fetching = field(init=False)
    _files: FetchingFiles = field(init=False)
    _heard: int = field(init=False)
    _agreed: int = field(init=False)
    _trusted: int = field(default=0, init=False)
    _changes: deque[tuple[int, int]] = field(default_factory=deque, init=False)
    _epoch: int = field(default=-1, init=False)

    def __post_init__(self) -> None:
        self.role = self._role()
        self._heard = self._agreed = self.clock().boottime
        self._peer = self.store.peers.peer()
        self._fetching = Fetching(self.store, self.thread, self.clock, self.pulse)
        self._files = FetchingFiles(self.store, self.thread, self.clock)

    def asked(self) -> None:
        """The other collector has asked this one: it is there, whether or not it can be reached."""
        self._heard = self.clock().boottime

    def standing(self) -> Standing | None:
        """How both stand; None where there is one collector only."""
        peer = self._peer
        if peer is None:
            return Standing(self.role, is_paired=False, silent_ms=0) if self.follow() is not None else None
        told = peer.told
        differing = told is not None and bool(told.services) and told.services != self.services()
        self._agreed = self._agreed if differing else self.clock().boottime
        return Standing(
            self.role,
            is_paired=True,
            silent_ms=self.clock().boottime - self._heard,
            other_leads=None if told is None else told.leads,
            same_services=self.clock().boottime - self._agreed < DIFFERING_MS,
        )

    async def run(self) -> None:
        """Looks for ever; raises StoreBrokenError when the store cannot be relied on any more."""
        try:
            await asyncio.gather(self._every(self._take_role), self._every(self._look))
        finally:
            if self._client is not None:
                await self._client.close()

    async def _every(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()
            await asyncio.sleep(FOLLOW_S)

    async def _look(self) -> None:
        try:
            before, self._peer = self._peer, await asyncio.to_thread(self.store.peers.peer)
            if before is None and self._peer is not None:
                # From now on it is waited for, and not from when this one was started.
                self.asked()
            if self._peer is not None and self.store.duty.is_mine:
                await self._follow(self._peer)
            elif self._peer is not None and (before is None or before.told_utc != self._peer.told_utc):
                # Whichever of those that share this store has the duty has heard it.
                self.asked()
        except StoreBrokenError:
            raise
        except (PeerError, UntrustedError, StoreError) as error:
            self._note(str(error))
        except Exception as error:  # noqa: BLE001 - what the other one says must not end this one
            self._note(f"what it told cannot be kept: {type(error).__name__}: {error}")
        else:
            self._note("")

    async def _take_role(self) -> None:
        """While the store cannot be read it stays as it is."""
        before = self.role
        with suppress(StoreUnavailableError):
            self.role = await asyncio.to_thread(self._role)
        if before is not self.role:
            self.audit("role", f"this collector {_ROLES[self.role]} from now on", role=self.role.value)
            self.pulse.beat()

    def _role(self) -> Role:
        promotions = self.store.entries.of(PROMOTION)
        return role_of(self.store.collector, promotions, follows=self.follow() is not None)

    def _url(self, peer: Peer) -> str:
        return (self.follow() or peer.url).rstrip("/")

    async def _follow(self, peer: Peer) -> None:
        client = await self._reached(peer)
        for _ in range(MOST_ROUNDS):
            ask, own_epoch = await asyncio.to_thread(self._ask, peer)
            told = await client.changes(ask)
            if told.collector != peer.collector:
                raise PeerError(f"{client.url}: is another collector than the one that this one is paired with")
            self._heard = self.clock().boottime
            await self._keep(told, own_epoch)
            await self._fetching.fetch(client, told)
            await self._call(partial(self._mark, told, own_epoch))
            known = await asyncio.to_thread(self.store.peers.peer)
            peer = peer if known is None else known
            if not told.more:
                break
        await self._files.fetch(client)
        await self._keep_trusting(client)

    async def _reached(self, peer: Peer) -> Client:
        url = self._url(peer)
        if self._client is None or (self._client.url, self._client.authority) != (url, peer.authority):
            if self._client is not None:
                await self._client.close()
            self._client = self.connect(url, peer.secret, peer.authority)
        return self._client

    async def _keep_trusting(self, client: Client) -> None:
        now = self.clock().boottime
        if client.authority is None or (self._trusted and now - self._trusted < TRUST_EVERY_MS):
            return
        self._trusted = now
        told = await client.announced()
        news = None if told is None else learned(told, client.authority)
        if news is not None:
            await asyncio.to_thread(self.store.peers.trust, news)

    def _ask(self, peer: Peer) -> tuple[Ask, int]:
        now = self.clock()
        with self.store.database.reading() as connection:
            own_epoch = epoch_of(connection)
            stale = stale_runs(connection, now)
        marks = peer.marks if peer.marks.own_epoch == own_epoch else type(peer.marks)(own_epoch=own_epoch)
        settled = max((change for at, change in self._changes if now.boottime - at >= SETTLED_MS), default=0)
        ask = Ask(PAIR_PROTOCOL, self.store.collector, self.role.leads, self.services(), marks, settled, stale)
        return ask, own_epoch

    async def _keep(self, told: Answered, own_epoch: int) -> None:
        now = self.clock()
        if told.epoch != self._epoch:
            self._changes.clear()
            self._epoch = told.epoch
        self._changes.append((now.boottime, told.last_change))
        while len(self._changes) > 1 and now.boottime - self._changes[1][0] >= SETTLED_MS:
            self._changes.popleft()
        taken = await self._call(partial(self._learn, told, own_epoch))
        heard = {node: now.boottime - max(0, told.now_utc - at) for node, at in told.hears.items()}
        if self.deadlines.heard_elsewhere(heard) or taken:
            self.pulse.beat()

    def _learn(self, told: Answered, own_epoch: int) -> bool:
        with self.store.database.writing() as connection:
            news = learn(connection, told, own_epoch, leads=self.role.leads)
        for number in news.clashes:
            self.audit(
                "number-clash",
                f"outage {number} is another outage at the other collector: both gave the number while neither heard "
                "the other; the one that leads keeps it",
                logging.WARNING,
                outage=number,
            )
        return news.entries + news.outages > 0

    def _mark(self, told: Answered, own_epoch: int) -> None:
        with self.store.database.writing() as connection:
            mark_records(connection, told, own_epoch)

    async def _call(self, work: Callable[[], T]) -> T:
        """What only the store's thread may do."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            _log.warning("the other collector is not followed: %s", trouble)
        elif self.trouble and not trouble:
            _log.info("the other collector is followed again")
        self.trouble = trouble


_ROLES = {
    Role.LEADS: "leads",
    Role.FOLLOWS: "follows the other one",
    Role.SUPERSEDED: "leads no more, since the other one was promoted,",
}
