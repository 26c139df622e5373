"""Administrators at work in a real Chromium: by keyboard, without a script, and a catalogue that two people let in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from admin_stage import NODE, SERVICES, WITHOUT_PUSAT, AdminStage, serving_admin
from browser.fabricated import HOSTILE
from browser.test_status_page import ARGUMENTS
from detak_collector.accounts.roles import Role
from people_stage import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[AdminStage]:
    with serving_admin(tmp_path) as served:
        yield served


def signed_in(context: BrowserContext, stage: AdminStage, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator(".who")).to_be_visible()
    return page


def test_a_person_gets_in_and_a_node_leaves_by_keyboard_without_a_script(browser: Browser, stage: AdminStage) -> None:
    first = browser.new_context(java_script_enabled=False, locale="en-GB")
    agus = signed_in(first, stage, "agus")
    agus.goto(f"{stage.url}/account")
    agus.get_by_role("link", name="Administration").press("Enter")
    agus.fill("#name", "rina")
    agus.fill("#display", HOSTILE[:100])
    agus.press("#mail", "Enter")
    link = agus.locator(".once").inner_text()

    second = browser.new_context(java_script_enabled=False, locale="id-ID")
    rina = second.new_page()
    rina.goto(stage.url + "/" + link.split("/", 3)[3])
    rina.fill("#new", PASSWORD)
    rina.fill("#again", PASSWORD)
    rina.press("#again", "Enter")
    expect(rina.get_by_role("status")).to_be_visible()

    agus.get_by_role("link", name=HOSTILE[:100]).press("Enter")
    agus.select_option("#role", "viewer")
    agus.fill("#password", "not mine")
    agus.press("#password", "Enter")
    expect(agus.locator("#password-fault")).to_have_text("That is not your password.")
    expect(agus.locator("#role")).to_have_value("viewer")
    agus.fill("#password", PASSWORD)
    agus.press("#password", "Enter")
    expect(agus.get_by_role("status")).to_have_text("The role is given.")
    assert stage.people.gate.grants.roles("rina") == {Role.VIEWER}

    agus.get_by_role("link", name="Nodes").press("Enter")
    agus.get_by_role("link", name=NODE).press("Enter")
    expect(agus.get_by_text("These services rest on it:")).to_be_visible()
    agus.fill("#typed", "another")
    agus.press("#typed", "Enter")
    expect(agus.locator("#typed-fault")).to_contain_text("Type the name of the node")
    agus.fill("#typed", NODE)
    agus.press("#typed", "Enter")
    expect(agus.get_by_role("status")).to_have_text("Its key is void.")
    assert stage.store.registry.keys() == {}
    first.close()
    second.close()


def test_one_checks_and_proposes_a_catalogue_and_another_approves_it(
    browser: Browser, stage: AdminStage, tmp_path: Path
) -> None:
    file = tmp_path / "fresh.toml"
    file.write_text(WITHOUT_PUSAT)
    first, second = browser.new_context(locale="en-GB"), browser.new_context(locale="id-ID")
    agus, budi = signed_in(first, stage, "agus"), signed_in(second, stage, "budi")
    agus.goto(f"{stage.url}/admin/catalogue")
    agus.fill("#pasted", SERVICES.replace("sangat kritis", "<b>", 1).replace("timezone", "timezome"))
    agus.get_by_role("button", name="Check it").click()
    expect(agus.get_by_role("alert")).to_contain_text("timezome")
    expect(agus.locator("#pasted")).to_have_value(agus.locator("#pasted").input_value())
    agus.set_input_files("#services", file)
    agus.get_by_role("button", name="Check it").click()
    expect(agus.get_by_text("service pusat: is gone")).to_be_visible()
    expect(agus.get_by_role("row", name="pusat")).to_contain_text("40 min 0.0 s")
    agus.get_by_role("button", name="Propose it").press("Enter")
    expect(agus.get_by_role("status")).to_have_text("It is held until an approver agrees.")
    expect(agus.get_by_role("button", name="Approve it")).to_have_count(0)
    budi.goto(agus.url.partition("?")[0])
    expect(budi.get_by_role("row", name="pusat")).to_contain_text("40 mnt 0,0 dtk")
    budi.get_by_role("button", name="Setujui").press("Enter")
    expect(budi.locator("#document-fault")).to_be_visible()
    budi.fill("#document", HOSTILE)
    budi.get_by_role("button", name="Setujui").press("Enter")
    expect(budi.get_by_role("status")).to_have_text("Sudah disetujui, dan berlaku dalam hitungan detik.")
    standing = stage.register.standing()
    assert standing is not None
    assert standing.version.number == 2
    first.close()
    second.close()
