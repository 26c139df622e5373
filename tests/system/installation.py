"""A small real installation for system tests: one collector and some agents as processes, used only as users would."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 60.0
INTERVAL_MS = 1_000
TIMEOUT_MS = 900
DOWN_AFTER_MS = 3_000
NIGHTLY = os.environ.get("DETAK_NIGHTLY") == "1"


def until(what: str, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition; fail with `what` was waited for."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {patience_s} s: {what}")


def sleeper() -> subprocess.Popen[bytes]:
    """A process to be watched."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])


@dataclass
class Installation:
    """The folder, the collector's address, and the processes that run."""

    folder: Path
    host: str = "127.0.0.1"
    prefix: dict[str, list[str]] = field(default_factory=dict)
    """Words to put before the command of a node's agent or of the collector, such as `ip netns exec NAME`."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def configure(self, services: str) -> None:
        """collector.toml and services.toml, checked by the program itself."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (self.folder / "services.toml").write_text(
            'organisation = "Test"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n' + services
        )
        (self.folder / "collector.toml").write_text(
            f'listen = "{self.host}:{self.port}"\nstate_directory = {json.dumps(str(self.folder / "collector"))}\n'
            f"services = {json.dumps(str(self.folder / 'services.toml'))}\ndown_after_ms = {DOWN_AFTER_MS}\n"
            f"allow_plaintext = {'false' if self.host.startswith('127.') else 'true'}\n"
        )
        self.collector_says("config-check")

    def start_collector(self) -> None:
        """`serve`, until it answers."""
        self._start("collector", [str(PROGRAMS / "detak-collector"), *self._collector_config, "serve"])
        until("the collector answers", self._is_served)

    def add_agent(self, node: str, checks: str, top: str = "") -> None:
        """Enrol a node and start its agent; `top` has further keys of its file's top level."""
        home = self.folder / node
        home.mkdir()
        (home / "agent.toml").write_text(
            f'node = "{node}"\nstate_directory = {json.dumps(str(home / "state"))}\nbeat_ms = 1000\n'
            f"allow_plaintext = {'false' if self.host.startswith('127.') else 'true'}\n"
            f'{top}[[collector]]\nurl = "{self.url}"\n{checks}'
        )
        program, *line = shlex.split(self.collector_says("enroll", node))
        words = [str(PROGRAMS / program), *line, "--config", str(home / "agent.toml")]
        command = [*self.prefix.get(node, []), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        self.start_agent(node)

    def start_agent(self, node: str) -> None:
        """`run`."""
        self._start(node, [str(PROGRAMS / "detak-agent"), "run", "--config", str(self.folder / node / "agent.toml")])

    def signal(self, name: str, number: signal.Signals) -> None:
        """To the collector or to a node's agent."""
        self.processes[name].send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.processes[name].wait(PATIENCE_S)

    def collector_says(self, *words: str) -> str:
        """What a command of the collector prints; exit code 1 (bad news) is an answer too."""
        done = subprocess.run(
            [str(PROGRAMS / "detak-collector"), *self._collector_config, *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        return done.stdout

    def report(self, service: str = "s") -> dict[str, Any]:
        """One service of the report of the last hour."""
        now = time.time()
        begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now - 3_600, now + 1))
        told = json.loads(self.collector_says("report", "--from", begin, "--to", end, "--format", "json"))
        return next(one for one in told["services"] if one["id"] == service)

    def condition(self, service: str = "S") -> str:
        """What `status` says of a service."""
        line = next((line for line in self.collector_says("status").splitlines() if line.startswith(f"{service} ")), "")
        found = re.search(r"presumed down|not observed|degraded|down|up", line)
        return found[0] if found else line

    def log(self, name: str) -> str:
        """What a process has logged."""
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        """End everything, also what is frozen."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE_S)

    @property
    def _collector_config(self) -> list[str]:
        return ["--config", str(self.folder / "collector.toml")]

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*self.prefix.get(name, []), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def _is_served(self) -> bool:
        ask = f"import urllib.request; urllib.request.urlopen('{self.url}/healthz', timeout=2)"
        words = [*self.prefix.get("collector", []), sys.executable, "-c", ask]
        return subprocess.run(words, capture_output=True, timeout=10, check=False).returncode == 0


@contextmanager
def installation(folder: Path, services: str, **more: Any) -> Iterator[Installation]:
    """A collector that serves, and nothing left behind."""
    made = Installation(folder, **more)
    try:
        made.configure(services)
        made.start_collector()
        yield made
    finally:
        made.close()


def service_of(*members: str, rule: str = "", more: str = "") -> str:
    """services.toml of one service `s` with one group of these members."""
    words = f'rule = "{rule}"\n' if rule else ""
    return (
        f'[[service]]\nid = "s"\nname = "S"\ncriticality = "sangat kritis"\n{more}'
        f'[[service.group]]\nname = "app"\ncategory = "application"\n{words}members = {json.dumps(members)}\n'
    )


def process_check(pid_file: Path, name: str = "app") -> str:
    """A check of the process whose id stands in `pid_file`."""
    return (
        f'[[check]]\nname = "{name}"\nkind = "process"\npid_file = {json.dumps(str(pid_file))}\n'
        f"interval_ms = {INTERVAL_MS}\ntimeout_ms = {TIMEOUT_MS}\n"
    )
