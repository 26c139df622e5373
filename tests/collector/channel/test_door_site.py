"""Who stands at the threshold, before TLS is agreed on: a stranger like others, and gone from the count when he is."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from detak_collector.channel import door, door_site
from detak_collector.channel.authority import issue, new_authority
from detak_collector.channel.door import Door
from detak_collector.channel.door_site import DoorSite
from detak_collector.channel.tls import Pair
from detak_collector.operating.counters import refusals
from evidence_builders import reading

pytestmark = pytest.mark.asyncio

MOST = 5
NOW_UTC = 1_790_000_000_000


@asynccontextmanager
async def site(*, tls: bool = True) -> AsyncIterator[tuple[Door, int]]:
    issued = issue(new_authority("Test", NOW_UTC), ("localhost",), NOW_UTC)
    context = Pair(issued.chain, issued.key).context()
    one = Door(lambda: reading(0), lambda: context if tls else None)
    app = web.Application(middlewares=[one.attend])
    app.router.add_get("/", _said)
    app.router.add_get("/much", _said_much)
    app.router.add_post("/", _heard)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await DoorSite(runner, one, "127.0.0.1", 0, 100).start()
        yield one, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _said(_: web.Request) -> web.Response:
    return web.Response(text="here")


async def _heard(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _said_much(_: web.Request) -> web.Response:
    return web.Response(body=bytes(30_000_000))


async def silent(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def settled() -> None:
    await asyncio.sleep(0.1)


async def test_who_says_nothing_counts_as_a_stranger_until_he_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "STRANGER_CONNECTIONS", MOST)
    async with site() as (one, port):
        ends = [await silent(port) for _ in range(MOST)]
        await settled()
        assert one.connections.total() == MOST
        before = refusals.counts.get("connections", 0)
        reader, writer = await silent(port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        assert refusals.counts["connections"] == before + 1
        writer.close()
        for _, end in ends:
            end.close()
        await settled()
        assert not one.connections
        assert b"here" in await asked(port)


async def test_whoever_does_not_agree_in_time_is_let_go_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_site, "HANDSHAKE_S", 0.2)
    async with site() as (one, port):
        before = refusals.counts.get("tls", 0)
        reader, writer = await silent(port)
        async with asyncio.timeout(30):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        await settled()
        assert refusals.counts["tls"] == before + 1
        assert not one.connections
        writer.close()


async def test_who_has_agreed_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "STRANGER_CONNECTIONS", 1)
    async with site() as (one, port):
        for _ in range(3):
            assert b"here" in await asked(port)
            await settled()
        assert not one.connections


async def test_who_is_still_at_the_threshold_does_not_hold_up_the_end() -> None:
    async with site() as (_, port):
        _, writer = await silent(port)
        await settled()
    writer.close()


@pytest.mark.parametrize("tls", [True, False])
async def test_an_answer_that_nobody_takes_is_not_kept_for_ever(tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TAKE_S", 0.5)
    monkeypatch.setattr(door, "SWEEP_S", 0.1)
    async with site(tls=tls) as (one, port):
        before = refusals.counts.get("untaken", 0)
        sweeping = asyncio.create_task(one.run())
        context = ssl._create_unverified_context() if tls else None
        # One who takes it slowly is served; the other reads nothing beyond what his reader holds.
        slow, slow_end = await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=1_000_000)
        _, stuck_end = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        for end in (slow_end, stuck_end):
            end.write(b"GET /much HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = 0
        async with asyncio.timeout(60):
            while more := await slow.read(1_000_000):
                got += len(more)
                await asyncio.sleep(0.03)
            while one.visitors:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.05)
        assert got > 30_000_000
        assert refusals.counts["untaken"] == before + 1
        assert not one.connections
        sweeping.cancel()
        for end in (slow_end, stuck_end):
            end.transport.abort()


async def asked(port: int) -> bytes:
    context = ssl._create_unverified_context()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    said = await reader.read()
    writer.close()
    return said


async def test_who_leaves_in_the_middle_of_a_message_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with site(tls=False) as (one, port):
        _, writer = await silent(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nand then")
        await settled()
        assert one.connections.total() == 1
        writer.transport.abort()
        await settled()
        assert not one.connections
    assert [entry for entry in caplog.records if entry.levelno >= logging.WARNING] == []
