"""Starts what is measured, each as a process of its own on one core, and tells what it has used."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from ingest_beats import node_name

PATIENCE_S = 60.0
COLLECTOR = (sys.executable, "-m", "detak_collector")
STORELESS = (sys.executable, str(Path(__file__).with_name("ingest_storeless.py")))
PUSHGATEWAY = "prometheus-pushgateway"

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process since it began: processor seconds, and MiB of memory now and at most."""

    cpu_s: float
    rss_mib: float
    most_mib: float


@dataclass(slots=True)
class Server:
    """A running server. `started_s` is how long it took until it listened."""

    process: subprocess.Popen[bytes]
    port: int
    started_s: float

    def usage(self) -> Usage:
        """What it has used."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        rss, most = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1_024 for name in ("VmRSS", "VmHWM"))
        return Usage((int(stat[11]) + int(stat[12])) / _TICKS, rss, most)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it and waits for that."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """The command, on this core alone."""
    return ["taskset", "-c", str(core), *command]


def enrolled(home: Path, nodes: int, more: str = "") -> list[str]:
    """Makes a collector's configuration and state in `home`, with so many nodes; their keys. `more` is of its file."""
    subprocess.run([*COLLECTOR, "init", str(home)], check=True, stdout=subprocess.DEVNULL)
    path = home / "collector.toml"
    path.write_text(more + path.read_text(encoding="utf-8").replace("127.0.0.1:8080", "127.0.0.1:0"), encoding="utf-8")
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
    while not (found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", said)):
        ready = poll.poll(PATIENCE_S * 1_000)
        piece = os.read(process.stderr.fileno(), 65_536) if ready else b""
        if not piece:
            process.kill()
            raise SystemExit(f"the collector does not start:\n{said}")
        said += piece.decode()
    took = time.monotonic() - begun
    return Server(process, int(found[1]), took)


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
