"""A store with two nodes and a service on each, and the process that derives its boards, for tests to be hard on."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from detak_collector.deriving.life import Patience, is_running
from detak_collector.deriving.process import COMMAND, Boards, Writer
from detak_collector.downtime.catalogue import Catalogue, Dated, Service
from detak_collector.pair.numbers import SharedNumbers
from detak_collector.rules import Rules
from detak_collector.store.parts import Store
from detak_collector.store.place import StorePlace
from detak_wire.messages import Part
from downtime_cases import DAY, group, service
from evidence_builders import RUN, arrival, beat, opening, reading, span

NODES = ("n-1", "n-2")
WEB, MAIL = (service(group([f"{node}/web"]), name=name) for node, name in zip(NODES, ("web", "mail"), strict=True))
HURRY = Patience(idle_s=6.0, end_s=1.0)


def rules_for(*services: Service) -> Rules:
    return Rules(Catalogue(Dated.always("org"), "UTC", services))


class Stage:
    """What is derived from, at a moment that a test may move."""

    def __init__(self, place: StorePlace, store: Store, command: tuple[str, ...]) -> None:
        self.place = place
        self.store = store
        self.now = reading(4_000)
        self.rules = rules_for(WEB, MAIL)
        self.leads = True
        writer = Writer(store.derived, SharedNumbers(store.outages, lambda: self.leads))
        self.boards = Boards(place, writer, lambda: self.rules, lambda: self.now, HURRY, command)
        self._watch = store.watch.begin(reading(0))
        for node in NODES:
            store.registry.issue(node, node.encode(), reading(0).utc + DAY, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
            self.tell(node, Part(RUN, opening(), [span(1, "alive"), span(2, "web", closed=True)]))

    def tell(self, node: str, part: Part) -> None:
        """The node delivers it."""
        (receipt,) = self.store.evidence.commit([arrival(beat(part, sent=self.now.boottime, node=node))])
        assert not isinstance(receipt, Exception), receipt

    def fails(self, node: str) -> None:
        """Its check is down now, in one sample."""
        self.tell(node, Part(RUN, spans=[span(3, first=self.now.boottime - 500, state="down", closed=True)]))

    def passes(self, length_ms: int) -> None:
        """So much later."""
        self.now = reading(self.now.boottime + length_ms)
        self.store.watch.extend(self._watch, self.now)

    @property
    def pid(self) -> int:
        pid = self.boards.pid
        assert pid is not None
        return pid


@asynccontextmanager
async def staged(place: StorePlace, command: tuple[str, ...] = COMMAND) -> AsyncIterator[Stage]:
    with closing(place.open(reading(0))) as store:
        stage = Stage(place, store, command)
        try:
            yield stage
        finally:
            await stage.boards.close()


async def gone(pid: int, within_s: float = 20) -> bool:
    """Waits for its end; whether it came."""
    until = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < until:  # noqa: ASYNC110 - its end does not tell this process
        await asyncio.sleep(0.02)
    return not is_running(pid)


def stop(pid: int) -> None:
    """It does nothing any more, and is still there."""
    os.kill(pid, signal.SIGSTOP)
