"""A page that cannot be renewed is shown as the last one, and never as if it were of now."""

import asyncio
import re
from dataclasses import replace

import pytest

from browser.fabricated import broken
from collector.web.test_pages_http import Client, Site, next_event, site
from detak_collector.web.pages import Pace

pytestmark = pytest.mark.asyncio

SAID = re.compile(r'<p id="stale" class="stale" role="status">Not renewed since ([^;]+); what you see is from then')
SLOW = Pace(least_s=0.05, most_s=0.1, wait_s=0.1, outdated_s=0.6)


async def page(client: Client) -> str:
    answer = await client.get("/", headers={"Accept-Encoding": "identity"})
    assert answer.status == 200
    return await answer.text()


async def test_the_last_page_says_since_when_it_is_the_last_one() -> None:
    async with site(SLOW) as (running, client):
        first = await page(client)
        running.source.failure = RuntimeError("lost")
        await asyncio.sleep(SLOW.least_s)
        said = SAID.search(await page(client))
        assert SAID.search(first) is None
        assert said is not None
        assert f">{said[1]}</time></p>" in first


async def test_it_is_withdrawn_as_soon_as_there_is_a_page_of_now() -> None:
    async with site(SLOW) as (running, client):
        await page(client)
        running.source.failure = RuntimeError("lost")
        await asyncio.sleep(SLOW.least_s)
        await page(client)
        running.source.failure = None
        assert SAID.search(await page(client)) is None


async def test_while_the_next_one_takes_long_the_last_one_is_shown_at_once() -> None:
    async with site(SLOW) as (running, client):
        await page(client)
        running.source.go.clear()
        await asyncio.sleep(SLOW.least_s)
        async with asyncio.timeout(5):
            assert "All 3 services are up" in await page(client)
            while SAID.search(await page(client)) is None:  # noqa: ASYNC110 - a page is asked for, as people do
                await asyncio.sleep(0.05)
        assert running.source.made == 2
        running.source.go.set()
        await asyncio.sleep(SLOW.least_s)
        assert SAID.search(await page(client)) is None


async def test_nobody_is_shown_a_page_that_never_was() -> None:
    async with site(SLOW) as (running, client):
        running.source.go.clear()
        waiting = asyncio.create_task(page(client))
        await asyncio.sleep(3 * SLOW.wait_s)
        assert not waiting.done()
        running.source.go.set()
        assert SAID.search(await waiting) is None


async def test_who_watches_is_told_when_the_page_grows_old_and_when_it_is_new_again() -> None:
    async with site(SLOW) as (running, client), client.get("/live") as stream:
        first = await next_event(stream)
        running.source.failure = RuntimeError("lost")
        running.pulse.beat()
        while not (told := await next_event(stream))["outdated"]:
            pass
        assert (told["version"], told["now"], told["as_of"]) == (first["version"], first["now"], first["as_of"])
        running.source.failure, running.source.current = None, broken()
        running.pulse.beat()
        while (told := await next_event(stream))["outdated"]:
            pass
        assert told["version"] != first["version"]


async def test_a_failure_that_stays_the_same_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with site(SLOW) as (running, client):
        running.source.failure = RuntimeError("lost for good")
        for _ in range(4):
            assert (await client.get("/")).status == 503
        running.source.failure = RuntimeError("lost in another way")
        await client.get("/")
        assert caplog.text.count("RuntimeError: lost for good") == 1
        assert "RuntimeError: lost in another way" in caplog.text


HURRIED = Pace(least_s=0.02, most_s=60, wait_s=5, slow_s=0.1, unwatched_s=0.05)


async def drawn_slowly(running: Site, client: Client) -> None:
    """The first page, which took longer than is called slow."""
    running.source.go.clear()
    first = asyncio.create_task(page(client))
    await asyncio.sleep(HURRIED.slow_s * 2)
    running.source.go.set()
    await first


async def test_of_a_page_that_takes_long_to_draw_the_last_one_is_shown_at_once() -> None:
    async with site(replace(HURRIED, unwatched_s=60)) as (running, client):
        await drawn_slowly(running, client)
        running.source.go.clear()
        await asyncio.sleep(HURRIED.least_s)
        async with asyncio.timeout(2):
            assert SAID.search(await page(client)) is None
        assert running.source.made == 2


async def test_a_page_that_takes_long_is_renewed_for_a_while_though_nobody_looks() -> None:
    async with site(HURRIED) as (running, client):
        await drawn_slowly(running, client)
        async with asyncio.timeout(5):
            while running.source.made < 2:  # noqa: ASYNC110 - a drawing tells nobody
                await asyncio.sleep(0.02)


async def test_a_page_that_is_drawn_quickly_is_waited_for_and_not_drawn_while_nobody_looks() -> None:
    async with site(HURRIED) as (running, client):
        await page(client)
        made = running.source.made
        await asyncio.sleep(HURRIED.unwatched_s * 4)
        assert running.source.made == made
        await page(client)
        assert running.source.made == made + 1
