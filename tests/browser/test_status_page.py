"""The status page in a real Chromium, as an operator has it open all night."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from browser.fabricated import MINUTE, NOW, broken, empty, healthy, hostile, many, presumed
from browser.page_server import serving
from detak_collector.board.board import Board
from detak_collector.web.pages import Pace
from detak_collector.web.present import format_duration_ms

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


class Tab:
    """One page and all that its console complained about (content-policy violations are among it)."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    yield Tab(context.new_page())
    context.close()


def headline(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_an_outage_appears_and_goes_without_a_reload(tab: Tab) -> None:
    with serving(healthy()) as server:
        tab.page.goto(server.url)
        expect(tab.page.locator("h1")).to_have_text("All 3 services are up")
        tab.page.evaluate("window.sameDocument = true")
        server.show(broken())
        expect(tab.page.locator("h1")).to_contain_text("CEISA Impor is down since 02:14")
        expect(tab.page.locator("#running")).to_contain_text("connection refused")
        assert tab.page.title().startswith("(1 down)")
        server.show(healthy())
        expect(tab.page.locator("#running")).to_have_count(0)
        assert tab.page.evaluate("window.sameDocument")
    assert tab.complaints == [] or all("ERR_" in complaint for complaint in tab.complaints)


def test_what_is_open_focused_and_scrolled_to_stays_so_through_an_update(tab: Tab) -> None:
    with serving(many(60)) as server:
        tab.page.goto(server.url)
        tab.page.locator("#summary-s40").scroll_into_view_if_needed()
        tab.page.locator("#summary-s40").click()
        before = tab.page.evaluate("scrollY")
        changed = many(60)
        renamed = tuple(replace(one, name="Renamed") if one.id == "s41" else one for one in changed.services)
        server.show(replace(changed, services=renamed))
        expect(tab.page.locator("#summary-s41")).to_contain_text("Renamed")
        assert tab.page.locator("#details-s40").get_attribute("open") is not None
        assert tab.page.evaluate("document.activeElement.id") == "summary-s40"
        assert tab.page.evaluate("scrollY") == before


def test_an_opened_service_stays_open_when_its_state_changes(tab: Tab) -> None:
    with serving(healthy()) as server:
        tab.page.goto(server.url)
        tab.page.locator("#summary-impor").click()
        server.show(broken())
        expect(tab.page.locator("#service-impor .members").first).to_contain_text("connection refused")
        expect(tab.page.locator("#service-impor .members").first).to_be_visible()
        first = tab.page.locator(".services > .service").first
        assert first.get_attribute("id") == "service-impor"


def test_a_page_that_is_not_renewed_says_so_until_it_is(tab: Tab) -> None:
    with serving(healthy()) as server:
        tab.page.goto(server.url)
        expect(tab.page.locator("#stale")).to_be_hidden()
        server.source.failure = RuntimeError("lost")
        server.show(broken())
        expect(tab.page.locator("#stale")).to_contain_text("Not renewed since 02:26:0")
        expect(tab.page.locator("h1")).not_to_contain_text("is down")
        server.source.failure = None
        server.show(broken())
        expect(tab.page.locator("h1")).to_contain_text("CEISA Impor is down")
        expect(tab.page.locator("#stale")).to_be_hidden()


def test_a_lost_connection_is_said_and_healed_after_a_restart(tab: Tab) -> None:
    with serving(healthy()) as server:
        tab.page.goto(server.url)
        expect(tab.page.locator("#stale")).to_be_hidden()
        server.stop()
        expect(tab.page.locator("#stale")).to_contain_text("Connection lost since")
        expect(tab.page.locator("#stale")).to_contain_text("what you see is from 02:26:0")
        server.source.current = broken()
        server.start()
        expect(tab.page.locator("h1")).to_contain_text("CEISA Impor is down", timeout=15_000)
        expect(tab.page.locator("#stale")).to_be_hidden()


def test_a_running_length_ticks_in_the_servers_words(tab: Tab) -> None:
    with serving(broken(NOW - 12 * MINUTE), Pace(most_s=60)) as server:
        tab.page.goto(server.url)
        length = tab.page.locator("#running .length")
        seen = {length.inner_text()}
        deadline = time.monotonic() + 10
        while len(seen) < 2 and time.monotonic() < deadline:
            tab.page.wait_for_timeout(100)
            seen.add(length.inner_text())
        words = {format_duration_ms(12 * MINUTE + passed * 1000) for passed in range(20)}
        assert len(seen) >= 2
        assert seen <= words


@pytest.mark.parametrize("age", [500, 59_000, 3_599_000, 5 * 3_600_000, 1_500 * 86_400_000])
def test_the_script_says_lengths_as_the_server_does(tab: Tab, age: int) -> None:
    with serving(broken(NOW - age)) as server:
        tab.page.goto(server.url)
        length = tab.page.locator("#running .length")
        told = length.inner_text()
        allowed = {format_duration_ms(age + passed) for passed in range(0, 15_000, 500)}
        assert told in allowed
        tab.page.evaluate("document.querySelector('#running .length').textContent = ''")
        expect(length).not_to_have_text("")
        assert length.inner_text() in allowed


@pytest.mark.parametrize("make", [healthy, broken, presumed, empty, hostile])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_breaks_its_policy_or_scrolls_sideways_on_a_telephone(
    browser: Browser, make: object, theme: str
) -> None:
    assert callable(make)
    board: Board = make()
    dark = theme == "dark"
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark" if dark else "light")
    tab = Tab(context.new_page())
    with serving(board) as server:
        tab.page.goto(server.url)
        for opened in tab.page.locator("summary").all():
            opened.click()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert tab.complaints == []
        context.close()


def test_the_keyboard_alone_opens_a_service(tab: Tab) -> None:
    with serving(broken()) as server:
        tab.page.goto(server.url)
        for _ in range(30):
            tab.page.keyboard.press("Tab")
            if tab.page.evaluate("document.activeElement.id") == "summary-impor":
                break
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator("#service-impor .members").first).to_be_visible()
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator("#service-impor .members").first).to_be_hidden()


def test_without_script_the_page_is_complete_and_renews_itself(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    with serving(broken()) as server:
        page.goto(server.url)
        assert "CEISA Impor is down since 02:14 (12 min 00 s)" in headline(page)
        assert 'http-equiv="refresh"' in page.content()
        context.close()
