"""The collector as a process: killed, stopped, reloaded, cut off from its disk. No fakes."""

import http.client
import os
import re
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from detak_collector.cli_session import Session
from detak_collector.enrol import issue_token, redeem
from detak_wire.codec import decode, encode
from detak_wire.messages import Answer, Evidence, Part
from evidence_builders import RUN, beat, opening, span

pytestmark = pytest.mark.system

PATIENCE_S = 30
COMMAND = [sys.executable, "-m", "detak_collector"]
NODES = ("db-01", "db-02", "db-03")


class Process:
    """One life of `detak-collector serve` on a configuration."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--config", str(home / "collector.toml"), "serve"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.said = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        assert self.process.stderr is not None
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.said)):
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.process.stderr.fileno(), 65_536) if ready else b""
            assert piece, f"never said {pattern!r}, but:\n{self.said}"
            self.said += piece.decode()
        return found

    def url(self) -> str:
        return self.read_until(r"listening on (\S+)")[1]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        rest = self.process.communicate(timeout=PATIENCE_S)[1]
        self.said += rest.decode()
        return self.process.returncode


class Home:
    """A configuration made by `init`, its nodes' keys, and the processes run on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.processes: list[Process] = []
        subprocess.run([*COMMAND, "init", str(directory)], check=True, stdout=subprocess.DEVNULL)
        path = directory / "collector.toml"
        path.write_text(path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
        self.keys = self._enrol()

    def _enrol(self) -> dict[str, str]:
        session = Session.begin(self.directory / "collector.toml", debug=False)
        with session.store(session.config()) as store:
            now = session.clock()
            tokens = {node: issue_token(store.registry, node, 60_000, now) for node in NODES}
            return {node: redeem(store.registry, node, token, now)[1] for node, token in tokens.items()}

    def serve(self) -> Process:
        self.processes.append(Process(self.directory))
        return self.processes[-1]

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.directory / "state" / "detak.sqlite")) as connection:
            return connection.execute(sql).fetchall()

    def spans(self) -> dict[str, int]:
        """How many closed spans there are of each node."""
        rows = self.query(
            "SELECT node.name, count(*) FROM span JOIN run ON run.sequence = span.run "
            "JOIN node ON node.id = run.node GROUP BY node.name"
        )
        return {str(node): int(str(count)) for node, count in rows}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "detak")
    yield home
    for one in home.processes:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


class Client:
    """One agent's connection."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)
        self._headers = {"Authorization": f"Bearer {key}"}

    def post(self, evidence: Evidence) -> tuple[int, bytes]:
        self._connection.request("POST", "/api/v1/evidence", encode(evidence), self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


def load(url: str, node: str, key: str, acknowledged: dict[str, int]) -> None:
    """Closed span after closed span until the collector is gone; notes what it acknowledged."""
    with closing(Client(url, key)) as client:
        number = acknowledged.get(node, 0)
        while True:
            number += 1
            closed = span(number, first=2_000 * number, closed=True)
            part = Part(RUN, opening() if number == 1 else None, [closed])
            try:
                status, body = client.post(beat(part, sent=2_000 * number + 100, node=node))
            except (OSError, http.client.HTTPException):
                return
            assert status == 200, body
            assert decode(body, Answer).stored[RUN].mark == number
            acknowledged[node] = number


def test_a_collector_killed_under_load_has_every_span_that_it_acknowledged(home: Home) -> None:
    acknowledged: dict[str, int] = {}
    for _ in range(3):
        process = home.serve()
        url = process.url()
        threads = [threading.Thread(target=load, args=(url, *item, acknowledged)) for item in home.keys.items()]
        before = sum(acknowledged.values())
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while sum(acknowledged.values()) < before + 60 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.process.kill()
        for thread in threads:
            thread.join()
        process.wait()
        held = home.spans()
        # One more may be there: stored, but killed before its answer left.
        assert all(held[node] in {count, count + 1} for node, count in acknowledged.items())
        acknowledged = held
    assert home.query("PRAGMA integrity_check") == [("ok",)]


def test_a_stop_by_systemd_is_orderly_and_ends_the_watch(home: Home) -> None:
    process = home.serve()
    process.url()
    assert process.end(signal.SIGTERM) == 0
    assert home.query("SELECT ended FROM watch") == [("stop",)]
    assert "Traceback" not in process.said


def test_the_watch_of_a_killed_collector_ends_where_it_was(home: Home) -> None:
    process = home.serve()
    process.url()
    process.end(signal.SIGKILL)
    again = home.serve()
    again.url()
    again.end(signal.SIGTERM)
    assert home.query("SELECT ended FROM watch ORDER BY id") == [("died",), ("stop",)]


def test_a_second_collector_on_the_same_state_is_refused(home: Home) -> None:
    home.serve().url()
    second = home.serve()
    assert second.wait() == 3
    assert "another collector is running on it" in second.said
    assert "Traceback" not in second.said


def test_a_port_in_use_is_told(home: Home, tmp_path: Path) -> None:
    port = home.serve().url().rpartition(":")[2]
    other = Home(tmp_path / "other")
    path = other.directory / "collector.toml"
    path.write_text(path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    process = other.serve()
    assert process.wait() == 3
    assert f"listen 127.0.0.1:{port}: Address already in use" in process.said


def test_a_bad_catalogue_is_refused_at_the_start_and_at_a_reload_the_old_one_goes_on(home: Home) -> None:
    services = home.directory / "services.toml"
    good = services.read_text()
    process = home.serve()
    process.url()
    services.write_text("organisatio = 1\n")
    process.process.send_signal(signal.SIGHUP)
    process.read_until(r"not reloaded: .*services.toml: organisatio")
    services.write_text(good)
    process.process.send_signal(signal.SIGHUP)
    process.read_until(r"services.toml: reloaded")
    assert process.end(signal.SIGTERM) == 0
    services.write_text("organisatio = 1\n")
    refused = home.serve()
    assert refused.wait() == 2
    assert "organisatio" in refused.said


def test_a_disk_error_ends_the_process_and_is_never_acknowledged(home: Home) -> None:
    process = home.serve()
    with closing(Client(process.url(), home.keys["db-01"])) as client:
        assert client.post(beat(Part(RUN, opening()), node="db-01"))[0] == 200
        # Every write to a file fails from here on.
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (1, 1))
        try:
            status, _ = client.post(beat(Part(RUN, spans=[span(1, closed=True)]), node="db-01"))
        except (OSError, http.client.HTTPException):
            status = 0
        assert status in {0, 503}
    assert process.wait() == 3
    assert "detak.sqlite: disk I/O error" in process.said
    assert "Traceback" not in process.said
    assert home.query("SELECT count(*) FROM span") == [(0,)]


def test_a_key_revoked_by_another_process_is_refused_within_seconds(home: Home) -> None:
    process = home.serve()
    config = str(home.directory / "collector.toml")
    with closing(Client(process.url(), home.keys["db-01"])) as client:
        message = beat(Part(RUN, opening()), node="db-01")
        assert client.post(message)[0] == 200
        subprocess.run([*COMMAND, "--config", config, "revoke", "db-01"], check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while client.post(message)[0] == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.post(message)[0] == 401
    assert process.end(signal.SIGTERM) == 0
