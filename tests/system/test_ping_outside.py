"""The watch outside that `[ping]` tells: a real collector is heard there, and falls silent when it dies."""

import http.server
import queue
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_collector import Home, made_home

pytestmark = pytest.mark.system

EVERY_S = 1.0
PATIENCE_S = 30
Pings = queue.SimpleQueue[tuple[str, str]]


@pytest.fixture
def watch() -> Iterator[tuple[str, Pings]]:
    """A server elsewhere: its URL, and the path and body of each POST."""
    heard: Pings = queue.SimpleQueue()

    class Watch(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard.put((self.path, body.decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Watch)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ping/5d7e", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", ()) as made:
        yield made


def write_ping(home: Home, url: str) -> None:
    path = home.directory / "collector.toml"
    path.write_text(f'{path.read_text()}\n[ping]\nurl = "{url}"\nevery_ms = {EVERY_S * 1_000:.0f}\n')


def drained(heard: Pings) -> list[tuple[str, str]]:
    found = []
    while not heard.empty():
        found.append(heard.get())
    return found


def falls_silent(heard: Pings, within: int) -> bool:
    """Whether no more than so many pings come before none does for three times as long as they are apart."""
    try:
        for _ in range(within):
            heard.get(timeout=3 * EVERY_S)
    except queue.Empty:
        return True
    return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_it_is_told_again_and_again_until_the_collector_is_no_more(
    home: Home, watch: tuple[str, Pings], end: signal.Signals
) -> None:
    url, heard = watch
    write_ping(home, url)
    process = home.serve()
    process.url()
    assert [heard.get(timeout=PATIENCE_S) for _ in range(3)] == [("/ping/5d7e", "")] * 3
    process.process.send_signal(end)
    if end is not signal.SIGSTOP:
        process.wait()
    # What was under way may still arrive.
    assert falls_silent(heard, within=3)


def test_a_reload_begins_and_ends_it(home: Home, watch: tuple[str, Pings]) -> None:
    url, heard = watch
    without = (home.directory / "collector.toml").read_text()
    process = home.serve()
    process.url()
    assert drained(heard) == []
    write_ping(home, url)
    process.process.send_signal(signal.SIGHUP)
    heard.get(timeout=PATIENCE_S)
    (home.directory / "collector.toml").write_text(without)
    process.process.send_signal(signal.SIGHUP)
    assert falls_silent(heard, within=PATIENCE_S)
