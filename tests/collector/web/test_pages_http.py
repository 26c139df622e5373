"""The pages over HTTP: a real server on loopback, a real client."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from browser.fabricated import broken, healthy
from browser.page_server import QUICK, FabricatedSource
from detak_collector.board.pulse import Pulse
from detak_collector.web.pages import Pace, add_pages

Client = aiohttp.ClientSession
pytestmark = pytest.mark.asyncio


class Site:
    """Running pages with the fakes behind them."""

    def __init__(self) -> None:
        self.source = FabricatedSource(healthy())
        self.pulse = Pulse()
        self.runner: web.AppRunner
        self.url = ""


@asynccontextmanager
async def site(pace: Pace = QUICK) -> AsyncIterator[tuple[Site, Client]]:
    running = Site()
    app = web.Application()
    add_pages(app, running.source, running.pulse, pace)
    running.runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await running.runner.setup()
    await web.TCPSite(running.runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{running.runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(running.url, auto_decompress=False) as client:
            yield running, client
    finally:
        await running.runner.cleanup()


async def next_event(stream: aiohttp.ClientResponse) -> dict[str, object]:
    async with asyncio.timeout(10):
        async for line in stream.content:
            if line.startswith(b"data: "):
                told: dict[str, object] = json.loads(line.removeprefix(b"data: "))
                return told
    raise AssertionError("the stream ended")


async def test_every_answer_is_guarded() -> None:
    async with site() as (_, client):
        for path in ("/", "/status/fragment", "/static/nothing.css", "/nowhere"):
            answer = await client.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_an_unchanged_fragment_is_not_sent_again() -> None:
    async with site() as (running, client):
        first = await client.get("/status/fragment")
        again = await client.get("/status/fragment", headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status, again.status) == (200, 304)
        assert await again.read() == b""
        running.source.current = broken()
        await asyncio.sleep(QUICK.least_s)
        changed = await client.get("/status/fragment", headers={"If-None-Match": first.headers["ETag"]})
        assert changed.status == 200


async def test_pages_are_packed_for_who_takes_it() -> None:
    async with site() as (_, client):
        packed = await client.get("/", headers={"Accept-Encoding": "br, gzip;q=0.8"})
        plain = await client.get("/", headers={"Accept-Encoding": "gzip;q=0, identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert b"<h1>" in gzip.decompress(await packed.read())
        assert b"<h1>" in await plain.read()


async def test_static_files_are_kept_for_ever_and_known_only_by_their_full_names() -> None:
    async with site() as (_, client):
        text = (await (await client.get("/", headers={"Accept-Encoding": "identity"})).read()).decode()
        names = {piece.split('"')[0] for piece in text.split('"static/')[1:]}
        assert {name.split(".")[-1] for name in names} == {"css", "js", "svg"}
        for name in names:
            answer = await client.get(f"/static/{name}")
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
        for name in ("detak.css", "..%2Frender.py", "detak.0000000000000000.css"):
            assert (await client.get(f"/static/{name}")).status == 404


async def test_a_watcher_is_told_at_once_when_something_changed() -> None:
    async with site(Pace(least_s=0.05, most_s=60, heartbeat_s=60)) as (running, client):
        async with client.get("/live") as stream:
            assert stream.content_type == "text/event-stream"
            first = await next_event(stream)
            running.source.current = broken()
            running.pulse.beat()
            version = first["version"]
            while version == first["version"]:
                version = (await next_event(stream))["version"]
        fragment = await client.get("/status/fragment", headers={"If-None-Match": f'W/"{version}"'})
        assert fragment.status == 304


async def test_a_watcher_is_told_too_of_what_changed_just_after_the_page_was_drawn() -> None:
    async with site(Pace(least_s=1, most_s=60, heartbeat_s=60)) as (running, client):
        await client.get("/")
        running.source.current = broken()
        running.pulse.beat()
        async with client.get("/live") as stream:
            first = await next_event(stream)
            assert (await next_event(stream))["version"] != first["version"]


async def test_who_asks_again_sees_a_change_at_once_where_the_page_is_cheap() -> None:
    async with site(Pace(least_s=30, soonest_s=0, leisure=0.1, most_s=60)) as (running, client):
        first = await client.get("/status/fragment")
        running.source.current = broken()
        unchanged = await client.get("/status/fragment", headers={"If-None-Match": first.headers["ETag"]})
        running.pulse.beat()
        changed = await client.get("/status/fragment", headers={"If-None-Match": first.headers["ETag"]})
        assert (unchanged.status, changed.status) == (304, 200)


async def test_a_costly_page_is_left_to_stand_for_a_while_whatever_changes() -> None:
    async with site(Pace(least_s=30, leisure=1e9, most_s=60)) as (running, client):
        await client.get("/status/fragment")
        for _ in range(3):
            running.pulse.beat()
            await client.get("/status/fragment")
        assert running.source.made == 1


async def test_a_page_that_many_watch_is_left_to_stand_for_a_while_since_all_of_them_fetch_it() -> None:
    async with site(Pace(least_s=30, soonest_s=0, leisure=0, apiece_s=10, most_s=60)) as (running, client):
        streams = [await client.get("/live") for _ in range(3)]
        for stream in streams:
            await next_event(stream)
        drawn = running.source.made
        for _ in range(3):
            running.pulse.beat()
            await client.get("/status/fragment")
        for stream in streams:
            stream.close()
        assert running.source.made == drawn


async def test_however_cheap_a_page_is_it_stands_for_a_moment() -> None:
    async with site(Pace(least_s=30, soonest_s=20, leisure=0, most_s=60)) as (running, client):
        for _ in range(3):
            await client.get("/status/fragment")
            running.pulse.beat()
        assert running.source.made == 1


async def test_a_page_that_cannot_be_drawn_is_not_tried_again_at_every_change() -> None:
    async with site(Pace(least_s=30, soonest_s=0, leisure=0, most_s=60)) as (running, client):
        async with client.get("/live") as stream:
            await next_event(stream)
            running.source.failure = RuntimeError("no room")
            running.pulse.beat()
            async with asyncio.timeout(10):
                await running.source.failed.wait()
            tried = running.source.made
            for _ in range(5):
                running.pulse.beat()
                await asyncio.sleep(0.02)
        assert running.source.made == tried


async def test_many_watchers_share_one_drawing() -> None:
    async with site(Pace(least_s=0.3, most_s=60)) as (running, client):
        streams = [await client.get("/live") for _ in range(20)]
        versions = {(await next_event(stream))["version"] for stream in streams}
        for stream in streams:
            stream.close()
        assert len(versions) == 1
        assert running.source.made <= 3


async def test_nobody_watching_costs_nothing() -> None:
    async with site() as (running, _):
        running.pulse.beat()
        await asyncio.sleep(QUICK.least_s * 3)
        assert running.source.made == 0


async def test_a_quiet_stream_shows_that_it_lives() -> None:
    async with site(Pace(least_s=0.05, most_s=60, heartbeat_s=0.05)) as (_, client), client.get("/live") as stream:
        await next_event(stream)
        async with asyncio.timeout(10):
            assert any([line.startswith(b": ") async for line in _lines(stream, 8)])


async def _lines(stream: aiohttp.ClientResponse, number: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield await stream.content.readline()


async def test_too_many_watchers_are_refused_with_a_reason() -> None:
    async with site(Pace(watchers=1)) as (_, client), client.get("/live") as first:
        await next_event(first)
        second = await client.get("/live")
        assert second.status == 503
        assert b"As many pages as allowed" in await second.read()


async def test_stopping_lets_the_watchers_go_at_once() -> None:
    async with site() as (running, client), client.get("/live") as stream:
        await next_event(stream)
        async with asyncio.timeout(3):
            await running.runner.cleanup()


async def test_a_board_that_cannot_be_made_is_an_answer_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with site() as (running, client):
        running.source.failure = RuntimeError("no such table: span")
        answer = await client.get("/")
        text = await answer.text()
        assert answer.status == 503
        assert "cannot be drawn" in text
        assert "no such table" not in text
        assert "no such table" in caplog.text
        running.source.failure = None
        assert (await client.get("/")).status == 200


async def test_watchers_outlive_a_board_that_fails_for_a_while() -> None:
    async with site() as (running, client), client.get("/live") as stream:
        first = await next_event(stream)
        running.source.failure = RuntimeError("busy")
        running.pulse.beat()
        await running.source.failed.wait()
        running.source.failure, running.source.current = None, broken()
        running.pulse.beat()
        version = first["version"]
        while version == first["version"]:
            version = (await next_event(stream))["version"]
