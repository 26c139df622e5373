"""Outages of before Detak watched, imported on pages and by programs: seen first, then proposed, decided as a whole."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from html import unescape
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE
from detak_collector.decisions.proposal import ADD, DECLARATION
from detak_collector.decisions.recording import Draft
from people_stage import Browser
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.asyncio
FILE = (
    "Severity,Time,Recovery time,Status,Host,Problem,Duration\n"
    f"High,2022-03-01 09:00:00,2022-03-01 09:30:00,RESOLVED,impor-1,{HOSTILE},30m\n"
    "High,2022-07-14 23:50:00,2022-07-15 00:20:00,RESOLVED,impor-2,no answer,30m\n"
    "Low,2022-08-01 10:00:00,2022-08-01 11:00:00,RESOLVED,impor-2,slow,1h\n"
)
NAME = sha256(FILE.encode()).hexdigest()[:8]
SAID = {"tool": "zabbix", "map": "impor-*=impor", "only": "Severity=High", "document": "ND-1/2026"}
BODY = {
    "file_name": "problems.csv", "content": base64.b64encode(FILE.encode()).decode(), "tool": "zabbix",
    "document": "ND-1/2026", "map": {"impor-*": "impor"}, "only": {"Severity": ["High"]},
}  # fmt: skip
JSON = {"Content-Type": "application/json"}
OBSERVED = FILE.replace("2022-03-01", "2026-04-01")


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WorkStage]:
    async with work_stage(tmp_path) as staged:
        yield staged


async def uploaded(browser: Browser, content: str, **fields: str) -> tuple[int, str]:
    form = aiohttp.FormData({"token": await browser.token("/past/import"), **fields})
    form.add_field("file", io.BytesIO(content.encode()), filename="problems.csv")
    async with browser.client.post("/past/import", data=form, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def carried(browser: Browser, page: str) -> str:
    """Sends the form of a preview as it stands; where it leads to."""
    writer = aiohttp.MultipartWriter("form-data")
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    for name, value in (*found, ("action", "propose")):
        writer.append(unescape(value)).set_content_disposition("form-data", name=name)
    async with browser.client.post("/past/import", data=writer, allow_redirects=False) as answer:
        return answer.headers.get("Location", "")


def proposed(stage: WorkStage) -> int:
    return len(stage.store.entries.of("proposal"))


async def test_a_file_is_shown_with_what_it_changes_then_proposed_and_approved_by_somebody_else(
    stage: WorkStage,
) -> None:
    async with stage.browser() as ani, stage.browser() as budi:
        await ani.sign_in("ani")
        await budi.sign_in("budi")
        status, page = await uploaded(ani, FILE, **SAID)
        assert status == 200
        assert "figure/2022" in page
        assert "rows left out by what is chosen" in page
        assert HOSTILE not in page
        assert proposed(stage) == 0
        assert await carried(ani, page) == f"../past/{NAME}?notice=proposed"
        assert proposed(stage) == 2
        one = (await ani.get(f"/past/{NAME}")).text
        assert sha256(FILE.encode()).hexdigest() in one
        assert "Zabbix" in one
        assert 'value="approve"' not in one, "nobody decides on his own"
        refused = await ani.fill(f"/past/{NAME}", f"/past/{NAME}", action="approve")
        assert refused.status == 409
        approved = await budi.fill(f"/past/{NAME}", f"/past/{NAME}", action="approve")
        assert approved.headers["Location"] == f"./{NAME}?notice=approve"
        one = (await budi.get(f"/past/{NAME}")).text
        assert "What the figures would be without this import" in one
        assert "figure/2022" in one
        assert "1 h" in one
        listed = (await budi.get("/past")).text
        assert f'href="./past/{NAME}"' in listed
        _, again = await uploaded(ani, FILE, **SAID)
        assert "There is nothing new in it." in again
        status, again = await uploaded(ani, FILE, **{**SAID, "map": "impor"})
        assert status == 422
        assert "problems.csv is still here" in again, "nobody has to choose it again"


async def test_what_is_in_force_ends_by_two_people_with_a_document(stage: WorkStage) -> None:
    async with stage.browser() as ani, stage.browser() as budi:
        await ani.sign_in("ani")
        await budi.sign_in("budi")
        await carried(ani, (await uploaded(ani, FILE, **SAID))[1])
        await budi.fill(f"/past/{NAME}", f"/past/{NAME}", action="approve")
        bare = await ani.fill(f"/past/{NAME}", f"/past/{NAME}", action="withdraw", reason="the file was wrong")
        assert bare.status == 422
        assert "the file was wrong" in bare.text, "what was typed is kept"
        asked = {"action": "withdraw", "reason": "the file was wrong", "document": "ND-9"}
        assert (await ani.fill(f"/past/{NAME}", f"/past/{NAME}", **asked)).status == 303
        told = (await budi.get(f"/api/v1/past/{NAME}")).text
        assert '"states": {"in force": 2}' in told
        assert '"end_proposed": 2' in told
        await budi.fill(f"/past/{NAME}", f"/past/{NAME}", action="approve")
        assert '"states": {"withdrawn": 2}' in (await budi.get(f"/api/v1/past/{NAME}")).text


WRONG: list[tuple[str, dict[str, str], str]] = [
    (FILE, {"document": ""}, "document-fault"),
    (FILE, {"map": "impor"}, "map-fault"),
    (FILE, {"map": "impor-*=nix"}, "map-fault"),
    (FILE, {"timezone": "Asia/Jakrata"}, "timezone-fault"),
    (FILE, {"tool": "own"}, "own-fault"),
    (FILE, {"tool": "own", "own": "rows = 3"}, "own-fault"),
    (FILE, {"tool": "mrtg"}, "tool-fault"),
    ("", {}, "file-fault"),
    ("x" * (1024 * 1024 + 1), {}, "file-fault"),
    (FILE.replace("09:30", "08:30"), {}, "its end lies before its begin"),
    (OBSERVED, {}, "checks of impor were observed"),
]


async def test_a_file_or_a_field_that_is_wrong_is_told_beside_it_and_what_was_typed_stays(stage: WorkStage) -> None:
    async with stage.browser() as ani:
        await ani.sign_in("ani")
        for content, fields, said in WRONG:
            status, page = await uploaded(ani, content, **{**SAID, **fields, "action": "propose"})
            assert (status, said in page) == (422, True), said
            assert "Severity=High" in page
    assert proposed(stage) == 0


async def test_a_program_asks_first_and_then_proposes_and_decides(stage: WorkStage) -> None:
    async with stage.browser() as ani, stage.browser() as budi:
        await ani.sign_in("ani")
        await budi.sign_in("budi")
        async with ani.client.post("/api/v1/past", json={**BODY, "dry_run": True}) as answer:
            told = await answer.json()
            assert (answer.status, told["outages"], told["left_out"]) == (200, 2, {"filtered": 1})
            assert told["effect"]["periods"][0]["period"] == "2022"
        assert proposed(stage) == 0
        async with ani.client.post("/api/v1/past", json=BODY) as answer:
            assert (answer.status, (await answer.json())["entered"]) == (201, ["d1", "d2"])
        decision = f"/api/v1/past/{NAME}/decision"
        for browser, decided, expected in (
            (ani, {"action": "approve"}, 409),
            (budi, {"action": "reject"}, 422),
            (budi, {"action": "approve"}, 201),
            (budi, {"action": "approve"}, 409),
        ):
            async with browser.client.post(decision, json=decided) as answer:
                assert answer.status == expected, decided
        async with budi.client.get("/api/v1/past") as answer:
            (one,) = (await answer.json())["items"]
            assert (one["tool"], one["file"], one["down_ms"]) == ("zabbix", "problems.csv", 3_600_000)
        wrong: tuple[tuple[dict[str, object], int], ...] = (
            ({**BODY, "document": " "}, 422), ({**BODY, "map": {"*": "nix"}}, 422), ({**BODY, "more": 1}, 400),
            ({**BODY, "content": base64.b64encode(b"x" * (1024 * 1024 + 1)).decode()}, 413),
            ({**BODY, "content": base64.b64encode(b"no table").decode()}, 422),
        )  # fmt: skip
        for body, status in wrong:
            sent = io.BytesIO(json.dumps(body).encode())
            async with ani.client.post("/api/v1/past", data=sent, headers=JSON) as answer:
                assert answer.status == status, body["document"]


async def test_an_import_of_an_earlier_version_is_listed_without_its_tool(stage: WorkStage) -> None:
    record = {
        "category": "down", "scope": {"service": "impor"}, "from": "2022-03-01T02:00:00Z", "to": "2022-03-01T03:00:00Z",
        "document": "ND-1", "reason": "x",
    }  # fmt: skip
    stage.decided(Draft(DECLARATION, ADD, record=record, uid="past/abcdef12/5"), by="Cici")
    stage.decided(Draft(DECLARATION, ADD, record={**record, "to": "2022-03-01T04:00:00Z"}), by="Cici")
    async with stage.browser() as siti:
        await siti.sign_in("siti")
        async with siti.client.get("/api/v1/past") as answer:
            (one,) = (await answer.json())["items"]
        assert (one["import"], one["tool"], one["outages"]) == ("abcdef12", None, 1)
        page = (await siti.get("/past/abcdef12")).text
        assert "<button name=" not in page, "who may only see decides nothing"
        assert (await siti.get("/past/import")).status == 403
        assert (await siti.get("/past/nothing")).status == 404
