"""Runs the real collector under strace, twice on one store, while nodes beat, and keeps what strace saw.

Everything is in the trace, from the making of the store on: `enroll` for each node, then two lives of `serve`.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from detak_collector.store.sqlite import FILE_NAME
from power_loss_calls import STRACE, Step, Store, steps_of
from power_loss_load import Node, beat_until

PATIENCE_S = 60.0
LIVES = 2
HERE = Path(__file__).parent

CONFIG = """\
state_directory = "{home}/state"
services = "{home}/services.toml"
listen = "127.0.0.1:0"
"""
SERVICES = """\
organisation = "Bench"
timezone = "UTC"
target_percent = 0.1
[[service]]
id = "s"
name = "S"
criticality = "sangat kritis"
[[service.group]]
name = "a"
category = "application"
members = ["node-00/check-3"]
"""


def record(home: Path, weakness: str, nodes: int, seconds: float) -> list[Step]:
    """What the collector did to its store and told its nodes. With a `weakness` its store promises too early."""
    program = [str(HERE / "power_loss_collector.py"), weakness] if weakness else ["-m", "detak_collector"]
    run = _Run(home, [sys.executable, *program, "--config", str(home / "collector.toml")])
    enrolled = [Node(name, run.token(name)) for name in (f"node-{at:02}" for at in range(nodes))]
    for _ in range(LIVES):
        run.live(enrolled, seconds / LIVES)
    return run.steps()


class _Run:
    """The processes of one run, one after another, each with a trace of its own."""

    def __init__(self, home: Path, command: Sequence[str]) -> None:
        self._home = home
        self._command = command
        self._traces: list[Path] = []
        (home / "collector.toml").write_text(CONFIG.format(home=home))
        (home / "services.toml").write_text(SERVICES)

    def token(self, node: str) -> str:
        """A one-time token, as the operator would get it."""
        process = self._start("enroll", node)
        line, said = (text.decode() for text in process.communicate(timeout=PATIENCE_S))
        self._settle(process, said)
        return line.split("--token ")[1].split()[0]

    def live(self, nodes: list[Node], seconds: float) -> None:
        """One life of the collector, to its orderly end."""
        process = self._start("serve")
        try:
            asyncio.run(beat_until(_url(process), nodes, seconds))
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=PATIENCE_S)[1].decode()
        finally:
            process.kill()
        self._settle(process, said)

    def steps(self) -> list[Step]:
        """What all of them did."""
        return steps_of(self._traces, Store(str(self._home / "state"), FILE_NAME))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        self._traces.append(self._home / f"trace-{len(self._traces)}")
        command = ["strace", *STRACE, "-o", str(self._traces[-1]), *self._command, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _settle(self, process: subprocess.Popen[bytes], said: str) -> None:
        """Waits until strace has written all of it."""
        if process.returncode:
            raise SystemExit(f"{' '.join(self._command)} ended with {process.returncode} and said:\n{said}")
        deadline = time.monotonic() + PATIENCE_S
        last = f"{process.pid} "
        while not any(line.startswith(last) and "+++ exited" in line for line in _tail(self._traces[-1])):
            if time.monotonic() > deadline:
                raise SystemExit(f"strace never finished {self._traces[-1]}")
            time.sleep(0.02)


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 4_096))
        return file.read().decode("ascii").splitlines()


def _url(process: subprocess.Popen[bytes]) -> str:
    """Where it listens, as it says."""
    assert process.stderr is not None
    said = b""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := re.search(rb"listening on (\S+)\n", said)):
        ready, _, _ = select.select([process.stderr], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stderr.fileno(), 65_536) if ready else b""
        if not piece:
            raise SystemExit(f"the collector never listened, but said:\n{said.decode()}")
        said += piece
    return found[1].decode()
