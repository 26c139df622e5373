"""What people read, from the state of everything to the reason of a second, over a store as an organisation has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.made_store import AT_NIGHT, Place
from browser.test_status_page import ARGUMENTS

pytestmark = pytest.mark.browser
ZOOMS = ("hour", "week", "month", "year")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


def zoomed(page: Page, lanes: int) -> None:
    """Through every zoom; the lanes stay, and what the timeline shows is longer each time."""
    for zoom in ZOOMS:
        page.locator("#timeline .zooms").get_by_role("link", name=zoom, exact=True).press("Enter")
        expect(page.locator("#timeline .zooms [aria-current]")).to_have_text(zoom)
        expect(page.locator("#timeline .lanes > li:not(.axis)")).to_have_count(lanes)
    page.locator("#timeline .zooms").get_by_role("link", name="Earlier", exact=True).press("Enter")
    expect(page.locator("#timeline .zooms").get_by_role("link", name="Later", exact=True)).to_be_visible()


@AT_NIGHT
def test_from_the_state_of_everything_to_the_days_and_the_timeline_of_one_service(
    browser: Browser, place: Place
) -> None:
    with place.visited(browser) as visitor:
        visitor.goto("/")
        expect(visitor.locator("#services li.service")).to_have_count(place.services // 2)
    with place.visited(browser, "siti") as siti:
        siti.goto("/")
        expect(siti.locator("#services li.service")).to_have_count(place.services)
        siti.locator("#summary-service-0002").press("Enter")
        opened = siti.locator("#service-service-0002")
        expect(opened.locator(".eventful tr").first).to_contain_text("down")
        expect(opened.locator(".members li")).to_have_count(10)
        opened.get_by_role("link", name="Timeline and outages of this service").press("Enter")
        expect(siti.get_by_role("heading", level=1)).to_contain_text("Manifes 002: up")
        lanes = siti.locator("#timeline .lanes > li:not(.axis)").count()
        assert lanes > 10
        zoomed(siti, lanes)


def test_from_the_figure_down_to_the_spans_the_check_and_the_node(browser: Browser, place: Place) -> None:
    month = place.month(1)
    with place.visited(browser, "siti") as siti:
        siti.goto("/figure")
        siti.locator(f".months a[href$='{month}']").press("Enter")
        expect(siti).to_have_url(re.compile(f"/figure/{month}$"))
        siti.locator(".percent a").press("Enter")
        expect(siti).to_have_url(re.compile(f"/figure/{month}/outages$"))
        row = siti.locator("#outages tbody tr").first
        cause = row.locator(".why").evaluate("cell => cell.firstChild.textContent.trim()")
        siti.select_option("#cause", label=cause)
        siti.get_by_role("button", name="Show").press("Enter")
        expect(siti).to_have_url(re.compile("cause=[a-z]"))
        expect(row.locator(".why")).to_contain_text(cause)
        service = row.locator(".name a").inner_text()
        row.locator("td.number a").press("Enter")
        expect(siti.get_by_role("link", name=service)).to_be_visible()
        expect(siti.locator(".pieces")).to_contain_text("connection refused")
        expect(siti.locator(".evidence .spans").first).to_contain_text(re.compile(r"\d+/\d+"))
        said = siti.locator(".evidence tr", has_text="connection refused").first
        node, _, check = said.locator("a.check").inner_text().partition("/")
        said.locator("a.check").press("Enter")
        expect(siti.get_by_role("heading", level=1)).to_contain_text(f"{node}/{check}: up")
        siti.fill("#period", month)
        siti.locator("#stretches").get_by_role("button", name="Show").press("Enter")
        expect(siti.locator("#stretches tbody tr").first).to_contain_text("connection refused")
        zoomed(siti, siti.locator("#timeline .lanes > li:not(.axis)").count())
        siti.get_by_role("heading", level=1).get_by_role("link", name=node).press("Enter")
        expect(siti.locator(".checks > li")).to_have_count(6)
