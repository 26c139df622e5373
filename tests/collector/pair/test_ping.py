import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from detak_collector.operating.alarms import Alarm
from detak_collector.pair.ping import Ping
from detak_collector.pair.ping_to import PingTo

FULL = Alarm("disk-full", is_urgent=True, text="the disk of the store is full")
WITHIN_S = 10


@asynccontextmanager
async def listening(status: int = 200) -> AsyncIterator[tuple[str, asyncio.Queue[tuple[str, str]]]]:
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        await heard.put((request.path, await request.text()))
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.post("/{tail:.*}", hear)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ping/abc", heard
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(ping: Ping) -> AsyncIterator[None]:
    task = asyncio.create_task(ping.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(heard: asyncio.Queue[tuple[str, str]]) -> tuple[str, str]:
    async with asyncio.timeout(WITHIN_S):
        return await heard.get()


def test_it_pings_again_and_again_and_says_fail_while_an_alarm_is_urgent() -> None:
    async def scenario() -> None:
        alarms: list[Alarm] = []
        async with listening() as (url, heard), running(Ping(lambda: PingTo(url, 50), lambda: tuple(alarms))):
            assert [await told(heard) for _ in range(3)] == [("/ping/abc", "")] * 3
            alarms.append(FULL)
            while (said := await told(heard)) == ("/ping/abc", ""):
                pass
            assert said == ("/ping/abc/fail", FULL.text)

    asyncio.run(scenario())


def test_a_url_that_refuses_is_noted_and_pinged_again() -> None:
    async def scenario() -> None:
        async with listening(404) as (url, heard):
            ping = Ping(lambda: PingTo(url, 50), tuple)
            async with running(ping):
                for _ in range(3):
                    await told(heard)
            assert ping.trouble == "it answers with status 404"

    asyncio.run(scenario())
