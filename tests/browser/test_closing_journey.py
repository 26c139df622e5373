"""Two people close a month in a real Chromium, by keyboard and on a telephone; what later facts change is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.fabricated import HOSTILE
from browser.test_status_page import ARGUMENTS
from browser.test_work_journey import serving_work, signed_in
from decision_log import RECORD
from detak_collector.decisions.recording import Draft
from work_stage import WorkStage

pytestmark = pytest.mark.browser

LATE = {**RECORD, "from": "2026-01-10T17:00:00Z", "to": "2026-01-11T17:00:00Z"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[WorkStage]:
    with serving_work(tmp_path) as served:
        yield served


def test_two_people_seal_a_month_and_restate_it(browser: Browser, stage: WorkStage) -> None:
    first = browser.new_context(java_script_enabled=False, locale="en-GB")
    second = browser.new_context(locale="id-ID", viewport={"width": 360, "height": 800})
    ani, budi = signed_in(first, stage, "ani"), signed_in(second, stage, "budi")
    ani.goto(f"{stage.url}/figure/2026-01")
    ani.get_by_role("link", name="Closing", exact=True).press("Enter")
    ani.get_by_role("link", name="January 2026").press("Enter")
    ani.fill("#reason", HOSTILE)
    ani.get_by_role("button", name="Ask for its seal").press("Enter")
    expect(ani.get_by_role("status")).to_contain_text("takes effect once somebody else approves it")
    expect(ani.get_by_role("button", name="Approve")).to_have_count(0)
    budi.goto(f"{stage.url}/closing/2026-01")
    budi.get_by_role("button", name="Setujui").click()
    expect(budi.get_by_role("status")).to_have_text("Disetujui: angkanya tetap.")
    stage.later(60_000)
    (name,) = stage.decided(Draft("exclusion", "add", record=LATE), by="Ani")
    stage.verdict(name, "approve", "Budi")
    ani.goto(f"{stage.url}/figure/2026-01")
    expect(ani.locator(".percent")).to_have_text("0.0458 %")
    expect(ani.locator(".sealed")).to_contain_text("By all that is known now it would be 0.0234 %")
    ani.goto(f"{stage.url}/closing/2026-01")
    ani.get_by_role("button", name="Ask for a restatement").press("Enter")
    expect(ani.locator("#reason-fault")).to_be_visible()
    ani.fill("#reason", "found later")
    ani.get_by_role("button", name="Ask for a restatement").press("Enter")
    budi.reload()
    budi.get_by_role("button", name="Setujui").click()
    expect(budi.locator(".history")).to_contain_text("menggantikan no. 1")
    ani.goto(f"{stage.url}/figure/2026-01")
    expect(ani.locator(".percent")).to_have_text("0.0234 %")
    expect(ani.locator(".sealed")).to_contain_text("Restated, no. 2")
    first.close()
    second.close()
