"""What bench/isolation.py needs around the agent: a collector, bad servers, a file server that can be stopped.

Everything is ended when the stage is left, also what was stopped or hangs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from isolation_checks import hostile, some, tables, write_plugins

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
NODE = "isolated"
TICK_MS, BEAT_MS = 1_000, 5_000
RESOLVER = f"127.83.{os.getpid() // 256 % 256}.{os.getpid() % 256}"
"""Where the system's name server seems to be, for the agent alone; each run has one of its own."""

STOPS_WITHIN_S = 10.0
"""As the service manager allows it."""


@dataclass
class Stage:
    """Where everything is. `file_server` and `resolver` are None where this machine cannot have them."""

    folder: Path
    port: int
    hostile: int
    file_server: subprocess.Popen[bytes] | None
    resolver: str | None

    @property
    def journal(self) -> Path:
        """The agent's."""
        return self.folder / "agent/state/journal.db"

    @property
    def store(self) -> Path:
        """The collector's."""
        return self.folder / "collector/state/detak.sqlite"

    @property
    def notes(self) -> Path:
        """What the agent writes at its end."""
        return self.folder / "notes.json"

    @property
    def mark(self) -> str:
        """In the environment of the agent and of whatever it starts."""
        return f"HOME={self.folder}/agent"

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def let_files_hang(self, *, hang: bool) -> None:
        """Stop the file server, or let it go on."""
        if self.file_server is not None:
            self.file_server.send_signal(signal.SIGSTOP if hang else signal.SIGCONT)

    @contextmanager
    def agent(self, checks: str, noting: bool = True) -> Iterator[subprocess.Popen[bytes]]:  # noqa: FBT001, FBT002
        """The agent with these checks."""
        config = self.folder / "agent/agent.toml"
        config.write_text(f"{self._head}\n{checks}")
        command = [str(PROGRAMS / "detak-agent"), "run", "--config", str(config)]
        if noting:
            command = [sys.executable, str(HERE / "isolation_agent.py"), str(config), str(self.notes)]
        with started(self._with_own_resolver(command), self.folder / "agent.log", HOME=f"{self.folder}/agent") as agent:
            yield agent

    def enrol(self) -> None:
        """The node's key."""
        home = self.folder / "agent"
        home.mkdir()
        (home / "agent.toml").write_text(self._head)
        said = _said([*collector(self.folder), "enroll", NODE])
        token = re.search(r"--token (\S+)", said)
        assert token is not None, said
        enrol = ["enroll", "--config", str(home / "agent.toml"), "--collector", self._url, "--token", token[1]]
        _said([str(PROGRAMS / "detak-agent"), *enrol])

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _head(self) -> str:
        return (
            f'node = "{NODE}"\nstate_directory = "{self.folder}/agent/state"\ntick_ms = {TICK_MS}\n'
            f'beat_ms = {BEAT_MS}\nmetrics_ms = 10000\n[[collector]]\nurl = "{self._url}"\n'
        )

    def _with_own_resolver(self, command: list[str]) -> list[str]:
        """In a mount namespace of its own, where /etc/resolv.conf is another."""
        if self.resolver is None:
            return command
        told = self.folder / "resolv.conf"
        told.write_text(f"nameserver {self.resolver}\n")
        script = 'mount --bind "$0" "$(realpath /etc/resolv.conf)" && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(told), *command]


@contextmanager
def set_up(folder: Path, count: int) -> Iterator[tuple[Stage, str]]:
    """The stage with an enrolled node, and its checks."""
    is_root = os.geteuid() == 0
    with ExitStack() as stack:
        plugins, shown, hung = (folder / name for name in ("plugins", "shown", "hung"))
        for one in (plugins, shown, hung):
            one.mkdir()
        certificate = _certificate(folder, shown)
        resolver = RESOLVER if is_root and shutil.which("unshare") else None
        ports = stack.enter_context(_targets(folder, certificate, resolver))
        file_server = stack.enter_context(_mounted(folder, shown, hung)) if is_root and shutil.which("bindfs") else None
        write_plugins(plugins, hung, shown)
        port = stack.enter_context(_collecting(folder))
        bad = some(hostile(has_hung_files=file_server is not None, has_black_hole=resolver is not None), count)
        stage = Stage(folder, port, len(bad), file_server, resolver)
        stage.enrol()
        yield stage, tables(bad, count, {**ports, "plugins": plugins, "hung": hung})


@contextmanager
def started(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own group, ended for certain."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOPS_WITHIN_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def collector(folder: Path) -> list[str]:
    """The words before a command of the collector."""
    config = folder / "collector/collector.toml"
    return [sys.executable, "-m", "detak_collector", "--config", str(config)]


@contextmanager
def _collecting(folder: Path) -> Iterator[int]:
    """A real collector; its port."""
    _said([sys.executable, "-m", "detak_collector", "init", str(folder / "collector")])
    path = folder / "collector/collector.toml"
    path.write_text(path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
    log = folder / "collector.log"
    with started([*collector(folder), "serve"], log):
        yield int(_heard(log, r"listening on http://127\.0\.0\.1:(\d+)"))


@contextmanager
def _targets(folder: Path, certificate: Path, resolver: str | None) -> Iterator[dict[str, int]]:
    """The ports of the bad servers, and of some good ones."""
    command = [sys.executable, str(HERE / "isolation_targets.py"), str(certificate)]
    log = folder / "targets.log"
    with started([*command, *([resolver] if resolver else [])], log):
        yield json.loads(_heard(log, r"(\{.*\})"))


@contextmanager
def _mounted(folder: Path, shown: Path, hung: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A file system that shows a folder, as long as its server is not stopped."""
    with started(["bindfs", "-f", str(shown), str(hung)], folder / "bindfs.log") as server:
        wait_until("the file system is mounted", hung.is_mount)
        try:
            yield server
        finally:
            server.send_signal(signal.SIGCONT)
            subprocess.run(["umount", "--lazy", str(hung)], check=True)


def _certificate(folder: Path, shown: Path) -> Path:
    """A certificate with its key, in one file; the certificate alone also where checks look for it."""
    both, alone = folder / "server.pem", shown / "ca.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(both)]
    about = ["-days", "90", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", "req", "-x509", *key, *about, "-out", str(alone)], check=True, capture_output=True)
    both.write_text(both.read_text() + alone.read_text())
    return both


def wait_until(what: str, condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Until it is so; raises SystemExit otherwise."""
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.1)


def _heard(log: Path, pattern: str) -> str:
    """What a process says, once it does."""
    wait_until(f"{log.name} says {pattern}", lambda: re.search(pattern, log.read_text()) is not None)
    found = re.search(pattern, log.read_text())
    assert found is not None
    return found[1]


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
