"""What administrators, auditors and programs do, over a store as an organisation has it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.made_store import AT_NIGHT, PATIENCE_S, Place
from browser.test_status_page import ARGUMENTS
from detak_wire.codec import encode
from detak_wire.messages import Enrolment, Evidence, Part, Span, State
from people_stage import PASSWORD

pytestmark = [pytest.mark.browser, AT_NIGHT]
NODE, CHECK, RUN = "node-0009", "dev-1-0", f"{9:032x}"
"""What the first service has one of: without it that is down."""

FIRST_NUMBER = 1_000_000_001
EACH_MS = 5_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


def deliver(page: Page, place: Place, key: str, turn: int, state: State) -> int:
    """The node's check once more, in that state; the status of the answer."""
    at = place.end_agent + turn * EACH_MS
    span = Span(FIRST_NUMBER + turn, CHECK, state, at, at + 3, at, at + 3, 1, 0, closed=True)
    body = encode(Evidence(1, NODE, RUN, at + 5, [Part(RUN, spans=[span])]))
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return page.request.post("/api/v1/evidence", data=body, headers=head).status


def test_a_node_is_let_in_what_it_says_shows_at_once_and_retired_it_is_heard_no_more(
    browser: Browser, place: Place
) -> None:
    with place.visited(browser, "agus") as agus, place.visited(browser, "siti") as siti:
        agus.goto("/admin/nodes")
        agus.fill("#node", NODE)
        agus.press("#node", "Enter")
        token = agus.locator(".once code").inner_text().partition("--token ")[2].split()[0]
        answer = siti.request.post(
            "/api/v1/enrol", data=encode(Enrolment(1, NODE, token)), headers={"Content-Type": "application/json"}
        )
        key = answer.json()["key"]
        siti.goto("/")
        service = siti.locator("#service-service-0000 .service-state")
        expect(service).to_contain_text(re.compile("^up"))
        assert deliver(siti, place, key, 1, "down") == 200
        expect(service).to_contain_text(re.compile("^down"), timeout=30_000)
        assert deliver(siti, place, key, 2, "up") == 200
        expect(service).to_contain_text(re.compile("^up"), timeout=30_000)

        agus.fill("#find", NODE)
        agus.press("#find", "Enter")
        agus.get_by_role("link", name=NODE, exact=True).press("Enter")
        expect(agus.get_by_text("These services rest on it:")).to_be_visible()
        agus.fill("#typed", NODE)
        agus.press("#typed", "Enter")
        expect(agus.get_by_role("status")).to_have_text("Its key is void.")
        assert deliver(siti, place, key, 3, "up") == 401


def test_a_catalogue_that_touches_the_past_is_checked_proposed_and_let_in_by_another(
    browser: Browser, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "services.toml"
    before = (place.home / "services.toml").read_text()
    file.write_text(before.replace('criticality = "kritis"', 'criticality = "sangat kritis"', 1))
    with place.visited(browser, "agus") as agus, place.visited(browser, "joko") as joko:
        agus.goto("/admin/catalogue")
        agus.set_input_files("#services", file)
        agus.get_by_role("button", name="Check it").press("Enter")
        expect(agus.get_by_text("service service-0003:").first).to_be_visible()
        figure = agus.locator(".effects tr", has_text="The figure").locator("td").all_inner_texts()
        agus.get_by_role("button", name="Propose it").press("Enter")
        expect(agus.get_by_role("status")).to_have_text("It is held until an approver agrees.")
        joko.goto(agus.url.partition("?")[0])
        joko.fill("#document", "ND-6/2026")
        joko.get_by_role("button", name="Approve it").press("Enter")
        expect(joko.get_by_role("status")).to_contain_text("It is approved")
        in_force(joko, "service-0003")
        expect(joko.locator(".percent")).to_have_text(figure[1].partition("\n")[0])
    assert figure[0] != figure[1]


def in_force(page: Page, service: str) -> None:
    """The page of the figure, once that counts a service: what is approved takes effect in seconds."""
    row = page.locator("#services tr", has=page.locator(f"a[href*='{service}?']"))
    deadline = time.monotonic() + PATIENCE_S
    page.goto("/figure")
    while row.locator(".tag").count():
        assert time.monotonic() < deadline, row.inner_text()
        page.wait_for_timeout(200)
        page.reload()


def test_an_auditor_finds_who_was_given_which_role(browser: Browser, place: Place) -> None:
    with place.visited(browser, "dewi") as dewi:
        dewi.goto("/exclusions")
        dewi.get_by_role("link", name="Audit trail").press("Enter")
        dewi.select_option("#kind", "grant")
        dewi.fill("#words", "joko")
        dewi.press("#words", "Enter")
        row = dewi.locator(".audit tbody tr")
        expect(row).to_have_count(1)
        row.locator("summary").press("Enter")
        expect(row.locator("dl")).to_contain_text("approver")


def read_through(page: Page, path: str, head: dict[str, str]) -> list[Any]:
    """All items of a list, page after page."""
    items: list[Any] = []
    cursor = ""
    while cursor is not None:
        answer = page.request.get(f"{path}?limit=50&cursor={cursor}", headers=head)
        assert answer.status == 200, answer.text()
        told = answer.json()
        items += told["items"]
        cursor = told["next"]
    assert len(items) == told["total"]
    return items


def test_a_program_reads_with_a_token_what_the_pages_say_until_that_is_revoked(browser: Browser, place: Place) -> None:
    with place.visited(browser, "ani") as ani, place.visited(browser) as program:
        ani.goto("/account/tokens")
        ani.fill("#label", "Papan pantau")
        ani.check("input[name=scope-read]")
        ani.fill("#password", PASSWORD)
        ani.press("#password", "Enter")
        head = {"Authorization": f"Bearer {ani.locator('#secret').inner_text()}"}
        services = read_through(program, "/api/v1/services", head)
        assert len({one["id"] for one in services}) == place.services
        assert len(read_through(program, "/api/v1/nodes", head)) == place.nodes
        path = f"/api/v1/figures/{place.month(1)}"
        first = program.request.get(path, headers=head)
        ani.goto(f"/figure/{place.month(1)}")
        shown = ani.locator(".percent").inner_text().split()[0]
        assert abs(float(first.json()["figure"]["percent"]) - float(shown)) < 0.0001
        assert program.request.get(path, headers={**head, "If-None-Match": first.headers["etag"]}).status == 304
        ani.goto("/account/tokens")
        ani.get_by_role("button", name="Revoke Papan pantau").press("Enter")
        expect(ani.get_by_role("status")).to_be_visible()
        assert program.request.get(path, headers=head).status == 401
