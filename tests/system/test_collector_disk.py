"""What a collector does when its disk fails or is full: it ends with a clear message or refuses, and never lies."""

from __future__ import annotations

import http.client
import os
import re
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from serving_collector import PATIENCE_S, Client, Home, made_home

from detak_wire.codec import decode
from detak_wire.messages import Evidence, Part, Problem
from evidence_builders import RUN, beat, opening, span

pytestmark = pytest.mark.system

NODE = "db-01"
DISK_MIB = 4
PAGE = 4_096
MESSAGE = "x" * 400


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", (NODE,)) as home:
        yield home


def first() -> Evidence:
    return beat(Part(RUN, opening()), node=NODE)


def closing_spans(begin: int, count: int) -> Evidence:
    numbers = range(begin, begin + count)
    spans = [span(number, first=2_000 * number, closed=True, message=f"{number} {MESSAGE}") for number in numbers]
    return beat(Part(RUN, spans=spans), sent=2_000 * (begin + count), node=NODE)


def delivered(client: Client, evidence: Evidence) -> int:
    """The status of the answer; 0 where there was none."""
    try:
        return client.post(evidence)[0]
    except (OSError, http.client.HTTPException):
        return 0


def deliver_until_it_ends(client: Client) -> int:
    """Closed span after closed span; how many were acknowledged."""
    acknowledged = 0
    deadline = time.monotonic() + PATIENCE_S
    while delivered(client, closing_spans(acknowledged + 1, 1)) == 200:
        acknowledged += 1
        assert time.monotonic() < deadline, "it never ended"
    return acknowledged


class SmallDisk:
    """A collector whose state lies on a small disk of its own, in a mount namespace of its own."""

    def __init__(self, home: Home, unshare: str) -> None:
        state = home.directory / "state"
        script = (
            f"mv {state} {state}.moved && mkdir {state} && mount -t tmpfs -o size={DISK_MIB}m tmpfs {state} && "
            f'cp -a {state}.moved/. {state} && exec "$@"'
        )
        self.collector = home.serve([unshare, "--mount", "sh", "-c", script, "sh"])
        self.client = Client(self.collector.url(), home.keys[NODE])
        # The same files as they are seen from outside of that namespace.
        process = Path("/proc") / str(self.collector.process.pid)
        self._ballast = process / "root" / state.relative_to("/") / "ballast"

    def fill(self, but: int = 0) -> None:
        """Takes all that is left of it but so many pages."""
        with self._ballast.open("ab") as ballast, suppress(OSError):
            while True:
                os.write(ballast.fileno(), bytes(PAGE))
        size = self._ballast.stat().st_size
        os.truncate(self._ballast, max(0, size - but * PAGE))

    def make_room(self) -> None:
        self._ballast.unlink()

    def says(self, path: str) -> tuple[int, str]:
        status, body = self.client.get(path)
        return status, body.decode()

    def held(self, scratch: Path) -> list[int]:
        """The numbers of the closed spans. Nothing may be delivered meanwhile."""
        scratch.mkdir()
        for file in self._ballast.parent.glob("detak.sqlite*"):
            # SQLite itself would follow the link in /proc out of the namespace.
            (scratch / file.name).write_bytes(file.read_bytes())
        with closing(sqlite3.connect(scratch / "detak.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return [number for (number,) in connection.execute("SELECT number FROM span ORDER BY number")]


@pytest.fixture
def small(home: Home, require: Callable[[str], str]) -> Iterator[SmallDisk]:
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root")
    small = SmallDisk(home, require("unshare"))
    with closing(small.client):
        assert delivered(small.client, first()) == 200
        yield small


def test_on_a_full_disk_evidence_is_refused_and_pages_are_shown_until_there_is_room_again(
    small: SmallDisk, tmp_path: Path
) -> None:
    small.fill()
    begun = 1
    while delivered(small.client, closing_spans(begun, 10)) == 200:
        begun += 10
    refused = small.client.post(closing_spans(begun, 10))
    assert (refused[0], decode(refused[1], Problem).error) == (503, "unavailable")
    small.collector.read_until("not watching, since nothing can be stored")
    assert small.says("/healthz")[0] == 200
    deadline = time.monotonic() + PATIENCE_S
    while "The disk of the store is full" not in (page := small.says("/"))[1]:
        assert page[0] == 200
        assert time.monotonic() < deadline
        time.sleep(0.2)
    small.make_room()
    assert delivered(small.client, closing_spans(begun, 10)) == 200
    small.collector.read_until("watching again")
    assert small.held(tmp_path / "copy") == list(range(1, begun + 10))
    # It was said once, not at each beat.
    assert small.collector.said.count("evidence is refused:") == 1


def test_however_little_room_is_left_what_is_acknowledged_is_there(small: SmallDisk, tmp_path: Path) -> None:
    acknowledged: list[int] = []
    refused = 0
    for pages in range(24):
        small.fill(but=pages)
        numbers = range(1 + 20 * pages, 21 + 20 * pages)
        status = delivered(small.client, closing_spans(numbers[0], len(numbers)))
        assert status in {200, 503}
        acknowledged += numbers if status == 200 else []
        refused += status == 503
    assert refused
    small.make_room()
    assert delivered(small.client, closing_spans(1_000, 1)) == 200
    assert small.held(tmp_path / "copy") == [*acknowledged, 1_000]
    assert small.collector.end(signal.SIGTERM) == 0


@pytest.mark.peers("strace")
@pytest.mark.parametrize(
    ("file", "call", "error", "at"),
    [
        ("detak.sqlite-wal", "fdatasync", "EIO", 20),
        ("detak.sqlite-wal", "pwrite64", "EIO", 51),
        ("detak.sqlite", "fdatasync", "EIO", 1),
        ("detak.sqlite", "pwrite64", "EIO", 2),
    ],
)
def test_a_disk_that_fails_once_ends_the_collector_which_writes_nothing_more(
    home: Home, tmp_path: Path, file: str, call: str, error: str, at: int
) -> None:
    log = tmp_path / "trace"
    # The second time it would succeed.
    process = home.serve([
        *("strace", "-D", "-f", "-qq", "-y", "-o", str(log), "-P", str(home.directory / "state" / file)),
        *("-e", "trace=pwrite64,fdatasync,fsync", "-e", f"inject={call}:error={error}:when={at}"),
    ])  # fmt: skip
    with closing(Client(process.url(), home.keys[NODE])) as client:
        assert delivered(client, first()) == 200
        acknowledged = deliver_until_it_ends(client)
    assert process.wait() == 3
    assert re.search(r"detak\.sqlite: disk I/O error: see what the kernel says of the disk .*start again", process.said)
    assert "Traceback" not in process.said
    after = log.read_text().partition("(INJECTED)")[2]
    assert "pwrite64" not in after
    assert "sync" not in after
    again = home.serve()
    again.url()
    # One more may be there: it was stored, and never acknowledged.
    assert home.spans()[NODE] in {acknowledged, acknowledged + 1}
    assert home.query("PRAGMA integrity_check") == [("ok",)]


def test_a_write_that_is_cut_short_ends_the_collector_and_is_not_acknowledged(home: Home) -> None:
    process = home.serve()
    log = home.directory / "state" / "detak.sqlite-wal"
    with closing(Client(process.url(), home.keys[NODE])) as client:
        assert delivered(client, first()) == 200
        # The next page is written by half.
        limit = log.stat().st_size + PAGE // 2
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        acknowledged = deliver_until_it_ends(client)
    assert process.wait() == 3
    assert "disk I/O error" in process.said
    again = home.serve()
    again.url()
    assert home.spans().get(NODE, 0) == acknowledged
