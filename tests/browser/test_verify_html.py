"""`detak-verify.html` in a real Chromium, opened from a disk and without a network, as an auditor has it.

It is made with Pyodide out of npm's registry, so it is tried at night only, and where that can be had.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from audited_bundle import audited
from browser.axe import serious
from browser.test_status_page import ARGUMENTS
from detak_collector.bundle import auditor
from packed_bundles import forged

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "pyodide"
PATIENCE_MS = 60_000
RECORDS = "ledger/records/1.ndjson"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        os.environ.get("DETAK_NIGHTLY") != "1", reason="it fetches Pyodide and starts Python in a page, at night only"
    ),
]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "detak-verify.html"
    made = subprocess.run(
        [sys.executable, ROOT / "packaging/verify_html.py", "-o", path], capture_output=True, text=True, check=False
    )
    if made.returncode and not list(KEPT.glob("*.tgz")):
        pytest.skip(f"Pyodide cannot be had here: {made.stderr.strip()}")
    assert (made.returncode, made.stderr) == (0, "")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(tmp_path_factory.mktemp("audited"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


class Desk:
    """The page, all that it asked of anybody and all that its console complained about."""

    def __init__(self, page: Page, html: Path) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", self._heard)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(html.as_uri())

    def _heard(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.asked.append(request.url)

    def take(self, bundle: Path) -> None:
        self.page.set_input_files("#file", bundle)
        self.page.wait_for_selector("#outcome, #failed .fault")

    def said(self, where: str) -> str:
        return self.page.locator(f"{where} pre[lang=en]").last.text_content() or ""


@pytest.fixture
def desk(browser: Browser, html: Path) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": 1000, "height": 800}, locale="en-GB", offline=True)
    yield Desk(context.new_page(), html)
    context.close()


def by_program(capsys: pytest.CaptureFixture[str], bundle: Path, does: str, *words: str) -> str:
    """What the same sources say on this Python, of a file in the folder where they stand."""
    auditor.run([does, str(bundle), *words])
    return capsys.readouterr().out.replace(str(bundle), bundle.name)


def test_an_auditor_checks_explains_draws_and_leaves_out_by_keyboard(
    desk: Desk, html: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = desk.page
    desk.take(bundle)
    expect(page.locator("#outcome h2")).to_have_text("Sound")
    expect(page.locator("#outcome")).to_be_focused()
    expect(page.locator("#figure")).to_contain_text("0.0381 %")
    expect(page.locator("#figure")).to_contain_text("Target met")
    assert desk.said("#checked") == by_program(capsys, bundle, "check")

    page.locator("#outage").focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator("#explained h3")).to_have_text("Outage 3 · portal")
    expect(page.locator("#explained .piece")).to_contain_text("0:10:00.0 not counted: planned downtime")
    assert desk.said("#explained") == by_program(capsys, bundle, "explain", "3")

    page.locator("#seed").fill("7")
    page.keyboard.press("Enter")
    expect(page.locator("#drawn")).to_contain_text("drawn by 7")
    assert desk.said("#drawn") == by_program(capsys, bundle, "sample", "--n", "25", "--seed", "7")

    page.locator("#exclusion").fill("x1")
    page.keyboard.press("Enter")
    expect(page.locator("#changed")).to_contain_text("+0:10:00.0 (+600,000 ms)")
    assert desk.said("#changed") == by_program(capsys, bundle, "without", "x1")

    page.locator("#head").fill("4711")
    page.keyboard.press("Enter")
    expect(page.locator("#head-fault")).to_contain_text("expected NUMBER:HEX")
    expect(page.locator("#head")).to_have_value("4711")
    assert desk.complaints == []
    assert desk.asked == [html.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(browser: Browser, html: Path, bundle: Path, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(locale="id-ID", color_scheme=scheme, offline=True, bypass_csp=True)
    desk = Desk(context.new_page(), html)
    desk.take(bundle)
    desk.page.locator("#seed").fill("7")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#drawn article").first).to_be_visible()
    for closed in desk.page.locator("summary").all():
        closed.click()
    assert serious(desk.page) == []
    context.close()


def test_the_program_in_the_page_is_the_published_one(desk: Desk, tmp_path: Path) -> None:
    published = tmp_path / "detak-verify.pyz"
    subprocess.run([sys.executable, ROOT / "packaging/verify.py", "-o", published], check=True, capture_output=True)
    digest = sha256(published.read_bytes()).hexdigest()
    expect(desk.page.locator("#made-of")).to_contain_text(digest, timeout=PATIENCE_MS)
    with desk.page.expect_download() as saving:
        desk.page.locator("#save").click()
    assert saving.value.path().read_bytes() == published.read_bytes()


def test_a_forged_record_is_named_in_indonesian_on_a_telephone(browser: Browser, html: Path, bundle: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[RECORDS] = files[RECORDS].replace(b'"state":"down"', b'"state":"up"', 1)

    path = bundle.with_name("forged.tar.gz")
    path.write_bytes(forged(bundle.read_bytes(), change))
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="id-ID", offline=True, color_scheme="dark"
    )
    desk = Desk(context.new_page(), html)
    desk.take(path)
    expect(desk.page.locator("#outcome h2")).to_have_text("Tidak utuh")
    expect(desk.page.locator("#outcome .first-bad")).to_have_text(
        f"chain: {RECORDS}: its lines are not those of its header"
    )
    expect(desk.page.locator("#further")).to_be_hidden()
    desk.take(bundle)
    expect(desk.page.locator("#outcome h2")).to_have_text("Utuh")
    expect(desk.page.locator("#figure")).to_contain_text("0,0381 %")
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert desk.complaints == []
    context.close()


def test_its_policy_lets_nothing_out_even_of_its_worker(browser: Browser, html: Path, tmp_path: Path) -> None:
    """The page's own policy on a page that tries what it can."""
    came: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    serving = Thread(target=server.serve_forever)
    serving.start()
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">', html.read_text("utf-8"))
    assert found is not None
    address = f"http://127.0.0.1:{server.server_port}"
    tries = f"""
      const told = [];
      fetch("{address}/fetch").catch(() => told.push(1)).finally(() => postMessage(told.length));
      try {{ const x = new XMLHttpRequest(); x.open("GET", "{address}/xhr", false); x.send(); }} catch {{}}
      try {{ new EventSource("{address}/events"); }} catch {{}}
      import("{address}/module").catch(() => {{}});
    """
    script = f"""
      const worker = new Worker("data:text/javascript," + encodeURIComponent({tries!r}), {{ type: "module" }});
      worker.onmessage = ({{ data }}) => {{ document.title = "refused " + data; }};
      fetch("{address}/page").catch(() => {{}});
      new Image().src = "{address}/image";
    """
    hostile = tmp_path / "hostile.html"
    try:
        for policy, expected in ((found[0], []), ("", ["/fetch"])):
            came.clear()
            allowed = re.sub(r"script-src 'sha256-[^']*'", "script-src 'unsafe-inline'", policy)
            hostile.write_text(f"<!doctype html><title>waiting</title>{allowed}<script>{script}</script>")
            page = browser.new_page()
            page.goto(hostile.as_uri())
            expect(page).to_have_title(re.compile("^refused"), timeout=PATIENCE_MS)
            page.wait_for_timeout(300)
            page.close()
            assert [one for one in expected if one not in came] == []
            assert expected or came == []
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
