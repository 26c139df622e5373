"""The maintenance calendar: windows in their days, out as iCalendar and in again, refused whole where it is wrong."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from icalendar import Calendar

from browser.fabricated import HOSTILE
from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from detak_collector.web.uploads import packed, unpacked
from people_stage import Browser
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.asyncio
MOST = 1024 * 1024

WEEKLY = {
    **RECORD, "from": "2027-01-03T15:00:00.000Z", "to": "2027-01-03T19:00:00.000Z",
    "recurrence": "FREQ=WEEKLY;COUNT=20", "timezone": "Asia/Jakarta", "except": ["2027-01-10T15:00:00.000Z"],
}  # fmt: skip
FILE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:a@x
DTSTART;TZID=Asia/Jakarta:20270105T220000
DTEND;TZID=Asia/Jakarta:20270106T020000
SUMMARY:patches
END:VEVENT
BEGIN:VEVENT
UID:b@x
DTSTART:20270107T220000
DTEND:20270108T020000
SUMMARY:%s
END:VEVENT
END:VCALENDAR
"""
SAID = {"category": "planned", "kind": "service", "target": "impor", "document": "ND-14/2026"}


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        yield staged


async def uploaded(browser: Browser, content: bytes, fields: dict[str, str]) -> tuple[int, str]:
    form = aiohttp.FormData({"token": await browser.token("/calendar/import"), **fields})
    form.add_field("file", content, filename=f"{HOSTILE}.ics")
    async with browser.client.post("/calendar/import", data=form, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def carried(browser: Browser, page: str) -> tuple[int, str]:
    """Sends the form of a preview as it stands."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    writer = aiohttp.MultipartWriter("form-data")
    for name, value in (*((name, unescape(value)) for name, value in found), ("action", "propose")):
        writer.append(value).set_content_disposition("form-data", name=name)
    async with browser.client.post("/calendar/import", data=writer, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_what_recurs_stands_in_each_of_its_days_less_those_left_out(stage: WorkStage) -> None:
    stage.decided(Draft("exclusion", "add", record=WEEKLY), by="Cici")
    stage.verdict("x1", "approve", "Dodi")
    stage.decided(Draft("exclusion", "add", record={**RECORD, "category": "third_party"}), by="Cici")
    async with stage.browser() as siti:
        await siti.sign_in("siti")
        month = (await siti.get("/calendar?at=2027-01")).text
        days = [day for day, cell in re.findall(r'datetime="2027-01-(\d\d)"(.*?)</td>', month, re.DOTALL)
                if "exclusions/x1" in cell]  # fmt: skip
        assert days == ["03", "04", "17", "18", "24", "25", "31"]
        listed = (await siti.get("/calendar?view=list&at=2027-01")).text
        assert listed.count('href="./exclusions/x1"') == 12
        assert "Nothing is planned in that time." in (await siti.get("/calendar?view=list&at=2030-01")).text
        for odd in ("at=2027-13", "at=x", "view=year", "page=-1"):
            assert (await siti.get(f"/calendar?{odd}")).status == 404, odd
        told = (await siti.get("/api/v1/calendar?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z")).text
        assert told.count('"id": "x1"') == 4


async def test_it_leaves_as_icalendar_and_its_own_file_is_known_again(stage: WorkStage) -> None:
    stage.decided(Draft("exclusion", "add", record={**WEEKLY, "reason": HOSTILE}, drill=True), by="Cici")
    stage.verdict("x1", "approve", "Dodi")
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        file = await ani.get("/calendar.ics")
        assert file.headers["Content-Type"] == "text/calendar; charset=utf-8"
        (event,) = Calendar.from_ical(file.text).walk("VEVENT")
        assert str(event["SUMMARY"]) == HOSTILE
        assert "\r\nCATEGORIES:DRILL\r\n" in file.text
        status, page = await uploaded(ani, file.text.encode(), {})
        assert status == 200
        assert "There is nothing new in it." in page


async def test_a_file_is_shown_before_it_is_proposed_and_then_proposed_as_it_was_shown(stage: WorkStage) -> None:
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        status, page = await uploaded(ani, (FILE % HOSTILE).encode(), SAID)
        assert status == 200
        assert HOSTILE not in page
        assert "x2" in page
        assert stage.store.entries.of("proposal") == []
        status, place = await carried(ani, page)
        assert (status, place) == (303, "../exclusions?state=pending&notice=imported")
        reasons = [one.told["record"]["reason"] for one in stage.store.entries.of("proposal")]
        assert reasons == ["patches", HOSTILE]


@pytest.mark.parametrize("content", [
    FILE.replace("DTEND:20270108T020000\n", ""), "no calendar", "", FILE.replace("BEGIN:VEVENT", "BEGIN:VTODO"),
    FILE.replace("UID:b@x", "UID:a@x"), FILE.replace("20270108T020000", "20270101T020000"),
])  # fmt: skip
async def test_a_file_with_anything_wrong_in_it_is_refused_whole(stage: WorkStage, content: str) -> None:
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        status, page = await uploaded(ani, content.encode(), {**SAID, "action": "propose"})
        assert status == 422
        assert 'role="alert"' in page
        headers = {"Content-Type": "text/calendar"}
        async with ani.client.post("/api/v1/calendar", data=content.encode(), params=SAID, headers=headers) as answer:
            assert answer.status == 422
    assert stage.store.entries.of("proposal") == []


async def test_a_program_sends_a_file_and_may_ask_first(stage: WorkStage) -> None:
    headers, content = {"Content-Type": "text/calendar"}, (FILE % "more").encode()
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        for dry, entered in (("true", []), ("false", ["x1", "x2"]), ("false", [])):
            params = {**SAID, "dry_run": dry}
            async with ani.client.post("/api/v1/calendar", data=content, params=params, headers=headers) as answer:
                assert (await answer.json())["entered"] == entered
        long = io.BytesIO(b"x" * (1024 * 1024 + 1))
        async with ani.client.post("/api/v1/calendar", data=long, headers=headers) as answer:
            assert answer.status == 413


async def test_what_a_page_carries_is_the_file_and_never_more_than_is_taken() -> None:
    content = (FILE % HOSTILE).encode()
    assert unpacked(packed(content), MOST) == content
    assert len(unpacked(packed(b"0" * 50_000_000), MOST)) == MOST + 1
    assert unpacked("no base64", MOST) == b""
