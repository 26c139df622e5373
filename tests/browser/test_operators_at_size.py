"""What operators and approvers do, two people at a time, over a store as an organisation has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.made_store import AT_NIGHT, HOUR_MS, Place, local_text
from browser.test_status_page import ARGUMENTS

pytestmark = pytest.mark.browser
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:patches@example.go.id
DTSTART;TZID=Asia/Jakarta:{month}05T220000
DTEND;TZID=Asia/Jakarta:{month}05T233000
SUMMARY:patches
END:VEVENT
BEGIN:VEVENT
UID:battery@example.go.id
DTSTART;TZID=Asia/Jakarta:{month}07T220000
DTEND;TZID=Asia/Jakarta:{month}07T233000
SUMMARY:the battery of the UPS
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@contextmanager
def two(browser: Browser, place: Place) -> Iterator[tuple[Page, Page]]:
    """Ani, who proposes, and Joko, who approves."""
    with place.visited(browser, "ani") as ani, place.visited(browser, "joko") as joko:
        yield ani, joko


def previewed(page: Page) -> None:
    page.get_by_role("button", name="Show what it changes").press("Enter")
    expect(page.get_by_role("button", name="Propose it")).to_be_visible()


def proposed(page: Page) -> str:
    """The address of what is proposed, once what it changes was shown."""
    page.get_by_role("button", name="Propose it").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("takes effect once somebody else approves it")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    return page.url.partition("?")[0]


def approved(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.get_by_role("status")).to_have_text("It is approved.")


def to_an_outage(page: Page, month: str) -> None:
    """The page of the latest outage of a month that the figure counts wholly."""
    page.goto(f"/figure/{month}/outages?excluded=not")
    page.locator("#outages tbody tr", has_not=page.locator(".name .tag")).locator("td.number a").first.press("Enter")
    expect(page.locator(".pieces .counts").first).to_be_visible()


def test_an_exclusion_of_two_people_is_in_the_figure_as_it_was_foretold(browser: Browser, place: Place) -> None:
    month = place.month(1)
    with two(browser, place) as (ani, joko):
        to_an_outage(ani, month)
        outage = ani.url
        ani.get_by_role("link", name="Propose an exclusion").press("Enter")
        ani.select_option("#category", "planned")
        ani.fill("#document", "ND-1/2026")
        ani.fill("#reason", "the switch was replaced")
        previewed(ani)
        changes = ani.locator(".effects tr", has=ani.get_by_role("link", name=month)).locator("td.number")
        before, after, counted_before, counted_after = changes.all_inner_texts()
        path = proposed(ani)
        joko.goto(f"/figure/{month}")
        expect(joko.locator(".percent")).to_have_text(before)
        joko.goto("/exclusions")
        joko.get_by_role("link", name=re.compile("wait for your decision|waits for your decision")).press("Enter")
        joko.get_by_role("link", name=path.rpartition("/")[2], exact=True).press("Enter")
        expect(joko.locator(".effects")).to_contain_text(after)
        approved(joko, path)
        joko.goto(f"/figure/{month}")
        expect(joko.locator(".percent")).to_have_text(after)
        ani.goto(outage)
        expect(ani.locator(".pieces")).to_contain_text("ND-1/2026")
    # Of so many services one outage less may not be seen in the rate.
    assert counted_before != counted_after


@AT_NIGHT
def test_the_word_of_a_provider_is_kept_beside_the_outage_that_he_caused(browser: Browser, place: Place) -> None:
    with two(browser, place) as (ani, joko):
        to_an_outage(ani, place.month(1))
        ani.get_by_role("link", name="Propose an exclusion").press("Enter")
        ani.select_option("#category", "third_party")
        ani.fill("#document", "BA-7/2026")
        ani.fill("#reason", "his fibre was cut")
        ani.locator("summary", has_text="The provider").press("Enter")
        ani.fill("#provider", "Telkom")
        ani.fill("#circuit", "C-17")
        ani.fill("#ticket", "T-1")
        ani.fill("#provider_from", ani.input_value("#from"))
        ani.fill("#provider_to", ani.input_value("#to"))
        previewed(ani)
        path = proposed(ani)
        approved(joko, path)
        ani.goto(path)
        ani.select_option("#stance", "accepted")
        ani.fill("#claim-reason", "his letter 12/2026")
        ani.get_by_role("button", name="Keep that").press("Enter")
        expect(ani.get_by_role("status")).to_have_text("What the provider says is kept.")
        expect(ani.locator(".pairs")).to_contain_text("Telkom · circuit C-17 · ticket T-1")
        ani.goto("/exclusions?state=all&category=third_party")
        expect(ani.locator(".corrections")).to_contain_text("accepted")


@AT_NIGHT
def test_maintenance_is_planned_taken_in_and_given_out_as_a_calendar(
    browser: Browser, place: Place, tmp_path: Path
) -> None:
    ahead = place.month(-1)
    file = tmp_path / "plan.ics"
    file.write_text(CALENDAR.format(month=ahead.replace("-", "")).replace("\n", "\r\n"))
    with two(browser, place) as (ani, joko):
        ani.goto("/calendar")
        ani.get_by_role("link", name="Plan something").press("Enter")
        ani.fill("#target", "service-0002")
        ani.fill("#from", f"{ahead}-03T22:00")
        ani.fill("#to", f"{ahead}-03T23:00")
        ani.locator("summary", has_text="It recurs").press("Enter")
        ani.select_option("#repeat", "WEEKLY")
        ani.fill("#document", "ND-2/2026")
        ani.fill("#reason", "weekly patches")
        previewed(ani)
        path = proposed(ani)
        approved(joko, path)
        joko.goto(f"/calendar?at={ahead}")
        assert joko.locator(".window:not(.pending)", has_text="service-0002").count() >= 4
        given = joko.request.get("/calendar.ics").text()
        assert "RRULE:FREQ=WEEKLY" in given

        taken_in(ani, file)
        expect(ani.locator("td.name")).to_have_count(2)
        ani.get_by_role("button", name="Propose all of it").press("Enter")
        expect(ani.get_by_role("status")).to_contain_text("The calendar is proposed")
        joko.goto(f"/calendar?view=list&at={ahead}")
        battery = joko.locator("tr", has_text="the battery of the UPS").locator(".what a").inner_text()
        approved(joko, f"/exclusions/{battery}")
        taken_in(ani, file)
        expect(ani.get_by_text("There is nothing new in it.")).to_be_visible()


def taken_in(page: Page, file: Path) -> None:
    page.goto("/calendar/import")
    page.set_input_files("#file", file)
    page.select_option("#category", "preventive")
    page.select_option("#kind", "service")
    page.fill("#target", "service-0001")
    page.fill("#document", "ND-3/2026")
    page.get_by_role("button", name="Show what it proposes").press("Enter")


@AT_NIGHT
def test_a_drill_is_declared_beforehand_and_labelled_wherever_it_shows(browser: Browser, place: Place) -> None:
    begin = place.now_utc + 2 * HOUR_MS
    with two(browser, place) as (ani, joko):
        ani.goto("/exclusions/new?category=planned")
        ani.fill("#target", "service-0000")
        ani.check("#drill")
        ani.fill("#from", local_text(begin))
        ani.fill("#to", local_text(begin + HOUR_MS))
        ani.fill("#document", "ND-4/2026")
        ani.fill("#reason", "from the DC to the DRC and back")
        previewed(ani)
        path = proposed(ani)
        name = path.rpartition("/")[2]
        approved(joko, path)
        expect(joko.locator(".pairs .tag.drill")).to_be_visible()
        joko.goto(f"/calendar?at={local_text(begin)[:7]}")
        expect(joko.locator(f".window.drill[href$='/{name}']").first).to_contain_text("drill")
        joko.goto("/")
        expect(joko.locator("#planned li", has=joko.get_by_role("link", name=name, exact=True))).to_contain_text(
            "drill"
        )


@AT_NIGHT
def test_an_outage_is_acknowledged_annotated_and_ruled_to_belong_with_another(browser: Browser, place: Place) -> None:
    with place.visited(browser, "ani") as ani:
        ani.goto("/outages")
        numbers = ani.locator("tbody td.number a").all_inner_texts()
        to_an_outage(ani, place.month(1))
        ani.get_by_role("link", name="Annotate, acknowledge, attach").press("Enter")
        number = ani.url.rpartition("/")[2]
        other = next(one for one in numbers if one != number)
        begun = ani.locator(".facts b").first.inner_text()
        ani.fill("#acknowledgement-note", "a technician is on the way")
        ani.press("#acknowledgement-note", "Enter")
        expect(ani.get_by_role("status")).to_contain_text("acknowledged")
        ani.fill("#cause", "a power supply")
        ani.fill("#chronology", "23:58 traffic stopped\n00:31 replaced")
        ani.fill("#what-1", "order a spare")
        ani.locator("form[action$=annotation] button").press("Enter")
        expect(ani.get_by_role("status")).to_contain_text("saved")
        for action, words in (("merge", "belongs together"), ("split", "an incident of its own")):
            ani.get_by_text("Rule otherwise").press("Enter")
            ani.get_by_label(re.compile(words)).check()
            if action == "merge":
                ani.fill("#outages", other)
            ani.fill("#reason", f"the switch, {action}")
            ani.get_by_role("button", name="Enter it", exact=True).press("Enter")
            expect(ani.get_by_role("status")).to_contain_text("No figure changes")
            expect(ani.locator("#incident")).to_contain_text(f"the switch, {action}")
        ani.get_by_role("link", name="Why each second counts, or does not").press("Enter")
        expect(ani.locator(".story")).to_contain_text("a power supply")
        expect(ani.locator(".facts b").first).to_have_text(begun)


@AT_NIGHT
def test_a_month_is_disputed_answered_and_sealed_and_stays_as_it_was(browser: Browser, place: Place) -> None:
    month = place.month(2)
    with two(browser, place) as (ani, joko):
        to_an_outage(ani, month)
        ani.get_by_role("link", name="Dispute it").press("Enter")
        ani.fill("#reason", "the service was used all the time")
        ani.get_by_role("button", name="Dispute it").press("Enter")
        dispute = ani.url.partition("?")[0]
        ani.goto(f"/closing/{month}")
        expect(ani.locator("main")).to_contain_text("disputed")
        joko.goto(dispute)
        joko.fill("#reason", "the log of the gateway says otherwise")
        joko.get_by_role("button", name="Dismiss it").press("Enter")
        expect(joko.locator(".pairs")).to_contain_text("the log of the gateway says otherwise")

        ani.goto(f"/figure/{month}")
        percent = ani.locator(".percent").inner_text()
        ani.goto(f"/closing/{month}")
        ani.fill("#reason", "all is told")
        ani.get_by_role("button", name="Ask for its seal").press("Enter")
        expect(ani.get_by_role("status")).to_contain_text("takes effect once somebody else approves it")
        approve_seal(joko, month)
        to_an_outage(ani, month)
        ani.get_by_role("link", name="Propose an exclusion").press("Enter")
        ani.select_option("#category", "planned")
        ani.fill("#document", "ND-5/2026")
        ani.fill("#reason", "found later")
        previewed(ani)
        approved(joko, proposed(ani))
        ani.goto(f"/figure/{month}")
        expect(ani.locator(".percent")).to_have_text(percent)
        expect(ani.locator(".sealed")).to_contain_text("By all that is known now it would be")


def approve_seal(page: Page, month: str) -> None:
    page.goto(f"/closing/{month}")
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.get_by_role("status")).to_have_text("It is approved: the figure stands.")
