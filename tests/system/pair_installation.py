"""Two collectors and their agents as processes, with a link that can be cut between any two of them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.request import urlopen

from cuttable_link import Link
from installation import DOWN_AFTER_MS, PATIENCE_S, PROGRAMS, until

SIDES = ("dc", "drc")


class Stores(Protocol):
    """Where both keep what they have: how collector.toml says so, and how that is backed up and set back."""

    def settings(self, side: str) -> dict[str, str]: ...

    def back_up(self, made: Pair, side: str) -> None: ...

    def set_back(self, made: Pair, side: str) -> None: ...


class Files:
    """Each in a file, and Detak's own backup."""

    def settings(self, _side: str) -> dict[str, str]:
        return {}

    def back_up(self, made: Pair, side: str) -> None:
        made.says(side, "backup", str(made.folder / f"{side}.backup"))

    def set_back(self, made: Pair, side: str) -> None:
        made.says(side, "restore", str(made.folder / f"{side}.backup"), "--force")


@dataclass
class Pair:
    """The folder of each, the links by `from-to`, and the processes that run."""

    folder: Path
    services: str
    stores: Stores = field(default_factory=Files)
    ports: dict[str, int] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def configure(self) -> None:
        for side in SIDES:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.ports[side] = free.getsockname()[1]
        self.links["drc-dc"], self.links["dc-drc"] = Link(self.ports["dc"]), Link(self.ports["drc"])
        for side, link in (("dc", "drc-dc"), ("drc", "dc-drc")):
            home = self.folder / side
            home.mkdir()
            (home / "services.toml").write_text(
                'organisation = "Test"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n' + self.services
            )
            self.write(side, public_url=self.links[link].url, **self.stores.settings(side))

    def write(self, side: str, **more: str) -> None:
        """collector.toml, with further keys."""
        known = self.folder / side / "more.json"
        kept = json.loads(known.read_text()) if known.exists() else {}
        kept |= more
        known.write_text(json.dumps(kept))
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in kept.items())
        (self.folder / side / "collector.toml").write_text(
            f'listen = "127.0.0.1:{self.ports[side]}"\nstate_directory = "state"\n'
            f"down_after_ms = {DOWN_AFTER_MS}\n{lines}"
        )

    def pair(self) -> None:
        """`drc` joins `dc`, as the printed line says."""
        words = shlex.split(self.says("dc", "pair", "token"))
        self.says("drc", *words[1:])
        self.write("drc", follow=self.links["drc-dc"].url)

    def start(self, side: str) -> None:
        """`serve`, until it answers."""
        self._start(side, [str(PROGRAMS / "detak-collector"), *self._config(side), "serve"])
        until(f"{side} answers", lambda: self._is_served(side))

    def add_agent(self, node: str, checks: str) -> None:
        """Enrolled with both, and started."""
        home = self.folder / node
        home.mkdir()
        tables = ""
        for side in SIDES:
            link = self.links[f"{node}-{side}"] = Link(self.ports[side])
            tables += f'[[collector]]\nurl = "{link.url}"\n'
        (home / "agent.toml").write_text(
            f'node = "{node}"\nstate_directory = "{home / "state"}"\nbeat_ms = 1000\n{tables}{checks}'
        )
        for side in SIDES:
            program, *line = shlex.split(self.says(side, "enroll", node))
            line[line.index("--collector") + 1] = self.links[f"{node}-{side}"].url
            words = [str(PROGRAMS / program), *line, "--config", str(home / "agent.toml")]
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        self.start_agent(node)

    def start_agent(self, node: str) -> None:
        self._start(node, [str(PROGRAMS / "detak-agent"), "run", "--config", str(self.folder / node / "agent.toml")])

    def end(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        self.processes[name].send_signal(number)
        self.processes[name].wait(PATIENCE_S)

    def tried(self, side: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of a collector's, whatever came of it."""
        command = [str(PROGRAMS / "detak-collector"), *self._config(side), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def says(self, side: str, *words: str) -> str:
        """What a command prints; exit code 1 (bad news) is an answer too."""
        done = self.tried(side, *words)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        return done.stdout

    def condition(self, side: str, service: str = "S") -> str:
        line = next((line for line in self.says(side, "status").splitlines() if line.startswith(f"{service} ")), "")
        words = ("presumed down", "not observed", "degraded", "down", "up")
        return next((word for word in words if word in line), line)

    def reports(self, begin: float, end: float, as_of: float) -> tuple[str, str]:
        """The report of the same time as of the same moment, from both, without the head of each one's own ledger."""
        words = ("--from", instant(begin), "--to", instant(end), "--as-of", instant(as_of), "--format", "json")
        dc, drc = (without_ledger(self.says(side, "report", *words)) for side in SIDES)
        return dc, drc

    def until_equal(self, begin: float, end: float, patience_s: float) -> str:
        """Both say the same of that time, to the byte, within so long; it is returned."""
        deadline = time.monotonic() + patience_s
        while True:
            dc, drc = self.reports(begin, end, time.time() - 1.5)
            if dc == drc:
                return dc
            if time.monotonic() > deadline:
                (self.folder / "dc.json").write_text(dc)
                (self.folder / "drc.json").write_text(drc)
            assert time.monotonic() < deadline, f"not the same: diff {self.folder}/dc.json {self.folder}/drc.json"
            time.sleep(1)

    def ready(self, side: str) -> dict[str, object]:
        with urlopen(f"http://127.0.0.1:{self.ports[side]}/readyz", timeout=5) as answer:
            told: dict[str, object] = json.load(answer)
        return told

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait(PATIENCE_S)
        for link in self.links.values():
            link.close()

    def _config(self, side: str) -> list[str]:
        return ["--config", str(self.folder / side / "collector.toml")]

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ
            )

    def _is_served(self, side: str) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[side]}/healthz", timeout=2) as answer:
                return int(answer.status) == 200
        except OSError:
            return False


@contextmanager
def paired(folder: Path, services: str, stores: Stores | None = None) -> Iterator[Pair]:
    """Two collectors that serve, of which `drc` follows `dc`, and nothing left behind."""
    made = Pair(folder, services, stores or Files())
    try:
        made.configure()
        made.start("dc")
        made.pair()
        made.start("drc")
        yield made
    finally:
        made.close()


def instant(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def without_ledger(report: str) -> str:
    """A JSON report as both collectors of a pair say it: each chains what it recorded, in an order of its own."""
    told = json.loads(report)
    assert told.pop("ledger")["head"]
    return json.dumps(told, indent=2)
