"""The list of outages: a page at a time, by service, period, state, layer and figure; what comes shifts nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from annotation_stage import annotation_stage, send, signed_in
from detak_collector.downtime.numbering import FOREVER, Found
from downtime_cases import DAY, HOUR, MINUTE
from people_stage import Browser, Page
from sheets_stage import BEGIN, RECENT, SheetStage, now

Work = Callable[[SheetStage, Browser], Awaitable[None]]
MANY = 250
FIRST = BEGIN + 120 * DAY


def scene(folder: Path, work: Work) -> None:
    async def played() -> None:
        async with annotation_stage(folder) as (stage, _, __), signed_in(stage, "budi") as budi:
            await work(stage, budi)

    asyncio.run(played())


def number_many(stage: SheetStage, service: str = "ekspor", since: int = FIRST, many: int = MANY) -> list[int]:
    """Outages an hour apart, numbered as a report does it; the numbers, latest first."""
    begins = [since + at * HOUR for at in range(many)]
    found = [Found(service, begin, begin + MINUTE, running=False) for begin in begins]
    given = stage.store.outages.number(found, (since, begins[-1] + HOUR), now())
    return list(given)[::-1]


def numbers(page: Page) -> list[int]:
    """Those of the outages that it lists."""
    return [int(one) for one in re.findall(r'data-label="Outage"><a href="[./]*outages/(\d+)"', page.text)]


def link(page: Page, rel: str) -> str:
    """Where the link to the next or the previous page leads; empty where there is none."""
    found = re.search(rf'<a href="([^"#]*)#outages" rel="{rel}"', page.text)
    return "" if found is None else f"/outages{found[1].replace('&amp;', '&')}"


def test_many_are_leafed_through_there_and_back_and_what_comes_meanwhile_shifts_nothing(tmp_path: Path) -> None:
    async def work(stage: SheetStage, budi: Browser) -> None:
        expected = number_many(stage)
        page = await budi.get("/outages?service=ekspor")
        assert numbers(page) == expected[:100]
        assert not link(page, "prev")
        number_many(stage, since=FIRST + 20 * DAY, many=3)
        second = await budi.get(link(page, "next"))
        assert numbers(second) == expected[100:200]
        last = await budi.get(link(second, "next"))
        assert numbers(last) == expected[200:]
        assert not link(last, "next")
        assert numbers(await budi.get(link(last, "prev"))) == expected[100:200]
        assert numbers(await budi.get(link(second, "prev"))) == expected[:100]
        assert len(page.text) < 80_000

    scene(tmp_path, work)


def test_it_holds_those_of_a_service_a_period_and_a_state(tmp_path: Path) -> None:
    async def work(stage: SheetStage, budi: Browser) -> None:
        january, april = sorted(numbers(await budi.get("/outages")))
        (running,) = stage.store.outages.number([Found("impor", *RECENT, running=True)], (RECENT[0], FOREVER), now())
        await send(budi, f"/outages/{april}/acknowledgement", {"note": ""})
        await send(budi, f"/outages/{january}/annotation", {"version": "0", "cause": "fan"})
        for query, expected in (
            ("", [running, april, january]), ("period=2026-01", [january]), ("period=2026-S1", [april, january]),
            ("service=ekspor", []), ("state=running", [running]), ("state=over", [april, january]),
            ("state=unacknowledged", [running, january]), ("state=unannotated&period=2026-04", [april]),
        ):  # fmt: skip
            page = await budi.get(f"/outages?{query}")
            assert (page.status, numbers(page)) == (200, expected), query
        assert "No outage, as far as is known and asked for" in (await budi.get("/outages?service=ekspor")).text
        chosen = await budi.get("/outages?state=over&period=2026-01&service=impor")
        for kept in ('value="over" selected', 'value="impor" selected', 'name="period" value="2026-01"'):
            assert kept in chosen.text, kept

    scene(tmp_path, work)


def test_layers_and_what_enters_the_figure_are_asked_of_those_who_derive(tmp_path: Path) -> None:
    async def work(stage: SheetStage, budi: Browser) -> None:
        # What is listed of the running year is derived, and so the outage of this night has its number too.
        derived = numbers(await budi.get("/outages?figure=in"))
        assert len(derived) == 3
        assert numbers(await budi.get("/outages")) == derived
        layered = await budi.get("/outages?cause=database&period=2026-04")
        assert numbers(layered) == derived[1:2]
        assert 'value="database" selected' in layered.text
        assert 'name="period" value="2026"' in (await budi.get("/outages?cause=power")).text
        for nothing in ("figure=out", "cause=power"):
            assert numbers(await budi.get(f"/outages?{nothing}")) == [], nothing
        assert len(stage.pages.made) == 4
        async with budi.client.get("/api/v1/outages?period=2026&figure=in") as answer:
            assert [one["number"] for one in (await answer.json())["items"]] == derived
        async with budi.client.get("/api/v1/outages?period=2026&figure=out") as answer:
            assert (await answer.json())["total"] == 0
        async with budi.client.get("/api/v1/outages?period=2026&figure=perhaps") as answer:
            assert answer.status == 400

    scene(tmp_path, work)


def test_what_there_never_is_is_said_beside_the_field_or_not_found(tmp_path: Path) -> None:
    async def work(_: SheetStage, budi: Browser) -> None:
        page = await budi.get("/outages?period=last+year&state=over")
        assert page.status == 404
        assert 'value="last year"' in page.text
        assert 'aria-describedby="period-fault"' in page.text
        assert 'value="over" selected' in page.text
        for odd in ("state=x", "cause=x", "figure=x", "before=x", "after=bm9uZQ", "before=MS54"):
            assert (await budi.get(f"/outages?{odd}")).status == 404, odd

    scene(tmp_path, work)
