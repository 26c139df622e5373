"""A collector's endpoints on a real socket, over a real store, in the test's own event loop."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from detak_collector.board.pulse import Pulse
from detak_collector.channel.enrol import Keyring, issue_token, redeem
from detak_collector.clocks import Clock, system_clock
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import Capacity, Ingest
from detak_collector.ingest.metrics import MetricsIntake
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.store.base import Arrival, Receipt, StoreError
from detak_collector.store.database import Database
from detak_collector.store.evidence import SqlEvidence
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.web.api import Api
from detak_collector.web.metrics import MetricsApi
from detak_wire import limits
from detak_wire.codec import decode, encode
from detak_wire.messages import Answer, Evidence, Problem
from evidence_builders import NODE


class HeldUpEvidence(SqlEvidence):
    """A store that can be held up before it commits, and told to fail."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failure: Exception | None = None
        self.poisoned: str | None = None
        self.batches: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def commit(self, arrivals: Sequence[Arrival]) -> list[Receipt | InvalidRecordError]:
        self.batches.append(len(arrivals))
        self.go.wait(30)
        if self.failure is not None:
            raise self.failure
        if any(arrival.node == self.poisoned for arrival in arrivals):
            raise StoreError("poisoned")
        return super().commit(arrivals)


@dataclass
class Running:
    """What a test talks to."""

    url: str
    session: aiohttp.ClientSession
    store: SqliteStore
    evidence: HeldUpEvidence
    ingest: Ingest
    pulse: Pulse
    keys: dict[str, str]
    refused_liveness: list[bool]
    ingesting: asyncio.Task[None]
    metrics: MetricsIntake

    async def post(
        self, body: bytes, key: str | None = None, path: str = "/api/v1/evidence", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {key if key is not None else self.keys[NODE]}"}
        async with self.session.post(self.url + path, data=body, headers=named) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def deliver(self, evidence: Evidence) -> Answer:
        status, body, _ = await self.post(encode(evidence), self.keys[evidence.node])
        assert status == 200, body
        return decode(body, Answer)

    async def refusal(self, body: bytes, key: str | None = None, **headers: str) -> tuple[int, Problem]:
        status, answer, _ = await self.post(body, key, **headers)
        return status, decode(answer, Problem)

    def rows(self, table: str) -> int:
        with closing(sqlite3.connect(self.store.path)) as connection:
            found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            return found


async def eventually(true: Callable[[], bool]) -> None:
    """Waits until it is."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for does not say when it is there
            await asyncio.sleep(0.005)


def enrolled(store: SqliteStore, node: str, clock: Clock) -> str:
    token = issue_token(store.registry, node, 60_000, clock())
    return redeem(store.registry, node, token, clock())[1]


@asynccontextmanager
async def running_collector(
    directory: Path, nodes: Sequence[str] = (NODE,), capacity: Capacity | None = None
) -> AsyncIterator[Running]:
    clock = system_clock()
    store = open_store(directory, clock())
    evidence = HeldUpEvidence(store.database)
    keys = {node: enrolled(store, node, clock) for node in nodes}
    refused: list[bool] = []
    thread = ThreadPoolExecutor(1)
    pulse = Pulse()
    deadlines = Deadlines(15_000, evidence.heard(clock()), clock().boottime)
    ingest = Ingest(
        evidence, thread, store.collector, clock, deadlines, pulse, lambda: refused.append(True), capacity or Capacity()
    )
    api = Api(ingest, store.registry, Keyring(store.registry), thread, clock, store.collector)
    metrics = MetricsIntake(store.metrics, thread)
    api.stored = metrics.take
    app = web.Application(client_max_size=limits.BODY_BYTES)
    app.add_routes([*api.routes(), *MetricsApi(store.metrics, clock).routes()])
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    ingesting = asyncio.create_task(ingest.run())
    try:
        async with aiohttp.ClientSession() as session:
            yield Running(url, session, store, evidence, ingest, pulse, keys, refused, ingesting, metrics)
    finally:
        evidence.go.set()
        await runner.cleanup()
        ingesting.cancel()
        await asyncio.gather(ingesting, return_exceptions=True)
        thread.shutdown()
        evidence.close()
        store.close()
