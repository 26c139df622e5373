"""The status page in two languages side by side, kept current in both; and tokens, made and revoked by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.axe import serious
from browser.fabricated import MINUTE, NOW, broken, healthy
from browser.page_server import serving
from browser.test_status_page import ARGUMENTS, Tab
from detak_collector.translation.language import language
from detak_collector.web.present import format_duration_ms
from people_stage import PASSWORD
from sheets_stage import SheetStage, serving_sheets

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SheetStage]:
    with serving_sheets(tmp_path_factory.mktemp("tokens"), sign_in=True) as served:
        yield served


def test_both_languages_are_kept_current_and_the_browser_s_own_words_are_in_them(browser: Browser) -> None:
    contexts = [browser.new_context(locale=spoken) for spoken in ("id-ID", "en-GB")]
    indonesian, english = (Tab(context.new_page()) for context in contexts)
    with serving(healthy()) as server:
        for tab in (indonesian, english):
            tab.page.goto(server.url)
        expect(indonesian.page.locator("h1")).to_have_text("Semua 3 layanan aktif")
        server.show(broken(NOW - 12 * MINUTE))
        expect(indonesian.page.locator("h1")).to_contain_text("CEISA Impor terhenti sejak 02.14")
        expect(english.page.locator("h1")).to_contain_text("CEISA Impor is down since 02:14")
        for width in (1_100, 1_000, 360):
            indonesian.page.set_viewport_size({"width": width, "height": 800})
            assert indonesian.page.evaluate("document.documentElement.scrollWidth") <= width
        length = indonesian.page.locator("#running .length")
        said = {format_duration_ms(12 * MINUTE + passed * 1_000, language("id")) for passed in range(60)}
        length.evaluate("element => { element.textContent = '' }")
        expect(length).not_to_have_text("")
        assert length.inner_text() in said
        # Whatever is chosen on another page meanwhile, this one goes on in its own.
        contexts[0].add_cookies([{"name": "detak-language", "value": "en", "url": server.url}])
        server.show(healthy())
        expect(indonesian.page.locator("h1")).to_have_text("Semua 3 layanan aktif")
        assert [tab.complaints for tab in (indonesian, english)] == [[], []]
        server.stop()
        expect(indonesian.page.locator("#stale")).to_contain_text("Sambungan terputus sejak")
        expect(english.page.locator("#stale")).to_contain_text("Connection lost since")
        indonesian.page.goto("about:blank")
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("theme", "spoken"), [("light", "en-GB"), ("dark", "id-ID")])
def test_a_token_is_made_and_revoked_on_a_telephone(
    browser: Browser, stage: SheetStage, theme: str, spoken: str
) -> None:
    context = browser.new_context(
        locale=spoken, color_scheme="dark" if theme == "dark" else "light", viewport={"width": 360, "height": 740},
        bypass_csp=True,
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in?next=/account/tokens")
    page.locator("#name").fill("siti")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#label").fill("Papan pantau")
    page.locator("input[name=scope-read]").check()
    page.locator("#password").fill("not the one")
    page.keyboard.press("Enter")
    expect(page.locator("#fault-password")).to_be_visible()
    assert page.locator("#label").input_value() == "Papan pantau"
    assert page.locator("input[name=scope-read]").is_checked()
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).to_have_text(re.compile(r"detak_[\w-]{43}"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious(page) == []
    page.get_by_role("button", name=re.compile("Papan pantau")).click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Papan pantau"))).to_have_count(0)
    context.close()
