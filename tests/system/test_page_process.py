"""The page's own process beside a real collector: never an orphan, never a reason to lose evidence or the page."""

import os
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_collector import Home, Process

from detak_collector.deriving.life import is_running

pytestmark = pytest.mark.system
PATIENCE_S = 30


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Process, str]]:
    home = Home(tmp_path / "collector")
    process = Process(home.directory)
    try:
        yield process, process.url()
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def page(url: str) -> str:
    with urllib.request.urlopen(f"{url}/", timeout=PATIENCE_S) as answer:
        text: str = answer.read().decode()
        return text


def page_process(collector: Process) -> int:
    """Its only child, once it is there."""
    until = time.monotonic() + PATIENCE_S
    while not (children := children_of(collector)):
        assert time.monotonic() < until
        time.sleep(0.02)
    (child,) = children
    return child


def children_of(collector: Process) -> list[int]:
    pid = collector.process.pid
    every = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for one in every if is_running(one)]


def ends(pid: int) -> bool:
    until = time.monotonic() + PATIENCE_S
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("is_stopped", [False, True])
def test_it_never_outlives_the_collector(served: tuple[Process, str], number: signal.Signals, is_stopped: bool) -> None:
    collector, url = served
    page(url)
    child = page_process(collector)
    if is_stopped:
        os.kill(child, signal.SIGSTOP)
    code = collector.end(number)
    assert ends(child)
    assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)


def test_killed_it_is_there_again_with_the_next_page(served: tuple[Process, str]) -> None:
    collector, url = served
    before = page(url)
    child = page_process(collector)
    os.kill(child, signal.SIGKILL)
    assert ends(child)
    until = time.monotonic() + PATIENCE_S
    # The page that is there is shown until somebody's look has another one drawn.
    while re.search(r'id="stale"[^>]*>Not renewed', said := page(url)) or not children_of(collector):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert page_process(collector) != child
    assert (said != before) is (as_of(said) != as_of(before))
    collector.read_until("was ended by SIGKILL: it is started again")


def as_of(text: str) -> str:
    found = re.search(r'id="as-of" datetime="([^"]+)"', text)
    assert found is not None
    return found[1]


def test_a_collector_that_is_asked_to_reload_shows_what_is_new(served: tuple[Process, str], tmp_path: Path) -> None:
    collector, url = served
    services = tmp_path / "collector" / "services.toml"
    services.write_text(services.read_text().replace("organisation = ", 'organisation = "Renamed" # ', 1))
    collector.process.send_signal(signal.SIGHUP)
    collector.read_until("reloaded")
    until = time.monotonic() + PATIENCE_S
    while "Renamed" not in page(url):
        assert time.monotonic() < until
        time.sleep(0.2)
