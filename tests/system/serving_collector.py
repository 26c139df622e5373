"""The collector as a process, used only as its agents and its operator would: started, killed, talked to."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from detak_wire.codec import encode
from detak_wire.messages import Evidence

PATIENCE_S = 30
COMMAND = [sys.executable, "-m", "detak_collector"]
NODES = ("db-01", "db-02", "db-03")


class Process:
    """One life of `detak-collector serve` on a configuration; `before` are words put before the command."""

    def __init__(self, home: Path, before: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*before, *COMMAND, "--config", str(home / "collector.toml"), "serve"],
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

    def __init__(self, directory: Path, nodes: Iterable[str] = NODES) -> None:
        self.directory = directory
        self.processes: list[Process] = []
        subprocess.run([*COMMAND, "init", str(directory)], check=True, stdout=subprocess.DEVNULL)
        path = directory / "collector.toml"
        path.write_text(path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
        self.keys = self._enrol(nodes)

    def _enrol(self, nodes: Iterable[str]) -> dict[str, str]:
        session = Session.begin(self.directory / "collector.toml", debug=False)
        with session.store(session.config()) as store:
            now = session.clock()
            tokens = {node: issue_token(store.registry, node, 60_000, now) for node in nodes}
            return {node: redeem(store.registry, node, token, now)[1] for node, token in tokens.items()}

    def serve(self, before: Sequence[str] = ()) -> Process:
        self.processes.append(Process(self.directory, before))
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


@contextmanager
def made_home(directory: Path, nodes: Iterable[str] = NODES) -> Iterator[Home]:
    """A home of which no process is left."""
    home = Home(directory, nodes)
    try:
        yield home
    finally:
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
        return self._answer()

    def get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path)
        return self._answer()

    def _answer(self) -> tuple[int, bytes]:
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()
