"""Starts what is measured, each as a process of its own on one core, and tells what it has used."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from ingest_beats import node_name

PATIENCE_S = 60.0
COLLECTOR = (sys.executable, "-m", "detak_collector")
STORELESS = (sys.executable, str(Path(__file__).with_name("ingest_storeless.py")))
VIEWER = Path(__file__).with_name("ingest_viewer.py")
PUSHGATEWAY = "prometheus-pushgateway"

_TICKS = os.sysconf("SC_CLK_TCK")


WEIGH_EACH_S = 0.25


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process and its children since they began: processor seconds, and MiB of memory now.

    What they share is counted for each of them.
    """

    cpu_s: float
    rss_mib: float


@dataclass(slots=True)
class Server:
    """A running server. `started_s` is how long it took until it listened; `context` is for TLS, where it speaks it."""

    process: subprocess.Popen[bytes]
    port: int
    started_s: float
    context: ssl.SSLContext | None = None
    most_mib: float = 0.0

    def __post_init__(self) -> None:
        threading.Thread(target=self._weigh, daemon=True).start()

    def _weigh(self) -> None:
        """Keeps the most memory that it and its children had at one time, as far as four looks a second see it."""
        while self.process.poll() is None:
            with suppress(OSError, IndexError):
                self.most_mib = max(self.most_mib, self.usage().rss_mib)
            time.sleep(WEIGH_EACH_S)

    def usage(self) -> Usage:
        """What it has used, with its children."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        used = [_usage(one) for one in (str(pid), *children)]
        return Usage(*(sum(column) for column in zip(*used, strict=True)))

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it and waits for that."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)


def _usage(pid: str) -> tuple[float, float]:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    rss_mib = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1_024
    return (int(stat[11]) + int(stat[12])) / _TICKS, rss_mib


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """The command, on this core alone."""
    return ["taskset", "-c", str(core), *command]


def enrolled(home: Path, nodes: int, more: str = "", *, tls: bool = False) -> list[str]:
    """Makes a collector's configuration and state in `home`, with so many nodes; their keys. `more` is of its file."""
    words = ["--name", "localhost"] if tls else []
    subprocess.run([*COLLECTOR, "init", str(home), *words], check=True, stdout=subprocess.DEVNULL)
    path = home / "collector.toml"
    told = re.sub(r'(?m)^listen = "[^"]*"', 'listen = "127.0.0.1:0"', path.read_text(encoding="utf-8"))
    path.write_text(more + told, encoding="utf-8")
    session = Session.begin(path, debug=False)
    keys = []
    with session.store(session.config()) as store:
        for at in range(nodes):
            now = session.clock()
            token = issue_token(store.registry, node_name(at), 60_000, now)
            keys.append(redeem(store.registry, node_name(at), token, now)[1])
    return keys


def copied(home: Path, to: Path) -> Path:
    """The same collector again, in a folder of its own."""
    shutil.copytree(home, to)
    return to


def collector(home: Path, core: int, command: Sequence[str] = COLLECTOR) -> Server:
    """The collector of `home`, once it listens."""
    line = on_core(core, [*command, "--config", str(home / "collector.toml"), "serve"])
    begun = time.monotonic()
    process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=home)
    assert process.stderr is not None
    said = ""
    poll = select.poll()
    poll.register(process.stderr, select.POLLIN)
    while not (found := re.search(r"listening on https?://127\.0\.0\.1:(\d+)", said)):
        ready = poll.poll(PATIENCE_S * 1_000)
        piece = os.read(process.stderr.fileno(), 65_536) if ready else b""
        if not piece:
            process.kill()
            raise SystemExit(f"the collector does not start:\n{said}")
        said += piece.decode()
    took = time.monotonic() - begun
    # A log that nobody reads would fill its pipe.
    threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
    return Server(process, int(found[1]), took, trusting(home / "ca" / "authority.pem"))


def _drain(log: IO[bytes]) -> None:
    with log:
        while log.read(65_536):
            pass


def trusting(authority: Path) -> ssl.SSLContext | None:
    """What one speaks TLS with, where the collector has an authority of its own."""
    return ssl.create_default_context(cafile=authority) if authority.exists() else None


@contextmanager
def page_open(port: int, found: dict[str, float]) -> Iterator[None]:
    """Somebody looks at the collector's page meanwhile, in a process of its own; `found` is told what they saw."""
    line = [sys.executable, str(VIEWER), str(port)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as viewer:
        assert viewer.stdout is not None
        if viewer.stdout.readline() != "open\n":
            raise SystemExit("the page cannot be opened")
        try:
            yield
        finally:
            viewer.terminate()
            found.update(json.loads(viewer.stdout.read() or "{}"))


def pushgateway(home: Path, core: int, *options: str) -> Server | None:
    """prometheus-pushgateway, once it listens; None where it is not installed."""
    program = shutil.which(PUSHGATEWAY)
    if program is None:
        return None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = on_core(core, [program, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *options])
    begun = time.monotonic()
    process = subprocess.Popen(
        line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=home, env={**os.environ, "GOMAXPROCS": "1"}
    )
    while time.monotonic() < begun + PATIENCE_S:
        if _listens(port):
            return Server(process, port, time.monotonic() - begun)
        time.sleep(0.02)
    process.kill()
    raise SystemExit(f"{PUSHGATEWAY} does not listen")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
