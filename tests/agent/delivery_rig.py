"""One run with a real journal and couriers on loopback, as the tests of delivery share it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.agent_fakes import LoopClock, open_journal, opening, sample
from agent.collector_stand_in import StandIn
from detak_agent.config import CollectorSettings
from detak_agent.connection import Connection
from detak_agent.delivery import Courier, Station
from detak_agent.journal_thread import JournalThread
from detak_agent.keys import key_path, write_key
from detak_agent.run import Run
from detak_wire.messages import State

BEAT_MS = 100


class Rig:
    """One run with its journal, and couriers to it."""

    def __init__(
        self, directory: Path, *collectors: StandIn, run: str = "00000000000000d1", renew_days: int = 0
    ) -> None:
        self.clock = LoopClock()
        self.renew_days = renew_days
        self.journal = open_journal(directory, *(one.url for one in collectors))
        self.thread = JournalThread()
        self.run = Run(run, opening("db", "web", opened=self.clock.begin()))
        self.journal.begin_run(self.run.identity, self.run.opening, 0)
        self.lock = asyncio.Lock()
        self.wanted = asyncio.Event()
        self.station = Station(
            "node-1",
            directory,
            BEAT_MS,
            self.run,
            self.journal,
            self.thread,
            self.clock,
            lambda: 0.0,
            self.commit_soon,
        )
        self.couriers = [self.courier(one, directory) for one in collectors]
        self.tasks: list[asyncio.Future[None]] = []

    def courier(self, one: StandIn, directory: Path) -> Courier:
        settings = CollectorSettings(url=one.url, renew_days=self.renew_days)
        write_key(key_path(settings, directory), one.key)
        return Courier(self.station, settings, Connection(settings.url))

    def commit_soon(self) -> None:
        self.wanted.set()

    async def commit_for_ever(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            await self.commit(wakes=self.wanted.is_set())
            self.wanted.clear()

    async def commit(self, *, wakes: bool = True) -> None:
        async with self.lock:
            taken = self.run.take()
            losses = await self.thread.call(self.journal.commit, taken, 0)
            self.run.committed(taken)
            for loss in losses:
                self.run.lose(loss)
        for courier in self.couriers if wakes else []:
            courier.wake()

    async def see(self, state: State = "up", check: str = "db") -> None:
        now = self.clock.begin()
        self.run.add(sample(now, state, check))
        self.run.tick(now)
        await self.commit()
        await asyncio.sleep(0.002)

    def start(self) -> None:
        self.tasks = [asyncio.ensure_future(courier.deliver()) for courier in self.couriers]
        self.tasks.append(asyncio.ensure_future(self.commit_for_ever()))

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for courier in self.couriers:
            courier.close()
        await self.thread.call(self.journal.close)
        self.thread.end(5)


@asynccontextmanager
async def rig(directory: Path, *collectors: StandIn, renew_days: int = 0) -> AsyncIterator[Rig]:
    one = Rig(directory, *collectors, renew_days=renew_days)
    one.start()
    try:
        yield one
    finally:
        await one.end()


def holds(stand_in: StandIn, run: Run, records: int | None = None) -> bool:
    held = stand_in.runs.get(run.identity)
    if held is None or held.opening is None:
        return False
    wanted = set(range(1, (records or run.last_number) + 1))
    return wanted <= {*held.numbers(), *held.open}
