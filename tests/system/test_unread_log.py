"""A collector whose standard error nobody reads, and one that is told to reload before it serves."""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import PATIENCE_S, Installation, service_of, until
from serving_collector import COMMAND

pytestmark = pytest.mark.system

LINES = 80
LONG_S = 0.05


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    one = Installation(tmp_path)
    try:
        one.configure(service_of("n/alive"))
        yield one
    finally:
        one.close()


def started(made: Installation, stderr: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([*COMMAND, *made._collector_config, "serve"], stdout=subprocess.DEVNULL, stderr=stderr)
    made.processes["collector"] = process
    return process


def healthy(made: Installation) -> bool:
    connection = http.client.HTTPConnection(made.host, made.port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_a_pipe_that_nobody_reads_costs_lines_and_never_holds_up_the_collector(made: Installation) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4_096)
    process = started(made, write)
    os.close(write)
    until("it serves", lambda: healthy(made))
    for _ in range(LINES):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
        assert healthy(made)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    os.close(read)


def test_a_reload_asked_for_before_it_serves_is_done_once_it_does(made: Installation) -> None:
    with (made.folder / "collector.log").open("ab") as log:
        process = started(made, log.fileno())
    status = Path(f"/proc/{process.pid}/status")

    def hangup_waits() -> bool:
        return bool(int(re.findall(r"SigBlk:\s+([0-9a-f]+)", status.read_text())[0], 16) & 1)

    def hangup_waits_for_long() -> bool:
        # Whoever starts a process or a thread blocks signals too, for a moment.
        begun = time.monotonic()
        while hangup_waits():
            if time.monotonic() - begun > LONG_S:
                return True
        return False

    until("it lets the signal wait", hangup_waits_for_long)
    process.send_signal(signal.SIGHUP)
    assert "listening" not in made.log("collector"), "it was asked too late to show anything"
    until("it serves", lambda: healthy(made))
    until("it has reloaded", lambda: "event=reloaded" in made.log("collector"))
