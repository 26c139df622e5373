"""Evidence is disposed of on pages and through the API, by two people, as the command does it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from admin_stage import admin_stage, call
from detak_collector.web.openapi import document
from disposed_season import Season
from people_stage import Browser

PAGE = "/admin/retention"
DESCRIBED = json.loads(document("0.1.0"))
WISH = {"until": "2024-01", "document": "ND-5/2025", "reason": "kept long enough"}


@pytest.fixture
def season(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Season:
    made = Season(tmp_path / "detak", capsys, monkeypatch)
    made.sealed()
    return made


async def sent(browser: Browser, path: str, **fields: str) -> str:
    """Where it leads, or what is said instead."""
    page = await browser.fill(PAGE, f"{PAGE}{path}", **fields)
    return page.to or page.text


async def done(browser: Browser) -> str:
    """The page, once nothing is being carried out any more."""
    for _ in range(600):
        text = (await browser.get(PAGE)).text
        if "is being carried out" not in text:
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(text)


@pytest.mark.asyncio
async def test_one_proposes_another_approves_and_what_goes_was_shown_before(season: Season) -> None:
    async with admin_stage(season.folder, season.now) as stage, stage.browser() as agus, stage.browser() as budi:
        await agus.sign_in("agus")
        await budi.sign_in("budi")
        page = (await agus.get(PAGE)).text
        assert "2023-11 to 2023-12" in page
        assert "seal no. 2 of 2023-12" in page
        assert "2024-01 is not sealed" in page
        for change, said in (
            ({"document": " "}, "Required: the document it rests on"),
            ({"reason": ""}, "Required: why"),
            ({"until": "2024-02"}, "Choose a month of those that may go"),
        ):
            told = await sent(agus, "", **{**WISH, **change})
            assert (said in told, "kept long enough" in told) == (True, "reason" not in change)
        assert (await budi.fill("/account", PAGE, **WISH)).status == 403, "an approver does not propose"
        assert "retention?notice=proposed" in await sent(agus, "", **WISH)
        assert "agus proposes that all evidence from before 2024-01 goes, by ND-5/2025" in (await budi.get(PAGE)).text
        assert "so somebody else decides" in await sent(agus, "/1/decision", action="approve", decided="")
        assert "Required: why" in await sent(budi, "/1/decision", action="reject", decided=" ")
        assert "notice=approved" in await sent(budi, "/1/decision", action="approve", decided="agreed")
        assert "type the month: 2024-01" in await sent(agus, "/1/dispose", typed="2023-12")
        assert "notice=begun" in await sent(agus, "/1/dispose", typed="2024-01")
        page = await done(agus)
        assert "from 2024-01 on; what is older was disposed of" in page
        assert "carried out here on" in page
        assert [one for one in stage.told.names if one.startswith(("disposal", "evidence"))] == [
            "disposal-proposed", "disposal-approved", "evidence-disposed",
        ]  # fmt: skip
    assert "disposed of, no. 1, ND-5/2025: 143 records of blocks 1 to 4" in season.says("verify", "--sealed")


@pytest.mark.asyncio
async def test_programs_do_the_same_and_every_answer_fits_its_description(season: Season) -> None:
    async with admin_stage(season.folder, season.now) as stage, stage.browser() as agus, stage.browser() as ayu:
        await agus.sign_in("agus")
        await ayu.sign_in("ayu")
        told = await answered(agus, "GET", "retention", None, 200)
        assert [one["month"] for one in told["may_go"]] == ["2023-11", "2023-12"]
        await answered(agus, "POST", "retention", {**WISH, "until": "2026-01"}, 422)
        await answered(agus, "POST", "retention", WISH, 201)
        await answered(agus, "POST", "retention/1/decision", {"verdict": "approve"}, 403)
        await answered(ayu, "POST", "retention/7/decision", {"verdict": "approve"}, 404)
        await answered(ayu, "POST", "retention/1/decision", {"verdict": "approve", "reason": "agreed"}, 200)
        await answered(agus, "POST", "retention/1/disposal", {"typed": "2023-12"}, 422)
        await answered(agus, "POST", "retention/1/disposal", {"typed": "2024-01"}, 202)
        await done(agus)
        told = await answered(agus, "GET", "retention", None, 200)
        (one,) = told["disposals"]
        assert (one["state"], one["carried_out_here"] is not None, told["whole_from"]) == ("approved", True, "2024-01")
        await answered(agus, "POST", "retention/1/disposal", {"typed": "2024-01"}, 409)


async def answered(browser: Browser, method: str, path: str, body: object, status: int) -> dict[str, Any]:
    got, told = await call(browser, method, path, body)
    assert got == status, told
    named = "/".join("{number}" if part.isdigit() else part for part in path.split("/"))
    described = DESCRIBED["paths"][f"/api/v1/admin/{named}"][method.lower()]["responses"][str(status)]
    (schema, *_) = (one["schema"] for one in described["content"].values() if one)
    jsonschema.validate(told, {**schema, "components": DESCRIBED["components"]})
    assert isinstance(told, dict)
    return told
