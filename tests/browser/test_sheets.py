"""The figure's, service's, outage's and node's pages in a real Chromium: reading them without script, by anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from browser.test_status_page import ARGUMENTS
from people_stage import PASSWORD
from sheets_stage import REAL_NODE, SheetStage, serving_sheets

pytestmark = pytest.mark.browser

PAGES = {
    "figure": "/figure",
    "month": "/figure/2026-04",
    "outages": "/figure/2026/outages",
    "service": "/service/impor",
    "year": "/service/ekspor?zoom=year",
    "long": "/service/manifes?zoom=week",
    "empty": "/service/portal",
    "outage": "/service/impor/outage/20260401T000000",
    "node": f"/node/{REAL_NODE}",
    "check": f"/node/{REAL_NODE}/check/queue",
    "nothing": "/service/no-such",
}

WRITTEN = """
    window.written = [];
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        window.written.push(text);
        return write.call(this, text, ...rest);
    };
"""
"""Keeps what is written into charts, which are pictures."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SheetStage]:
    with serving_sheets(tmp_path_factory.mktemp("sheets")) as served:
        yield served


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_small_telephone_and_nothing_complains(
    browser: Browser, stage: SheetStage, name: str
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="id-ID")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(stage.url + PAGES[name])
    width = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert width <= 360
    # A page that is not there is answered with 404, which the console repeats.
    assert [one for one in complaints if "404" not in one] == []


def test_from_the_figure_to_the_reason_of_a_second_by_keyboard_and_without_script(
    browser: Browser, stage: SheetStage
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{stage.url}/figure")
    page.get_by_role("link", name="database", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Outages, year 2026")
    page.locator("tr", has_text="1 Apr 2026").get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Outage")
    expect(page.get_by_text("not counted: planned downtime")).to_be_visible()
    page.get_by_role("link", name="CEISA Impor").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CEISA Impor")
    page.get_by_label("Not counted", exact=True).select_option("partly")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#outages tbody tr")).to_have_count(1)
    page.goto(f"{stage.url}/node/{REAL_NODE}")
    expect(page.locator("#charts svg.chart").first).to_be_visible()
    expect(page.locator("#charts .uplot")).to_have_count(0)
    context.close()


def test_the_language_is_chosen_on_the_page_and_stays(browser: Browser, stage: SheetStage) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{stage.url}/service/impor?zoom=week")
    page.get_by_role("link", name="Bahasa Indonesia").click()
    expect(page.locator("html")).to_have_attribute("lang", "id")
    assert "zoom=week" in page.url
    page.goto(f"{stage.url}/figure")
    expect(page.get_by_role("heading", name="Bulan")).to_be_visible()
    context.close()


def test_signing_in_leads_to_the_page_that_was_asked_for(browser: Browser, tmp_path: Path) -> None:
    with serving_sheets(tmp_path, sign_in=True) as stage:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{stage.url}/node/{REAL_NODE}")
        page.get_by_label("Name").fill("siti")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(REAL_NODE)
        expect(page.get_by_role("link", name="Sign out")).to_be_visible()
        context.close()


def test_a_chart_tells_the_value_at_a_moment_and_prints_as_its_drawing(browser: Browser, stage: SheetStage) -> None:
    context = browser.new_context(locale="id-ID", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WRITTEN)
    page.goto(f"{stage.url}/node/{REAL_NODE}?zoom=hour")
    chart = page.locator("#charts li", has_text="Prosesor")
    over, face, told = chart.locator(".u-over"), chart.get_by_role("slider"), chart.locator(".u-legend")
    expect(chart.locator("svg.chart")).to_be_hidden()
    assert {"01.30", "02.00", "0 %", "100 %"} <= set(page.evaluate("written"))
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    over.hover(position={"x": box["width"] / 2, "y": 20})
    # Half an hour before the end, of a processor that had 10 % at the end and 0.1 % more every 10 s before.
    expect(told).to_have_text(re.compile(r"24 Nov 2026, 01\.5[56]\.\d\d.*Rata-rata(27,9|28,[0-2]) %"))
    expect(page.locator("#charts li", has_text="/data").locator(".u-legend")).to_contain_text("01.5")
    over.hover(position={"x": 4, "y": 20})
    expect(told).to_contain_text("tidak terukur")
    expect(told).to_contain_text("24 Nov 2026, 01.2")

    whole = seen_values(face)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20, steps=3)
    page.mouse.up()
    face.focus()
    assert 40 < seen_values(face) < 100
    face.press("Home")
    expect(face).to_have_attribute(
        "aria-valuetext", re.compile(r"Waktu 24 Nov 2026, 01\.5\d\.\d\d, Rata-rata 2\d,\d %")
    )
    first = face.get_attribute("aria-valuetext")
    face.press("ArrowRight")
    expect(face).not_to_have_attribute("aria-valuetext", first or "")
    over.dblclick(position={"x": 40, "y": 20})
    face.press("End")
    assert seen_values(face) == whole

    page.emulate_media(media="print")
    expect(chart.locator("svg.chart")).to_be_visible()
    expect(chart.locator(".uplot")).to_be_hidden()
    context.close()


def seen_values(face: Locator) -> int:
    """How many values of a chart are within its zoom."""
    face.press("End")
    return int(face.get_attribute("aria-valuemax") or 0) - int(face.get_attribute("aria-valuemin") or 0)


def test_a_printed_page_has_no_navigation(browser: Browser, stage: SheetStage) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(f"{stage.url}/figure")
    expect(page.locator(".paths")).to_be_hidden()
    expect(page.locator("#figure")).to_be_visible()
    context.close()
