"""`make demo`, as a person plays it: it comes up, it can be hurt and healed, and nothing of it is left."""

import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

DEMO = Path(__file__).parents[2] / "config" / "demo" / "demo.py"
PATIENCE_S = 60
GUIDE_ENDS = "Ctrl-C ends everything"


class Player:
    """A person at the demo's terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(DEMO), "--folder", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.seen = ""

    def read_until(self, text: str) -> str:
        """What it said from here up to the line that contains `text`."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(f"(?s)^.*?{re.escape(text)}[^\n]*\n", self.seen)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65_536) if ready else b""
            assert piece, f"the demo never said {text!r}, but:\n{self.seen}"
            self.seen += piece.decode()
        self.seen = self.seen[found.end() :]
        return found[0]

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self, number: signal.Signals) -> int:
        """Its exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def leftovers(self) -> list[list[str]]:
        """The command lines of processes that still have to do with this demo."""
        command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        return [line for line in command_lines if any(str(self.folder) in word for word in line)]


@contextmanager
def playing(folder: Path) -> Iterator[Player]:
    player = Player(folder)
    try:
        yield player
    finally:
        if player.process.poll() is None:
            player.end(signal.SIGKILL)
        for stream in (player.process.stdin, player.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    with playing(tmp_path / "demo") as player:
        yield player


def pids(table: str) -> dict[str, int]:
    return {name: int(pid) for name, pid in re.findall(r"^  (collector|front|\S+/\S+) +(\d+)  ", table, re.MULTILINE)}


def status_of(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        status: int = answer.status
        return status


@pytest.mark.system
def test_the_demo_comes_up_can_be_hurt_and_healed_and_leaves_nothing_behind(player: Player) -> None:
    guide = player.read_until(GUIDE_ENDS)
    page = re.search(r"http://127\.0\.0\.1:\d+/", guide)
    assert page is not None
    assert (status_of(page[0]), status_of(f"{page[0]}healthz")) == (200, 200)
    before = pids(guide)
    agents = {name for name in before if name.endswith("/agent")}
    assert agents == {f"{node}/agent" for node in ("dc-app-01", "dc-app-02", "drc-app-01", "drc-app-02")}

    for command in re.findall(r"(?m)^  (\S*detak-collector .*)$", guide):
        looked = subprocess.run(
            command.split(), cwd=Path.cwd(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (looked.returncode in {0, 1}, looked.stderr) == (True, "")

    os.kill(before["dc-app-01/web"], signal.SIGKILL)
    player.read_until("dc-app-01/web")
    player.type("heal dc-app-01/web")
    after = pids(player.read_until("drc-app-02/agent"))
    assert after["dc-app-01/web"] != before["dc-app-01/web"]
    assert {**after, "dc-app-01/web": 0} == {**before, "dc-app-01/web": 0}
    player.type("freeze dc-app-02/agent")
    player.read_until("heal dc-app-02/agent")

    assert player.end(signal.SIGINT) == 0
    assert player.leftovers() == []
    assert not player.folder.exists()


@pytest.mark.system
def test_a_demo_that_is_killed_takes_its_processes_with_it_and_the_next_one_starts(player: Player) -> None:
    player.read_until(GUIDE_ENDS)
    refused = subprocess.run(
        [sys.executable, str(DEMO), "--folder", str(player.folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 3
    assert "another demo runs" in refused.stderr
    player.end(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while player.leftovers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert player.leftovers() == []

    with playing(player.folder) as again:
        again.read_until(GUIDE_ENDS)
        assert again.end(signal.SIGTERM) == 0
    assert not player.folder.exists()
