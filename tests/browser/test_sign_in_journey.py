"""Signing in and one's own account in a real Chromium, by keyboard alone and without a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.fabricated import LONG
from browser.people_server import serving_people
from browser.test_status_page import ARGUMENTS
from detak_collector.accounts.roles import Role
from detak_collector.web.session import digest
from people_stage import HOUR_MS, PASSWORD, Stage

pytestmark = pytest.mark.browser
FRESH = "empat kata yang baru"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with serving_people(tmp_path) as served:
        yield served


def keys(page: Page, *pressed: str, at: str = "") -> None:
    """One after the other, once `at` has the focus by itself: a key by its name in brackets, else a text."""
    if at:
        expect(page.locator(at)).to_be_focused()
    for one in pressed:
        if one.startswith("["):
            page.keyboard.press(one[1:-1])
        else:
            page.keyboard.insert_text(one)


def code_of(stage: Stage, secret: str) -> str:
    return pyotp.TOTP(secret).at(stage.now.utc // 1_000)


def test_from_the_link_to_the_second_factor_and_out_by_keyboard_alone(browser: Browser, stage: Stage) -> None:
    stage.add("siti", Role.VIEWER, display="Siti Rahma", password=None)
    stage.store.accounts.issue_reset("siti", digest("the-link"), stage.now.utc + HOUR_MS)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in/password?link=the-link")
    keys(page, FRESH, "[Tab]", FRESH, "[Enter]", at="#new")
    expect(page.get_by_role("status")).to_have_text("Your password is set. Sign in with it.")
    keys(page, "siti", "[Tab]", "a wrong one", "[Enter]", at="#name")
    expect(page.get_by_role("alert")).to_have_text("That is not right. Check the name and the password.")
    keys(page, FRESH, "[Enter]", at="#password")
    expect(page.get_by_role("link", name="Siti Rahma")).to_be_visible()
    expect(page.locator("#nodes")).to_contain_text("dc-db-01")

    keys(page, "[Tab]", "[Enter]")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.locator("#on-password").focus()
    keys(page, FRESH, "[Enter]")
    secret = page.locator(".secret").inner_text().replace(" ", "")
    keys(page, code_of(stage, secret), "[Enter]", at="#code")
    expect(page.get_by_role("status")).to_contain_text("The second factor is on")

    page.get_by_role("link", name="Sign out").focus()
    keys(page, "[Enter]")
    keys(page, "[Enter]", at="button[value=here]")
    expect(page.get_by_role("status")).to_have_text("You have signed out.")
    stage.later(60_000)
    keys(page, "siti", "[Tab]", FRESH, "[Enter]", at="#name")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    keys(page, code_of(stage, secret), "[Enter]", at="#code")
    expect(page.get_by_role("link", name="Siti Rahma")).to_be_visible()
    context.close()


def test_an_open_status_page_becomes_the_public_one_when_its_reader_signs_out_elsewhere(
    browser: Browser, stage: Stage
) -> None:
    stage.add("siti", Role.VIEWER)
    context = browser.new_context()
    page, other = context.new_page(), context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, stage)
    expect(page.locator("#nodes")).to_be_visible()
    other.goto(f"{stage.url}/sign-out")
    other.get_by_role("button", name="Sign out here").press("Enter")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible(timeout=15_000)
    expect(page.locator("#nodes")).to_have_count(0)
    assert not [one for one in complaints if "Content Security Policy" in one]
    context.close()


def sign_in(page: Page, stage: Stage, name: str = "siti") -> None:
    page.goto(f"{stage.url}/sign-in")
    keys(page, name, "[Tab]", PASSWORD, "[Enter]", at="#name")
    expect(page.locator(".who")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen_and_every_field_has_a_name(
    browser: Browser, stage: Stage, width: int, theme: str
) -> None:
    stage.add("siti", *Role, display=LONG[:100], mail=f"{'x' * 60}@example.go.id")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, stage)
    stage.store.accounts.offer_secret("siti", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    for path in ("/", "/account", "/sign-out", "/sign-in/password?link=x"):
        page.goto(stage.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        for field in page.locator("input:not([type=hidden])").all():
            assert field.evaluate("field => field.labels.length") == 1
        assert page.locator("h1").count() == 1
    context.close()
