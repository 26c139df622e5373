"""Two collectors, each with a store of its own, that follow each other over a virtual network with the real code."""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

from detak_agent.connection import ConnectionBrokenError, Reply
from detak_collector.board.pulse import Pulse
from detak_collector.channel.door import Door
from detak_collector.clocks import Reading
from detak_collector.copies import snapshot
from detak_collector.copies.restore import put_store
from detak_collector.figures import Figures
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.pair.client import CHANGES, RECORDS, WITHIN_S, Client, PeerError
from detak_collector.pair.endpoints import PairApi
from detak_collector.pair.follow import Following
from detak_collector.pair.messages import Ask, Wanted
from detak_collector.pair.numbers import SharedNumbers
from detak_collector.pair.promotion import promote
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.peers import Peer
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_wire.codec import decode, encode, inflate
from detak_wire.messages import Problem
from simulation.collector import NO_THREAD, SimulatedCollector, refusal
from simulation.machine import EPOCH_MS
from simulation.network import Network, VirtualLink
from simulation.world import VirtualLoop

NEWS_LEAST_S = 10.0
NEWS_MOST_S = 30.0
UNKEPT = "cannot be kept"
"""What a collector says of the other one where that is a fault of the code."""


class VirtualClient(Client):
    """What one collector asks the other one by, on the virtual network."""

    def __init__(self, url: str, key: str, authority: str | None, network: Network, loop: VirtualLoop) -> None:
        super().__init__(url, key, authority)
        self._link = VirtualLink(network, loop)

    async def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        assert (method, body is not None) == ("POST", True)
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._link.open()
                reply = await self._link.post(path, body or b"", {})
        except (ConnectionBrokenError, TimeoutError) as error:
            raise PeerError(f"{self.url}: {error}") from error
        return reply.status, reply.body


class PairedCollector(SimulatedCollector):
    """One of two. `follows` is what its file says, `rules` what its page is drawn by."""

    rules: Rules
    follows = False
    way: Network
    """From this one to the other."""
    promotions = 0
    back_ups = set_backs = 0
    _following: Following | None = None
    _api: PairApi | None = None

    def pair(self, other: "PairedCollector", way: Network, rules: Rules) -> None:
        """Before the first start."""
        self.way, self.rules = way, rules
        with closing(open_store(self.directory, Reading(EPOCH_MS, 0, "b007"))) as store:
            store.instance.read()
            peer = Peer(other.identity, f"http://{other.identity}:1", "secret")
            store.peers.put(peer, sha256(b"secret").digest(), EPOCH_MS)

    def kill(self) -> None:
        super().kill()
        self._following = self._api = None

    def figures(self, rules: Rules) -> Figures | None:
        store, following = self._store, self._following
        if store is None or following is None:
            return None
        records = Records(SharedNumbers(store.outages, lambda: following.role.leads), store.history)
        return Figures(store.evidence, store.derived, store.registry, lambda: rules, self.now, records)

    def promote(self) -> bool:
        """Let it lead; whether it did: it has to be there, and as yet to follow."""
        store, following = self._store, self._following
        if store is None or following is None or following.role.leads or self.disk.is_full:
            return False
        promote(store, "ani", "a drill", self.now().utc)
        self.promotions += 1
        return True

    def follow(self) -> None:
        """From now on its file says that it does."""
        self.follows = True

    def back_up(self) -> Path:
        """Copy its store as it is now."""
        self.back_ups += 1
        backup = self.directory / f"backup-{self.back_ups}.db"
        snapshot.take(self.directory / FILE_NAME, backup)
        return backup

    def set_back(self, backup: Path) -> None:
        """Go on from that copy, and lose what came since."""
        self.kill()
        put_store(backup, self.directory, self.now().utc)
        self.set_backs += 1
        self.start()

    def _more(self, store: Store, deadlines: Deadlines, pulse: Pulse) -> Iterable[Coroutine[None, None, None]]:
        loop = self.loop
        assert loop is not None
        following = self._following = Following(
            store, NO_THREAD, self.now, deadlines, pulse, self._follow, lambda: "the same",
            lambda *_, **__: None, lambda url, key, authority: VirtualClient(url, key, authority, self.way, loop),
        )  # fmt: skip
        self._api = PairApi(following, self.now, Door(self.now))
        return following.run(), self._draw(pulse, following)

    def _follow(self) -> str | None:
        return "http://the.other:1" if self.follows else None

    async def _draw(self, pulse: Pulse, following: Following) -> None:
        """The page is drawn whenever there is news, and who leads numbers outages by that."""
        figures, seen = self.figures(self.rules), -1
        assert figures is not None
        while True:
            await pulse.changed(seen, NEWS_MOST_S)
            seen = pulse.version
            with suppress(StoreError):
                await asyncio.to_thread(figures.board_now)
            if UNKEPT in following.trouble:
                self.world.failures.append(f"{self.identity}: {following.trouble}")
            await asyncio.sleep(NEWS_LEAST_S)

    async def _reply(self, path: str, body: bytes, headers: dict[str, str], at: Reading) -> Reply:
        if path not in {CHANGES, RECORDS}:
            return await super()._reply(path, body, headers, at)
        assert self._api is not None
        try:
            if path == CHANGES:
                return Reply(200, {}, encode(await self._api.answer(decode(inflate(body), Ask))))
            return Reply(200, {}, encode(await self._api.find(decode(inflate(body), Wanted))))
        except StoreError as error:
            return refusal(503, Problem("unavailable", str(error)))
