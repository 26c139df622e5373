"""What it costs to check a bundle in a browser: detak-verify.html beside detak-verify.pyz, on the same year.

    python bench/verify_html.py [--services 200] [--bundle FILE]

Makes the bundle of a year out of bench/estate.py, unless one is named, and both programs; then checks it with the
one and in a headless Chromium with the other. Both must find it sound, with the same digest. Seconds are of the
processor, memory is the most that the process had; for the browser both are of the process that runs the page.
Ends with `verify-html services=… pyz_seconds=… html_seconds=… ratio=… pyz_mib=… html_mib=…`.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from detak_collector.clocks import Reading
from estate import DAY_MS, DAYS, HOUR_MS, OFFSET, catalogue, fill

ROOT = Path(__file__).resolve().parents[1]
SEED = 1
END_AGENT = 1_000 * HOUR_MS + DAYS * DAY_MS
NOW = Reading(END_AGENT + OFFSET + 6_000, END_AGENT + 6_000, "boot")
PATIENCE_MS = 3_600_000
LOOK_S = 0.2
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one check: seconds of the processor and of a clock, the most memory, and the digest that was found."""

    seconds: float
    clock_s: float
    mib: float
    digest: str


class Watch:
    """What the largest process below this one took, looked at several times a second."""

    def __init__(self) -> None:
        self._mib: dict[int, float] = {}
        self._cpu_s: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self._begun = time.perf_counter()
        self._ended = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Looks while it lasts; what a process took before does not count."""
        self._before = {one.pid: _cpu_s(one) for one in psutil.Process().children(recursive=True)}
        looking = threading.Thread(target=self._look)
        looking.start()
        try:
            yield
        finally:
            self._ended.set()
            looking.join()

    def cost(self, said: str) -> Cost:
        """With the digest that it said."""
        found = re.search(r"SHA-256 ([0-9a-f]{64})", said)
        if found is None:
            raise SystemExit(f"no digest in: {said[-500:]}")
        largest = max(self._mib, key=lambda pid: self._mib[pid])
        cpu_s = self._cpu_s[largest] - self._before.get(largest, 0.0)
        return Cost(cpu_s, time.perf_counter() - self._begun, self._mib[largest], found[1])

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    mib = process.memory_info().rss / 2**20
                    self._mib[process.pid] = max(self._mib.get(process.pid, 0.0), mib)
                    self._cpu_s[process.pid] = _cpu_s(process)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main() -> None:
    """Makes what is needed, and measures both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--bundle", type=Path, help="check this one instead of making one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bundle = asked.bundle or bundled(place, asked.services)
        for script, name in (("verify", "pyz"), ("verify_html", "html")):
            made = [sys.executable, f"{ROOT}/packaging/{script}.py", "-o", f"{place}/detak-verify.{name}"]
            subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        size = f"{bundle.stat().st_size / 1e6:.1f} MB packed"
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {size}\n")
        print(f"{'':>18} {'cpu s':>8} {'clock s':>8} {'MiB':>8}", flush=True)
        program = by_program(place / "detak-verify.pyz", bundle)
        print(
            f"{'detak-verify.pyz':>18} {program.seconds:>8.1f} {program.clock_s:>8.1f} {program.mib:>8.0f}", flush=True
        )
        page = by_page(place / "detak-verify.html", bundle)
        print(f"{'detak-verify.html':>18} {page.seconds:>8.1f} {page.clock_s:>8.1f} {page.mib:>8.0f}\n", flush=True)
    if program.digest != page.digest:
        raise SystemExit(f"two digests: {program.digest} and {page.digest}")
    print(
        f"verify-html services={asked.services} pyz_seconds={program.seconds:.1f} html_seconds={page.seconds:.1f} "
        f"ratio={page.seconds / program.seconds:.1f} pyz_mib={program.mib:.0f} html_mib={page.mib:.0f}"
    )


def bundled(place: Path, services: int) -> Path:
    """The bundle of the year 2025 over so many services, as its operator would make it."""
    state = place / "state"
    state.mkdir()
    (place / "services.toml").write_text(catalogue(services))
    (place / "collector.toml").write_text(f'state_directory = "{state}"\nservices = "services.toml"\n')
    spans = fill(state, services, SEED, NOW)
    print(f"{services} services, {spans:,} spans", flush=True)
    path = place / "2025.tar.gz"
    command = [sys.executable, "-m", "detak_collector", "--config", f"{place}/collector.toml"]
    subprocess.run([*command, "bundle", "2025", "-o", str(path)], check=True)
    return path


def by_program(program: Path, bundle: Path) -> Cost:
    """One check on a terminal."""
    watch = Watch()
    with watch.looking():
        said = subprocess.run(
            [sys.executable, "-I", program, "check", bundle], capture_output=True, text=True, check=False
        )
    if said.returncode:
        raise SystemExit(f"detak-verify.pyz: {said.returncode}: {said.stdout[-500:]}{said.stderr[-500:]}")
    return watch.cost(said.stdout)


def by_page(page_file: Path, bundle: Path) -> Cost:
    """One check in a browser that has no network, from choosing the file to the verdict; Python had started before."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_context(offline=True, locale="en-GB").new_page()
        page.goto(page_file.as_uri())
        page.wait_for_selector("#made-of:not(:empty)", timeout=PATIENCE_MS)
        watch = Watch()
        with watch.looking():
            page.set_input_files("#file", bundle)
            page.wait_for_selector("#outcome, #failed .fault", timeout=PATIENCE_MS)
        if not page.locator("#outcome.sound").count():
            raise SystemExit(f"detak-verify.html: {page.locator('main').inner_text()[:1_000]}")
        cost = watch.cost(page.locator("#checked pre").text_content() or "")
        browser.close()
    return cost


if __name__ == "__main__":
    main()
