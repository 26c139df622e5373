"""Two people and an exclusion in a real Chromium: proposed by one, approved by the other, and then in the figure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.fabricated import HOSTILE
from browser.test_status_page import ARGUMENTS
from people_stage import PASSWORD
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.browser


@contextmanager
def serving_work(folder: Path) -> Iterator[WorkStage]:
    """A stage in a thread of its own, beside a browser that waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        context = work_stage(folder)
        stage = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
        try:
            yield stage
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


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


def signed_in(context: BrowserContext, stage: WorkStage, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator(".who")).to_be_visible()
    return page


def test_one_proposes_by_keyboard_another_approves_and_the_figure_page_changes(
    browser: Browser, stage: WorkStage
) -> None:
    first = browser.new_context(java_script_enabled=False, locale="en-GB")
    second = browser.new_context(locale="id-ID")
    ani, budi = signed_in(first, stage, "ani"), signed_in(second, stage, "budi")
    ani.goto(f"{stage.url}/figure/2026-01")
    expect(ani.locator(".percent")).to_have_text("0.0458 %")
    ani.get_by_role("link", name="Exclusions").click()
    ani.get_by_role("link", name="Propose one").press("Enter")
    ani.select_option("#category", "planned")
    ani.fill("#target", "impro")
    ani.fill("#from", "2026-01-11T00:00")
    ani.fill("#to", "2026-01-12T00:00")
    ani.fill("#document", "ND-1/2026")
    ani.fill("#reason", HOSTILE)
    ani.get_by_role("button", name="Show what it changes").press("Enter")
    expect(ani.locator("#target-fault")).to_contain_text("did you mean")
    expect(ani.locator("#reason")).to_have_value(HOSTILE)
    ani.fill("#target", "impor")
    ani.get_by_role("button", name="Show what it changes").press("Enter")
    effect = ani.locator(".effects tr", has_text="2026-01").first
    expect(effect).to_contain_text("0.0458 %")
    expect(effect).to_contain_text("0.0234 %")
    ani.get_by_role("button", name="Propose it").press("Enter")
    expect(ani.get_by_role("status")).to_contain_text("takes effect once somebody else approves it")
    expect(ani.get_by_role("button", name="Approve")).to_have_count(0)

    budi.goto(f"{stage.url}/exclusions")
    budi.get_by_role("link", name="1 usulan orang lain menunggu keputusan Anda").click()
    budi.get_by_role("link", name="x1").click()
    expect(budi.locator(".effects")).to_contain_text("0,0234 %")
    expect(budi.locator("dd.said")).to_have_text(HOSTILE)
    budi.get_by_role("button", name="Setujui").press("Enter")
    expect(budi.get_by_role("status")).to_have_text("Sudah disetujui.")
    ani.goto(f"{stage.url}/figure/2026-01")
    expect(ani.locator(".percent")).to_have_text("0.0234 %")
    first.close()
    second.close()
