"""The page of one check and what programs read of it: what it is, says, said and was, and what rests on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from browser.fabricated import HOSTILE, LONG, NOW
from detak_collector.board.board import Condition
from detak_collector.board.one_check import OneCheck
from detak_collector.downtime.catalogue import NodeEntry
from detak_collector.downtime.periods import parse_period
from detak_collector.metrics import Moment, kept
from detak_wire.messages import CheckSettings, Exchange, Part
from downtime_cases import DAY, HOUR, MINUTE
from evidence_builders import arrival, beat, opening, span
from people_stage import Page
from sheets_stage import BEGIN, MANY, REAL_NODE, UP_MS, SheetStage, figures, now, sheets_stage

pytestmark = pytest.mark.asyncio

STOPPED = "drc-app-09"
CHECK = f"/node/{REAL_NODE}/check/web"
YEAR = (BEGIN, BEGIN + 365 * DAY)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SheetStage]:
    async with sheets_stage(tmp_path) as staged:
        yield staged


async def seen(stage: SheetStage, path: str, **headers: str) -> Page:
    async with stage.browser() as browser:
        return await browser.get(path, **headers)


def words(page: Page) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page.text)))


def known(stage: SheetStage, name: str, window: tuple[int, int] = (NOW - DAY, NOW)) -> OneCheck:
    found = figures(stage).check_now(name, window, YEAR)
    assert found is not None
    return found


def stopped_node(stage: SheetStage) -> None:
    """A node whose agent was stopped by an operator: all that it told is closed."""
    registry, begun, theta = stage.store.registry, UP_MS - HOUR, NOW - UP_MS
    registry.issue(STOPPED, b"s", NOW + DAY, now())
    registry.redeem(b"s", STOPPED, b"r" * 32, now())
    settings = CheckSettings(
        "pg", "postgresql", 5_000, 3_000, remote=True, confirm=3, target="host=drc-db-09 user=detak", digest="5e77"
    )
    run = structs.replace(opening((), opened=begun), checks=[settings])
    marks = {"postmaster_start": "2026-11-01T00:00:00Z"}
    told = structs.replace(span(2, "pg", begun + 1_000, 600, every=5_000, closed=True), marks=marks)
    parts = Part(
        "aaaa0009", run, [span(1, "alive", begun + 1_000, 3_010, closed=True), told],
        exchanges=[Exchange(3, "c0ffee00", begun + 1_500, theta + begun + 1_510, theta + begun + 1_512, begun + 1_520)],
    )  # fmt: skip
    message = beat(parts, sent=UP_MS - 500_000, node=STOPPED, run="aaaa0009")
    (receipt,) = stage.store.evidence.commit([arrival(message, now())])
    assert not isinstance(receipt, Exception), receipt


async def test_it_tells_its_state_its_words_and_each_stretch_in_which_it_was_not_up(stage: SheetStage) -> None:
    page = await seen(stage, CHECK)
    told = words(page)
    assert page.status == 200
    assert f"{REAL_NODE} / web : up since" in told
    assert "tcp of the node itself" in told
    assert "every 5.0 s no answer within 3.0 s is down" in told
    assert re.search(r"down [A-Z][^<]*" + re.escape(LONG[:40]), told)
    assert "2 stretches" in told
    assert "seen down" in told
    assert "not observed: before its first report" in told
    assert "No service: what happens to it is in no figure." in told


async def test_what_it_lost_is_what_the_service_that_rests_on_it_lost(stage: SheetStage) -> None:
    one = known(stage, "dc-app-02/http")
    report = figures(stage).report_of("ekspor", parse_period("2026", stage.pages.current.zone, NOW))
    assert one.over.down.counted.total == report.services[0].totals.counted_ms > 0
    assert [(use.id, use.group) for use in one.uses] == [("ekspor", "aplikasi")]
    told = words(await seen(stage, "/node/dc-app-02/check/http"))
    assert f"{HOSTILE} aplikasi" in told


async def test_a_thousand_stretches_come_a_hundred_at_a_time_and_by_kind(stage: SheetStage) -> None:
    path = "/node/dc-app-02/check/http"
    first, last = await seen(stage, path), await seen(stage, f"{path}?page=10&period=2026")
    assert f"{MANY:,} stretches · Page 1 of 10" in words(first)
    assert first.text.count('<td class="when">') == 100
    assert len(first.text) < 150_000
    assert 'rel="next"' in first.text
    assert 'rel="next"' not in last.text
    assert "Page 10 of 10" in words(await seen(stage, f"{path}?page=999999"))
    none = words(await seen(stage, f"{path}?kind=degraded&period=2026-04"))
    assert "Nothing, as far as is known and asked for." in none


async def test_a_window_long_ago_is_drawn_as_it_was_then(stage: SheetStage) -> None:
    begin = BEGIN + 90 * DAY
    one = known(stage, "dc-db-01/pg", (begin, begin + DAY))
    assert one.timeline.down.counted.total == 2 * HOUR
    assert one.condition is Condition.UP
    page = await seen(stage, "/node/dc-db-01/check/pg?zoom=day&at=2026-04-01")
    assert 'aria-label="pg: down 1x"' in page.text


async def test_settings_and_marks_are_told_of_a_check_whose_agent_has_stopped(stage: SheetStage) -> None:
    stopped_node(stage)
    told = words(await seen(stage, f"/node/{STOPPED}/check/pg"))
    assert "postgresql of another host" in told
    assert "told after 3 in a row" in told
    assert "Target host=drc-db-09 user=detak" in told
    assert "Digest of its settings 5e77" in told
    assert "Continuity mark postmaster_start 2026-11-01T00:00:00Z" in told
    assert "never reported" not in words(await seen(stage, f"/node/{STOPPED}"))


async def test_latencies_of_that_check_alone_are_drawn(stage: SheetStage) -> None:
    assert "No metrics of this time are kept." in words(await seen(stage, CHECK))
    moments = [Moment(NOW - at * 10_000, 10_000, {14: {"web": 30, "queue": 99_990}}) for at in range(1, 50)]
    stage.store.metrics.keep([kept(REAL_NODE, one) for one in moments])
    told = words(await seen(stage, f"{CHECK}?zoom=hour"))
    assert "mean 3.0 ms, greatest 3.0 ms" in told


async def test_a_witness_tells_of_which_nodes(stage: SheetStage) -> None:
    catalogue = stage.pages.current.catalogue
    entry = NodeEntry("dc-db-01", witnesses=(f"{REAL_NODE}/web",))
    stage.pages.current = stage.pages.current.with_catalogue(replace(catalogue, nodes=(entry,)))
    found = figures(stage).check_now(f"{REAL_NODE}/web", (NOW - MINUTE, NOW), YEAR)
    assert found is not None
    assert found.witnesses == ("dc-db-01",)


async def test_what_is_not_there_is_a_page_that_says_so_and_what_makes_no_sense_is_refused(stage: SheetStage) -> None:
    for path in (f"/node/{REAL_NODE}/check/none", "/node/none/check/web"):
        page = await seen(stage, path)
        assert (page.status, "No check of that name is known here." in page.text) == (404, True)
    assert "There is no such time." in (await seen(stage, f"{CHECK}?at=2026-02-30")).text
    for query in ("zoom=aeon", "kind=bad", "page=x"):
        assert (await seen(stage, f"{CHECK}?{query}")).status == 404


async def test_nothing_that_a_check_said_becomes_markup(stage: SheetStage) -> None:
    for path in (f"/node/{REAL_NODE}/check/queue", "/node/dc-db-01/check/pg"):
        page = await seen(stage, path)
        assert HOSTILE not in page.text
        assert HOSTILE in unescape(page.text)
        assert " style=" not in page.text


async def test_it_speaks_indonesian(stage: SheetStage) -> None:
    told = words(await seen(stage, CHECK, Accept_Language="id"))
    assert "Yang terakhir disampaikannya" in told
    assert not re.search(r"\b(since|Timeline|stretches|State|Message|What|Kind|Samples|down)\b", told)


async def test_who_has_not_signed_in_is_asked_to(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, sign_in=True) as stage:
        page = await seen(stage, CHECK)
        assert (page.status, page.to) == (303, "../../../sign-in?next=%2Fnode%2Fdc-app-01%2Fcheck%2Fweb")
        async with stage.browser() as browser:
            await browser.sign_in("siti")
            assert (await browser.get(CHECK)).status == 200
            assert (await browser.get("/account")).status == 200


async def test_pages_lead_to_it(stage: SheetStage) -> None:
    for path, to in (
        (f"/node/{REAL_NODE}", "../node/dc-app-01/check/web"), ("/service/impor", "../node/dc-db-01/check/pg"),
        ("/service/impor/outage/20260401T000000", "../../../node/dc-db-01/check/pg"),
    ):  # fmt: skip
        assert f'href="{to}"' in (await seen(stage, path)).text, path


async def test_ten_thousand_outages_are_leafed_through_and_no_page_of_them_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sheets_stage.MANY", 10_000)
    async with sheets_stage(tmp_path) as stage:
        for path, told in (
            ("/figure/2026/outages?service=ekspor&page=100", "Page 100 of 100"),
            ("/node/dc-app-02/check/http?page=100", "Page 100 of 100"),
        ):  # fmt: skip
            page = await seen(stage, path)
            assert told in words(page), path
            assert len(page.text) < 150_000, path
            assert page.text.count('<td class="when">') == 100, path
