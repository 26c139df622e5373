"""Two people and an exclusion in a real Chromium: proposed by one, approved by the other, and then in the figure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.fabricated import HOSTILE, LONG
from browser.test_status_page import ARGUMENTS
from decision_log import RECORD
from detak_collector.accounts.roles import Role
from detak_collector.decisions.recording import Draft
from people_stage import PASSWORD
from work_stage import WorkStage, work_stage

pytestmark = pytest.mark.browser

SERIOUS = {"serious", "critical"}
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FOUND = "async () => (await axe.run({resultTypes: ['violations']})).violations"
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = (
    "/exclusions?state=all", "/exclusions/x3", "/exclusions/new", "/exclusions/x1/withdraw", "/calendar?at=2027-01",
    "/calendar/import", "/audit",
)  # fmt: skip


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


def _filled(stage: WorkStage) -> None:
    """Long and hostile words everywhere that people can write them."""
    ahead = {
        **RECORD, "from": "2027-01-03T15:00:00Z", "to": "2027-01-03T19:00:00Z", "recurrence": "FREQ=DAILY;COUNT=40",
        "timezone": "Asia/Jakarta", "reason": HOSTILE, "document": "<script>alert(1)</script>",
    }  # fmt: skip
    stage.decided(Draft("exclusion", "add", record=ahead, drill=True), by="<img src=x onerror=alert(2)>")
    stage.verdict("x1", "approve", "Dodi")
    long = {**RECORD, "category": "preventive", "scope": {"all": True}, "reason": LONG * 3, "document": LONG[:200]}
    long |= {"from": "2027-01-04T00:00:00Z", "to": "2027-02-01T00:00:00Z"}
    stage.decided(Draft("exclusion", "add", record=long), by=LONG[:100])
    stage.decided(Draft("exclusion", "add", record={**RECORD, "category": "third_party"}), by="Cici")
    stage.decided(Draft("declaration", "add", record={**RECORD, "category": "down", "reason": HOSTILE}), by="Cici")


def test_every_page_is_read_by_anybody_on_any_screen_and_runs_nothing_of_what_people_wrote(
    browser: Browser, stage: WorkStage
) -> None:
    _filled(stage)
    stage.add("semua", *Role)
    found: list[str] = []
    for spoken, theme, width in (("en-GB", "light", 1280), ("id-ID", "dark", 360)):
        size = {"width": width, "height": 800}
        context = browser.new_context(locale=spoken, color_scheme=theme, bypass_csp=True, viewport=size)  # type: ignore[arg-type]
        found += _looked_through(signed_in(context, stage, "semua"), stage.url)
        context.close()
    assert found == []


def _looked_through(page: Page, url: str) -> list[str]:
    found: list[str] = []
    page.on("dialog", lambda dialog: found.append(dialog.message))
    page.on("pageerror", lambda error: found.append(str(error)))
    for path in PAGES:
        page.goto(url + path)
        found += [f"{path} is too wide"] if page.evaluate(TOO_WIDE) else []
        found += [f"{path} has {count} h1"] if (count := page.locator("h1").count()) != 1 else []
        found += [f"{path} has an element that somebody wrote"] if page.locator("main :is(img, script)").count() else []
        page.evaluate(AXE)
        for one in page.evaluate(FOUND):
            if one["impact"] in SERIOUS:
                found += [f"{path}: {one['id']}: {node['target']}" for node in one["nodes"][:3]]
    return found
