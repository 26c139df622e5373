"""An operator writes what happened in an outage, and visitors see of it what is theirs; in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from annotation_stage import PDF, numbered
from browser.fabricated import HOSTILE, broken
from browser.test_status_page import ARGUMENTS
from detak_collector.accounts.roles import Role
from detak_collector.annotations.known import KnownAnnotations
from detak_collector.annotations.on_board import annotated
from people_stage import PASSWORD
from sheets_stage import SERVICES, SheetStage, serving_sheets

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[SheetStage]:
    with serving_sheets(tmp_path, SERVICES[:1], sign_in=True) as served:
        served.source.apart = True
        served.add("budi", Role.OPERATOR, display="Budi")
        yield served


def sign_in(page: Page, stage: SheetStage, name: str) -> None:
    page.goto(f"{stage.url}/sign-in")
    page.locator("#name").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_be_visible()


def show_now(stage: SheetStage, number: int) -> None:
    """The status page as the collector would draw it: the outage that is going on has this number."""
    board = broken()
    running = (replace(board.running[0], number=number), *board.running[1:])
    told = KnownAnnotations(stage.store.database).told()
    stage.source.current = annotated(replace(board, running=running), told, stage.store.outages.lasting)


def test_from_the_acknowledgement_to_what_a_visitor_reads_by_keyboard_and_without_script(
    browser: Browser, stage: SheetStage, tmp_path: Path
) -> None:
    number, other = numbered(stage)
    (tmp_path / "berita acara.pdf").write_bytes(PDF)
    context = browser.new_context(java_script_enabled=False, locale="id-ID")
    page = context.new_page()
    sign_in(page, stage, "budi")
    page.goto(f"{stage.url}/service/impor/outage/{number}")
    page.get_by_role("link", name="Beri keterangan, nyatakan diketahui, lampirkan").press("Enter")
    page.locator("#acknowledgement-note").fill("Teknisi menuju DC")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Gangguan sudah dinyatakan diketahui")

    page.locator("#cause").fill(f"firewall {HOSTILE}")
    page.locator("#chronology").fill("00.05 lalu lintas berhenti\nsebentar lagi")
    page.locator("#what-1").fill("perangkat lunak baru")
    page.locator("#until-1").fill("2026-12-31")
    page.locator("form[action$=annotation] button").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Baris 2: mulailah dengan waktu")
    page.locator("#chronology").fill("00.05 lalu lintas berhenti\n00.31 dinyalakan ulang")
    page.locator("form[action$=annotation] button").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Keterangan disimpan")

    page.locator("#file").set_input_files(tmp_path / "berita acara.pdf")
    page.get_by_role("button", name="Lampirkan", exact=True).press("Enter")
    expect(page.get_by_role("link", name="berita acara.pdf")).to_be_visible()
    page.get_by_text("Tulis catatan").click()
    page.locator("#note-id").fill(f"Sedang diperbaiki {HOSTILE}")
    page.get_by_label("semua orang").check()
    page.get_by_role("button", name="Tampilkan di halaman status").press("Enter")
    page.get_by_text("Tetapkan lain").click()
    page.locator("#outages").fill(str(other))
    page.locator("#reason").fill("firewall yang sama")
    page.get_by_role("button", name="Catat", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Tidak ada angka yang berubah")

    page.goto(f"{stage.url}/service/impor/outage/{number}")
    expect(page.get_by_role("heading", name="Apa yang terjadi")).to_be_visible()
    expect(page.get_by_text("sampai 31 Desember 2026")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="berita acara.pdf").click()
    assert Path(saved.value.path()).read_bytes() == PDF

    show_now(stage, number)
    page.goto(stage.url)
    expect(page.locator("#running")).to_contain_text("Teknisi menuju DC")
    expect(page.locator("#notes")).to_contain_text("budi")
    context.close()
    visited(browser, stage, number)


def visited(browser: Browser, stage: SheetStage, number: int) -> None:
    """What somebody sees who has not signed in."""
    visitor = browser.new_context(locale="id-ID")
    page = visitor.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.goto(stage.url)
    expect(page.locator("#notes")).to_contain_text("Sedang diperbaiki <script>")
    expect(page.locator("#notes")).to_contain_text("Operator")
    for inside in ("budi", "Teknisi", "firewall", f"gangguan {number}"):
        expect(page.locator("#status")).not_to_contain_text(inside)
    page.goto(f"{stage.url}/outages/{number}")
    expect(page.locator("#password")).to_be_visible()
    assert dialogs == []
    visitor.close()
