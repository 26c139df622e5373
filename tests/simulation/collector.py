"""The real ingest, watch and store code as a process on a virtual clock: started, stopped, killed, paused."""

import asyncio
import math
import shutil
import sqlite3
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random

from detak_agent.connection import Reply
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.downtime.facts import Facts
from detak_collector.figures import Figures
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import RETRY_AFTER_S, Ingest, OverloadedError
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.rules import Rules
from detak_collector.store.base import Arrival, StoreError, StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME, SqliteStore, open_store
from detak_collector.watch import Watch
from detak_wire.codec import InvalidMessageError, decode, encode, inflate
from detak_wire.messages import Evidence, Problem
from simulation.agent import RESTART_MS, key_of
from simulation.machine import EPOCH_MS, CollectorClock
from simulation.network import Answering
from simulation.world import Disk, VirtualLoop, World, process

EVIDENCE = "/api/v1/evidence"

NO_THREAD = ThreadPoolExecutor(1)
"""Only ever handed to the virtual loop, which does the work itself: it never starts a thread."""


NODES = ("n", "m")
_KEYS = {f"Bearer {key_of(node)}": node for node in NODES}


def empty_store(directory: Path) -> Path:
    """A store with the nodes enrolled, to be copied: migrating takes longer than many a history."""
    now = Reading(EPOCH_MS, 0, "b007")
    store = open_store(directory, now)
    for node in NODES:
        store.registry.issue(node, f"token {node}".encode(), EPOCH_MS + 1, now)
        store.registry.redeem(f"token {node}".encode(), node, f"key {node}".encode(), now)
    store.close()
    path = directory / FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


class SimulatedCollector:
    """The collector on its own machine."""

    def __init__(
        self, identity: str, directory: Path, empty: Path, world: World, clock: CollectorClock, random: Random
    ) -> None:
        self.identity = identity
        self.world = world
        self.clock = clock
        self.disk = Disk(world, random)
        self.refusals: list[str] = []
        self.loop: VirtualLoop | None = None
        self.directory = directory
        self._boot = f"{random.getrandbits(128):032x}"
        self._store: SqliteStore | None = None
        self._ingest: Ingest | None = None
        directory.mkdir()
        shutil.copy(empty, directory / FILE_NAME)
        with closing(sqlite3.connect(directory / FILE_NAME)) as connection, connection:
            connection.execute("UPDATE collector SET identity = ?", (identity,))

    @property
    def listening(self) -> bool:
        return self._ingest is not None

    def now(self) -> Reading:
        """What its clocks say."""
        return Reading(math.floor(self.clock.utc()), math.floor(self.clock.boottime()), self._boot)

    def start(self) -> None:
        """A new process, unless one runs."""
        if self.loop is None:
            self.loop = process(self.world, self.disk)
            self.loop.before_disk = self._refuse_if_full
            self.loop.at(self.world.now, self._begin, self.loop)

    def kill(self) -> None:
        """SIGKILL: what the store committed is all that remains."""
        if self.loop is None:
            return
        loop, store = self.loop, self._store
        self.loop = self._store = self._ingest = None
        loop.kill()
        if store is not None:
            store.close()

    def pause(self, until: float) -> None:
        """SIGSTOP."""
        if self.loop is not None:
            self.loop.freeze(until)

    def receive(self, path: str, body: bytes, headers: dict[str, str], answer: Answering) -> None:
        """A request is there; it is taken when the process comes to it."""
        assert self.loop is not None
        loop = self.loop
        loop.at(self.world.now, lambda: loop.create_task(self._respond(path, body, headers, answer)))

    def figures(self, rules: Rules) -> Figures | None:
        """The figures as its page would show them now; None while it is not running."""
        if self._store is None:
            return None
        return Figures(self._store.evidence, self._store.derived, self._store.registry, lambda: rules, self.now)

    def facts(self) -> Facts:
        """All evidence that it holds; it must be running."""
        assert self._store is not None
        now = self.now()
        return self._store.evidence.facts(EPOCH_MS - 86_400_000, now.utc + 86_400_000, now)

    def _begin(self, loop: VirtualLoop) -> None:
        now = self.now()
        store = self._store = open_store(self.directory, now)
        deadlines, pulse = Deadlines(15_000, store.evidence.heard(now), now.boottime), Pulse()
        watch = Watch(store.watch, NO_THREAD, self.now)
        self._ingest = Ingest(
            store.evidence, NO_THREAD, store.collector, self.now, deadlines, pulse, watch.refused_liveness
        )
        for work in (self._ingest.run(), self._keep_watch(watch, deadlines), *self._more(store, deadlines, pulse)):
            loop.create_task(work).add_done_callback(self._ended)

    def _more(self, _store: Store, _deadlines: Deadlines, _pulse: Pulse) -> Iterable[Coroutine[None, None, None]]:
        """What else it does, while it runs."""
        return ()

    async def _keep_watch(self, watch: Watch, deadlines: Deadlines) -> None:
        async def after_tick(now: Reading) -> None:
            deadlines.fell_silent(now.boottime)

        await watch.begin()
        await watch.run(after_tick)

    def _refuse_if_full(self) -> None:
        if self.disk.is_full:
            raise StoreUnavailableError("database or disk is full")

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """The process ends; one that could not write its watch log is started again."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, StoreUnavailableError):
            self.world.at(self.world.now, self.kill)
            self.world.at(self.world.now + RESTART_MS, self.start)
        else:
            self.world.failures.append(f"the collector ended: {error!r}")

    async def _respond(self, path: str, body: bytes, headers: dict[str, str], answer: Answering) -> None:
        reply = await self._reply(path, body, headers, self.now())
        if reply.status not in {200, 503}:
            self.refusals.append(f"{reply.status} {reply.body.decode()}")
        answer(reply)

    async def _reply(self, path: str, body: bytes, headers: dict[str, str], at: Reading) -> Reply:
        """What the endpoint does with a request, without HTTP."""
        assert path == EVIDENCE
        ingest = self._ingest
        assert ingest is not None
        node = _KEYS[headers["Authorization"]]
        try:
            plain = inflate(body) if headers.get("Content-Encoding") == "gzip" else body
            async with ingest.turn(len(body)):
                taken = await ingest.take(Arrival(node, decode(plain, Evidence), at), len(body))
        except InvalidRecordError as error:
            run = error.run if error.number is not None else None
            return refusal(400, Problem("invalid", error.reason, error.path, run, error.number))
        except InvalidMessageError as error:
            return refusal(400, Problem("invalid", error.reason, error.path))
        except OverloadedError:
            return refusal(429, Problem("overloaded", "", retry_after_s=RETRY_AFTER_S))
        except StoreError as error:
            return refusal(503, Problem("unavailable", str(error), retry_after_s=RETRY_AFTER_S))
        return Reply(200, {}, encode(taken))


def refusal(status: int, problem: Problem) -> Reply:
    """The answer to what is not taken."""
    return Reply(status, {}, encode(problem))
