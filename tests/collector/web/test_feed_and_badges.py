"""The feed is read by what reads feeds, and a badge by who cannot see it; both in the reader's language."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE
from detak_collector.board.board import Condition
from detak_collector.web.badge import drawn
from reading_stage import ReadingStage, reading_stage
from sheets_stage import MANY

ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReadingStage]:
    async with reading_stage(tmp_path_factory.mktemp("reading"), pace_ms=250) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_a_feed_tells_the_latest_outages_and_names_each_for_good(stage: ReadingStage) -> None:
    answer = await stage.with_token("siti").get("/feed.atom?language=en")
    feed = ET.fromstring(answer.body)
    entries = feed.findall("a:entry", ATOM)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert len(entries) == 50 < MANY
    ids = [entry.findtext("a:id", "", ATOM) for entry in entries]
    assert len(set(ids)) == 50
    assert all(":outage:number:" in one for one in ids)
    published = [entry.findtext("a:published", "", ATOM) for entry in entries]
    assert published == sorted(published, reverse=True)
    impor = next(one for one in entries if "CEISA Impor" in one.findtext("a:title", "", ATOM))
    assert impor.findtext("a:title", "", ATOM) == "CEISA Impor was down for 20 min 00 s"
    assert "connection refused" in impor.findtext("a:content", "", ATOM)
    # What a check said is text, also where it looks like markup.
    assert HOSTILE in impor.findtext("a:content", "", ATOM)
    link = impor.find("a:link", ATOM)
    assert link is not None
    assert link.get("href", "").startswith(stage.stage.config.url + "/service/impor/outage/")


@pytest.mark.asyncio(loop_scope="module")
async def test_everybody_s_feed_has_public_services_in_both_languages(stage: ReadingStage) -> None:
    english = ET.fromstring((await stage.stranger().get("/feed.atom", Accept_Language="en")).body)
    indonesian = ET.fromstring((await stage.stranger().get("/feed.atom", Accept_Language="id")).body)
    titles = [one.text or "" for one in english.findall("a:entry/a:title", ATOM)]
    assert titles[0] == "CEISA Impor was down for 20 min 00 s"
    assert (indonesian.findtext("a:entry/a:title", "", ATOM)) == "CEISA Impor terhenti selama 20 mnt 00 dtk"
    assert all("CEISA Impor" in one for one in titles)
    ids = [[one.text for one in feed.findall("a:entry/a:id", ATOM)] for feed in (english, indonesian)]
    assert ids[0] == ids[1]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_no_xml_can_hold_does_not_break_the_feed(stage: ReadingStage) -> None:
    board = stage.stage.source.current
    named = replace(board.services[0], name="bel \x07 dan \x00 nol")
    async with stage.showing(replace(board, services=(named, *board.services[1:]))):
        feed = ET.fromstring((await stage.stranger().get("/feed.atom")).body)
    assert "bel \N{REPLACEMENT CHARACTER} dan" in feed.findtext("a:entry/a:title", "", ATOM)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_badge_says_a_state_or_a_rate_and_may_be_kept_for_a_minute(stage: ReadingStage) -> None:
    state = await stage.stranger().get("/badge/impor.svg?language=id")
    board = stage.stage.source.current
    year = await stage.stranger().get("/badge/impor/2026.svg?language=id")
    month = await stage.stranger().get("/badge/impor/2026-04.svg?language=en")
    words = {Condition.UP: "aktif", Condition.DOWN: "terhenti"}[board.services[0].condition]
    assert ET.fromstring(state.body).get("aria-label") == f"CEISA Impor: {words}"
    assert "0,0" in (ET.fromstring(year.body).get("aria-label") or "")
    assert (ET.fromstring(month.body).get("aria-label") or "").startswith("CEISA Impor 2026-04: 0.")
    assert state.headers["Cache-Control"] == "public, max-age=60"
    assert state.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = await stage.stranger().get("/badge/impor.svg?language=id", If_None_Match=state.headers["ETag"])
    assert again.status == 304
    for odd in ("/badge/impor/soon.svg", "/badge/impor/2026-13.svg", "/badge/none.svg"):
        assert (await stage.stranger().get(odd)).status == 404


def test_a_badge_is_text_whatever_a_service_is_called() -> None:
    said = ET.fromstring(drawn(HOSTILE, "up", "#000"))
    assert [one.tag.rpartition("}")[2] for one in said] == ["title", "rect", "path", "g"]
    assert HOSTILE[:50] in (said.get("aria-label") or "")


def test_a_long_name_is_cut_and_the_drawing_stays_small() -> None:
    said = ET.fromstring(drawn("x" * 500, "not observed", "#000"))
    assert int(said.get("width", "0")) < 600
