"""A collector process on loopback, and bare sockets that say to it what no honest program would."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from installation import Installation, service_of

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_REFUSALS = re.compile(r'^detak_refusals_total\{reason="([a-z_]+)"\} (\d+)', re.MULTILINE)


@dataclass(frozen=True)
class Heard:
    """The answer to one request: 0 where the connection ended without one."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Target:
    """The process, and one valid key for each of its nodes."""

    made: Installation
    keys: dict[str, str] = field(default_factory=dict)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.made.port), timeout=60)

    def say(self, raw: bytes) -> Heard:
        """Bytes as they are, on a connection of their own."""
        with self.connect() as end:
            return answer_to(end, raw)

    def refusals(self) -> dict[str, int]:
        """What /metrics says of what was turned away."""
        told = self.say(get("/metrics")).body.decode()
        return {reason: int(times) for reason, times in _REFUSALS.findall(told)}

    def enrol(self, node: str, token: str | None = None) -> Heard:
        """Trades in a token, by default a new one for this node; a key is kept."""
        token = token or self.token(node)
        heard = self.say(post("/api/v1/enrol", json.dumps({"protocol": 1, "node": node, "token": token}).encode()))
        if heard.status == 200:
            self.keys[node] = heard.json()["key"]
        return heard

    def token(self, *words: str) -> str:
        """What `enroll` prints for these words."""
        line = shlex.split(self.made.collector_says("enroll", *words))
        return line[line.index("--token") + 1]

    def log(self) -> str:
        return self.made.log("collector")


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: detak\r\n\r\n".encode()


def post(path: str, body: bytes, key: str = "", **headers: str) -> bytes:
    """A request with its body; headers as `Content_Encoding="gzip"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Authorization": f"Bearer {key}"} if key else {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\nHost: detak\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def beat(node: str, **more: object) -> bytes:
    """The least that a beat may hold, changed as the test wants."""
    return json.dumps(
        {"protocol": 1, "node": node, "run": "aaaaaaaa", "sent_agent": 1_000, "parts": []} | more
    ).encode()


def answer_to(end: socket.socket, raw: bytes) -> Heard:
    """The first final answer on this connection."""
    heard = b""
    try:
        end.sendall(raw)
        while not _is_whole(heard):
            more = end.recv(65_536)
            if not more:
                break
            heard += more
            while heard.startswith(b"HTTP/1.1 100 "):
                heard = heard.partition(b"\r\n\r\n")[2]
    except ConnectionError:
        pass
    head, _, body = heard.partition(b"\r\n\r\n")
    return Heard(int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0, body)


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """A collector that serves, with the nodes `n` and `m` enrolled."""
    made = Installation(folder)
    try:
        made.configure(service_of("n/alive"))
        made.start_collector()
        one = Target(made)
        for node in ("n", "m"):
            assert one.enrol(node).status == 200
        yield one
    finally:
        made.close()
