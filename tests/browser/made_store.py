"""A store as `bench/pages_store.py` makes it, served by a collector of its own, and the people who work with it.

A small one always; and where `DETAK_LARGE_STORE` names the folder of one that was made before, that one too: two
hundred services, a thousand nodes and two years. Each is copied, since journeys write.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.clocks import Reading
from detak_collector.pair.entry import GRANT
from detak_collector.store.sqlite import open_store
from detak_collector.web.session import digest
from people_stage import PASSWORD, QUICK_HASHER

BENCH = Path(__file__).parents[2] / "bench"
LARGE = os.environ.get("DETAK_LARGE_STORE", "")
SIZES = ("small", *(("large",) if LARGE else ()))
AT_NIGHT = pytest.mark.skipif(
    not LARGE and os.environ.get("DETAK_NIGHTLY") != "1",
    reason="a journey that others resemble, made at night and where DETAK_LARGE_STORE names a store",
)
PATIENCE_S = 60.0
MOST_MS = 300_000 if LARGE else 30_000
"""So long a page may keep people waiting; how long each took is told where the store is large."""
NODES_A_SERVICE = 5
HOUR_MS = 3_600_000
JAKARTA = ZoneInfo("Asia/Jakarta")
PEOPLE = {
    "ani": Role.OPERATOR, "joko": Role.APPROVER, "agus": Role.ADMIN, "dewi": Role.AUDITOR, "siti": Role.VIEWER,
}  # fmt: skip


@dataclass
class Place:
    """A served store. `now_utc` is about the collector's own now, which is not this machine's."""

    url: str
    home: Path
    services: int
    nodes: int
    now_utc: int
    end_agent: int
    took: list[tuple[str, float]] = field(default_factory=list)
    """Each page that was opened, and how long it took in milliseconds."""

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.now_utc / 1_000, JAKARTA).date()

    def month(self, back: int) -> str:
        """The name of the month that many months before this one, or after it."""
        passed = self.today.year * 12 + self.today.month - 1 - back
        return f"{passed // 12:04}-{passed % 12 + 1:02}"

    @contextmanager
    def visited(
        self, browser: Browser, name: str = "", *, script: bool = True, locale: str = "en-GB"
    ) -> Iterator[Page]:
        """The browser of one of PEOPLE, or of somebody who has not signed in; paths are of this collector."""
        context = browser.new_context(base_url=self.url, locale=locale)
        context.set_default_timeout(MOST_MS)
        self._watch(context)
        if name:
            context.add_cookies([{"name": "detak", "value": cookie_of(name), "url": self.url}])
        try:
            yield context.new_page()
        finally:
            context.close()

    def _watch(self, context: BrowserContext) -> None:
        def finished(request: Request) -> None:
            if request.is_navigation_request():
                self.took.append((f"{request.method} {urlsplit(request.url).path}", request.timing["responseEnd"]))

        context.on("requestfinished", finished)

    def told(self) -> str:
        """The pages that took longest, each kind of them once."""
        longest: dict[str, float] = {}
        for path, took_ms in self.took:
            kind = re.sub(r"\d+", "N", path)
            longest[kind] = max(longest.get(kind, 0.0), took_ms)
        rows = sorted(longest.items(), key=lambda row: -row[1])
        return "\n".join(f"{took_ms:8.0f} ms  {kind}" for kind, took_ms in rows)


def cookie_of(name: str) -> str:
    return f"{name}-".ljust(43, "c")


@contextmanager
def served(folder: Path, size: str) -> Iterator[Place]:
    """A copy of the store of that size in that folder, served until the end; nothing of it is left."""
    home = folder / "store"
    try:
        _copied(home, size)
        made = json.loads((home / "made.json").read_bytes())
        now, services = Reading(**made["now"]), made["size"]["services"]
        _people(home / "state", now)
        with _collector(home) as url:
            place = Place(url, home, services, services * NODES_A_SERVICE, now.utc, made["end_agent"])
            yield place
    finally:
        shutil.rmtree(home)
    if LARGE:
        print(f"\nthe {size} store: the longest that each page took, of {len(place.took)} looks:\n{place.told()}")


def _copied(home: Path, size: str) -> None:
    if size == "large":
        shutil.copytree(LARGE, home)
        expect.set_options(timeout=MOST_MS)
    else:
        subprocess.run([sys.executable, BENCH / "pages_store.py", home, "--small"], check=True, capture_output=True)


def _people(state: Path, now: Reading) -> None:
    with closing(open_store(state, now)) as store:
        for name, role in PEOPLE.items():
            kept = QUICK_HASHER.hash(PASSWORD)
            assert store.accounts.add(Account(name, name.title(), "", Origin.LOCAL, now.utc, kept))
            wish = Wish(name, role, "root", Source.MACHINE)
            store.entries.append(GRANT, body_of(wish, withdrawn=False), "root", now.utc)
            session = Session(digest(cookie_of(name)), name, Stage.WHOLE, now.utc, now.utc, "127.0.0.1", "a test")
            store.sessions.begin(session, None, 0)


@contextmanager
def _collector(home: Path) -> Iterator[str]:
    """The address of a collector of that store, whose time goes on from when the store was made."""
    line = [sys.executable, str(BENCH / "pages_collector.py"), "--config", str(home / "collector.toml"), "serve"]
    log = home / "log"
    with log.open("wb") as told, subprocess.Popen(line, stderr=told, stdout=subprocess.DEVNULL, cwd=home) as process:
        try:
            yield _listening(process, log)
        finally:
            process.terminate()
    assert process.returncode == 0, log.read_text()


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := re.search(r"listening on (\S+)", log.read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the collector does not start:\n{log.read_text()}")
        time.sleep(0.02)
    return found[1]


def local_text(utc: int) -> str:
    """As a field for date and time takes it, in Jakarta."""
    return f"{datetime.fromtimestamp(utc / 1_000, UTC).astimezone(JAKARTA):%Y-%m-%dT%H:%M:%S}"
