"""More than a collector can take: it sheds with 429 and Retry-After, keeps what it took, and goes on serving."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from installation import until
from serving_collector import COMMAND, PATIENCE_S, Home, Process, made_home

from detak_wire.codec import decode, encode
from detak_wire.messages import Answer, Problem
from evidence_builders import RUN, first_beat

pytestmark = pytest.mark.system

NODES = [f"node-{at}" for at in range(60)]
AT_ONCE = 5
"""Messages that a node has under way, on as many connections."""

ROOM = 40
"""For so many messages in the narrow collector's queue."""

NARROW = f"""
from functools import partial
from detak_collector import cli, composition
from detak_collector.ingest import intake as ingest
composition.Ingest = partial(ingest.Ingest, capacity=ingest.Capacity(messages={ROOM}))
cli.main()
"""


class Narrow(Process):
    """A collector with room for few messages."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [COMMAND[0], "-c", NARROW, "--config", str(home / "collector.toml"), "serve"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.said = ""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", NODES) as made:
        yield made


@pytest.fixture
def process(home: Home) -> Process:
    home.processes.append(Narrow(home.directory))
    return home.processes[-1]


def request(node: str, key: str) -> bytes:
    body = encode(first_beat(node=node))
    lines = (
        "POST /api/v1/evidence HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {key}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def answered(end: socket.socket) -> tuple[int, dict[str, str], bytes]:
    response = http.client.HTTPResponse(end)
    response.begin()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def all_at_once(process: Process, home: Home) -> list[tuple[str, int, dict[str, str], bytes]]:
    """Every node's beat several times, all there when the collector next looks: node, status, headers, body of each."""
    port = int(process.url().rpartition(":")[2])
    with ExitStack() as stack:
        ends = [
            (node, stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S)), request(node, key))
            for node, key in home.keys.items()
            for _ in range(AT_ONCE)
        ]
        process.process.send_signal(signal.SIGSTOP)
        for _, end, message in ends:
            end.sendall(message)
        process.process.send_signal(signal.SIGCONT)
        return [(node, *answered(end)) for node, end, _ in ends]


def stored(home: Home) -> set[object]:
    """The nodes of which the collector's file holds a run."""
    return {name for (name,) in home.query("SELECT name FROM run JOIN node ON node.id = run.node")}


def test_what_finds_no_room_is_told_to_come_again_and_what_was_taken_is_kept(home: Home, process: Process) -> None:
    answers = all_at_once(process, home)
    assert {status for _, status, _, _ in answers} == {200, 429}
    for _, status, headers, body in answers:
        if status == 429:
            problem = decode(body, Problem)
            assert (problem.error, headers["retry-after"]) == ("overloaded", str(problem.retry_after_s))
    assert {node for node, status, _, _ in answers if status == 200} <= stored(home)


def test_whoever_was_shed_is_served_when_it_comes_again(home: Home, process: Process) -> None:
    assert 429 in [status for _, status, _, _ in all_at_once(process, home)]
    port = int(process.url().rpartition(":")[2])
    for node, key in home.keys.items():
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as end:
            end.sendall(request(node, key))
            status, _, body = answered(end)
            assert status == 200
            assert decode(body, Answer).stored[RUN].opened
    assert stored(home) == set(NODES)


def test_a_collector_that_sheds_beats_says_that_it_was_not_watching(home: Home, process: Process) -> None:
    assert 429 in [status for _, status, _, _ in all_at_once(process, home)]
    until("the watch has ended", lambda: ("refused",) in home.query("SELECT ended FROM watch"))
