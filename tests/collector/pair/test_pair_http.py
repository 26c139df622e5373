"""The endpoints of a pair on a real socket: who may ask, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from detak_collector.board.pulse import Pulse
from detak_collector.channel.door import Door
from detak_collector.channel.enrol import digest
from detak_collector.clocks import system_clock
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.operating.logs import log_audit
from detak_collector.pair.client import CHANGES, PAIR, RECORDS, Client, PeerError
from detak_collector.pair.endpoints import PairApi
from detak_collector.pair.follow import Following
from detak_collector.pair.messages import PAIR_PROTOCOL, Ask, Marks, Pairing
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_wire.codec import decode, encode
from detak_wire.messages import Problem

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "0123456789abcdef"
ASK = Ask(PAIR_PROTOCOL, OTHER, leads=False, services="", marks=Marks(), runs_until=0)
PAIRING = Pairing(PAIR_PROTOCOL, TOKEN, OTHER, "http://127.0.0.1:1", "f" * 64)


@dataclass(frozen=True)
class Served:
    url: str
    store: SqliteStore

    async def refusal(self, path: str, body: bytes, key: str = "") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as session, session.post(self.url + path, data=body, headers=headers) as got:
            return got.status, decode(await got.read(), Problem).error

    async def paired(self) -> str:
        self.store.peers.issue(digest(TOKEN), 2**52)
        client = Client(self.url, "", None)
        try:
            return (await client.pair(PAIRING)).key
        finally:
            await client.close()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    clock = system_clock()
    with closing(open_store(folder, clock())) as store, ThreadPoolExecutor(1) as thread:
        following = Following(
            store, thread, clock, Deadlines(15_000, {}, 0), Pulse(), lambda: None, lambda: "",
            log_audit,
        )  # fmt: skip
        door = Door(clock, lambda: None)
        app = web.Application()
        app.add_routes(PairApi(following, clock, door).routes())
        runner = web.AppRunner(app, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Served(f"http://127.0.0.1:{runner.addresses[0][1]}", store)
        finally:
            await runner.cleanup()


def test_a_pairing_gives_each_side_a_key_and_works_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(tmp_path) as here:
            key = await here.paired()
            peer = here.store.peers.peer()
            assert peer is not None
            assert (peer.collector, peer.url, peer.secret) == (OTHER, PAIRING.url, PAIRING.key)
            client = Client(here.url, key, None)
            assert (await client.changes(ASK)).collector == here.store.collector
            with pytest.raises(PeerError, match="has been used already"):
                await client.pair(PAIRING)
            await client.close()

    asyncio.run(scenario())


def test_nobody_but_the_other_collector_may_ask(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(tmp_path) as here:
            key = await here.paired()
            for path in (CHANGES, RECORDS):
                assert await here.refusal(path, encode(ASK), "f" * 64) == (401, "unauthorized")
                assert await here.refusal(path, encode(ASK)) == (401, "unauthorized")
            here.store.peers.part()
            assert await here.refusal(CHANGES, encode(ASK), key) == (401, "unauthorized")

    asyncio.run(scenario())


def test_a_collector_is_no_pair_with_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(tmp_path) as here:
            itself = Pairing(PAIR_PROTOCOL, TOKEN, here.store.collector, "http://127.0.0.1:1", "f" * 64)
            assert await here.refusal(PAIR, encode(itself)) == (409, "itself")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "invalid"),
        (encode(ASK).replace(b'"leads"', b'"leeds"'), "invalid"),
        (encode(ASK).replace(b'"protocol":1', b'"protocol":2'), "protocol"),
        (b"[" * 100_000, "invalid"),
        (b'{"protocol":1,"collector":"\xff"}', "invalid"),
    ],
)
def test_what_is_not_described_is_refused(tmp_path: Path, body: bytes, problem: str) -> None:
    async def scenario() -> None:
        async with served(tmp_path) as here:
            assert await here.refusal(CHANGES, body, await here.paired()) == (400, problem)

    asyncio.run(scenario())
