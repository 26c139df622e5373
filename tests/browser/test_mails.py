"""Mails in a real Chromium, as wide as a mail program on a desk and on a telephone show them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.axe import serious
from browser.test_status_page import ARGUMENTS
from detak_collector.mail.content import Around
from detak_collector.mail.html import html, notice_html
from detak_collector.mail.matter import summary
from detak_collector.mail.notice import notice
from detak_collector.mail.periods import summary_period
from detak_collector.mail.png import png
from detak_collector.mail.waiting import Cause, Due, Person, Thing
from detak_collector.report.matter import Matter
from detak_collector.translation.language import language
from indonesian import english_in, texts_of
from report_cases import HOSTILE, report

pytestmark = pytest.mark.browser

JAKARTA = ZoneInfo("Asia/Jakarta")
LONG = "Sistem" * 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


def summary_page(period: str, code: str) -> str:
    """The HTML of a summary with its pictures in it, as a mail program shows both."""
    result = replace(report(summary_period(period, JAKARTA, 0)), ledger="12:" + "9f86d081" * 8)
    mail = summary(
        Matter(result, language(code), {}), Around("https://detak.example.go.id/figure", (LONG,), (), LONG, 3)
    )
    told = html(mail, "k")
    for one in mail.pictures:
        told = told.replace(f"cid:{one.name}.k", f"data:image/png;base64,{base64.b64encode(png(one.drawing)).decode()}")
    return told


def notice_page() -> str:
    """A mail about a proposal whose words no mail program may trip over."""
    person = Person(("ani",), "ani@example.go.id", approves=True, is_deputy=False)
    thing = Thing("e", "exclusion", "x1", HOSTILE, 0, "/exclusions/x1", category="planned", scope_kind="service",
                  scope=LONG, begin=0, end=1, document=LONG, reason=HOSTILE)  # fmt: skip
    told = notice([Due(person, thing, Cause.WAITS)], language("id"), JAKARTA, "https://detak.example.go.id", "DJBC")
    return notice_html(told)


@pytest.mark.parametrize("width", [600, 360])
def test_a_mail_is_no_wider_than_its_window_shows_its_pictures_and_shuts_nobody_out(
    browser: Browser, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 700}, java_script_enabled=True)
    page = context.new_page()
    found: list[str] = []
    pages = {"year": summary_page("2026", "id"), "day": summary_page("2026-01-11", "en"), "notice": notice_page()}
    for name, told in pages.items():
        page.set_content(told)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)"), name
        found += [f"{name}: {one}" for one in serious(page)]
    context.close()
    found += english_in(texts_of(pages["year"] + pages["notice"]))
    assert found == []
