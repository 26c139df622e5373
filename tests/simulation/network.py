"""A way from an agent or a collector to a collector: it cuts, loses, doubles, delays and reorders what it carries."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Literal, Protocol

from detak_agent.connection import ConnectionBrokenError, Reply
from simulation.world import VirtualLoop, World

Trouble = Literal["cut-out", "cut-in", "loss", "lost-answers", "doubling", "delay"]
Answering = Callable[[Reply], None]

_LOSS = 0.4
_DOUBLING = 0.5
_LONGEST_DELAY_MS = 15_000.0


class Server(Protocol):
    """Whoever stands at the other end."""

    @property
    def listening(self) -> bool:
        """Whether a connection would be taken."""
        ...

    def receive(self, path: str, body: bytes, headers: dict[str, str], answer: Answering) -> None:
        """A request has arrived; `answer` is called at most once."""
        ...


class Network:
    """One path, and what troubles it now. `delivered` and `lost` count messages, for the account of a history."""

    def __init__(self, world: World, random: Random, server: Server) -> None:
        self.world = world
        self.server = server
        self.troubles: Counter[Trouble] = Counter()
        self.counts: Counter[str] = Counter()
        self._random = random

    def trouble(self, kind: Trouble, until: float) -> None:
        """Something is wrong from now until then."""
        self.troubles[kind] += 1
        self.world.at(until, lambda: self.troubles.subtract([kind]))

    def delay(self) -> float:
        """How long one message is under way."""
        usual = self._random.choice((0.2, 1.0, 5.0, self._random.uniform(0.1, 60.0)))
        if self.troubles["delay"] > 0 and self._random.random() < 0.5:
            return usual + self._random.uniform(0.0, _LONGEST_DELAY_MS)
        return usual

    def is_lost(self, way: Trouble) -> bool:
        """Whether what leaves now in this direction never arrives."""
        lost = self.troubles[way] > 0 or (self.troubles["loss"] > 0 and self._random.random() < _LOSS)
        self.counts["lost"] += lost
        return lost

    def is_doubled(self) -> bool:
        """Whether what leaves now arrives twice."""
        doubled = self.troubles["doubling"] > 0 and self._random.random() < _DOUBLING
        self.counts["doubled"] += doubled
        return doubled


class VirtualLink:
    """The end of whoever asks: a link as an agent's courier expects one."""

    def __init__(self, network: Network, loop: VirtualLoop) -> None:
        self._network = network
        self._loop = loop
        self._is_open = False

    async def open(self) -> None:
        network = self._network
        if self._is_open:
            return
        if network.is_lost("cut-out") or network.is_lost("cut-in"):
            await self._loop.create_future()
        await asyncio.sleep((network.delay() + network.delay()) / 1_000)
        if not network.server.listening:
            raise ConnectionBrokenError("cannot be reached: Connection refused")
        self._is_open = True

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        assert self._is_open, "open() comes first"
        answered: asyncio.Future[Reply] = self._loop.create_future()
        try:
            if not self._network.is_lost("cut-out"):
                for _ in range(1 + self._network.is_doubled()):
                    self._send(path, body, headers, answered)
            return await answered
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._is_open = False

    def _send(self, path: str, body: bytes, headers: dict[str, str], answered: "asyncio.Future[Reply]") -> None:
        network = self._network

        def arrive() -> None:
            if network.server.listening:
                network.counts["delivered"] += 1
                network.server.receive(path, body, headers, lambda reply: self._return(answered, reply))
            else:
                self._later(lambda: _fail(answered))

        network.world.at(network.world.now + network.delay(), arrive)

    def _return(self, answered: "asyncio.Future[Reply]", reply: Reply) -> None:
        network = self._network
        if not (network.is_lost("cut-in") or network.troubles["lost-answers"] > 0):
            self._later(lambda: _answer(answered, reply))

    def _later(self, event: Callable[[], None]) -> None:
        """When it is back at the process that asked, if that still lives."""
        if self._loop.alive:
            self._loop.at(self._network.world.now + self._network.delay(), event)


def _answer(answered: "asyncio.Future[Reply]", reply: Reply) -> None:
    if not answered.done():
        answered.set_result(reply)


def _fail(answered: "asyncio.Future[Reply]") -> None:
    if not answered.done():
        answered.set_exception(ConnectionBrokenError("the connection broke: Connection reset by peer"))
