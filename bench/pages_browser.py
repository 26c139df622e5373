"""What a real Chromium transfers of the status page and when it first paints it, its processor throttled."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
THROTTLED = 4
LOOKS = 7
PAINTED = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)[0] || 0"


@dataclass(frozen=True, slots=True)
class Seen:
    """The middle first paint of several visits, each with nothing kept from before, and all bytes of the last one."""

    paint_ms: float
    bytes: dict[str, int]

    @property
    def kib(self) -> float:
        """All that was transferred, heads of answers included."""
        return sum(self.bytes.values()) / 1_024


@dataclass
class _Transferred:
    """What the browser tells of the network: by path, how many bytes came. Playwright writes into its listeners."""

    paths: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)
        session.send("Network.enable")

    def _asked(self, told: dict[str, Any]) -> None:
        self.paths[told["requestId"]] = told["request"]["url"].split("/", 3)[3]

    def _came(self, told: dict[str, Any]) -> None:
        path = self.paths.get(told["requestId"], "?")
        self.bytes[path] = self.bytes.get(path, 0) + int(told["encodedDataLength"])


def look(url: str, cookie: str) -> Seen:
    """Opens the page several times; with a cookie as somebody who has signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        visits = [_visit(browser, url, cookie) for _ in range(LOOKS)]
        browser.close()
    return Seen(median(paint for paint, _ in visits), visits[-1][1])


def _visit(browser: Browser, url: str, cookie: str) -> tuple[float, dict[str, int]]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    if cookie:
        context.add_cookies([{"name": "detak", "value": cookie, "url": url}])
    page, transferred = context.new_page(), _Transferred()
    session = context.new_cdp_session(page)
    transferred.listen(session)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLED})
    page.goto(url, wait_until="load")
    page.wait_for_function(f"({PAINTED}) > 0")
    paint = float(page.evaluate(PAINTED))
    context.close()
    return paint, transferred.bytes
