"""A collector that is killed under load, again and again: what it acknowledged is there, and nothing twice."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serving_collector import PATIENCE_S, Client, Home, made_home

from detak_wire.codec import decode
from detak_wire.messages import Answer, Part, Span
from evidence_builders import RUN, beat, exchange, growth, opening, span

pytestmark = pytest.mark.system

KILLS = 200 if os.environ.get("DETAK_NIGHTLY") == "1" else 5
NODES = tuple(f"db-{number:02}" for number in range(1, 7))
ALIVE = span(1, "alive")
RECORDS = 4
"""A beat closes so many spans, and an exchange with them."""


class Agent:
    """One node's beats, one after another, until its collector is gone; a beat without an answer is sent again."""

    def __init__(self, node: str, key: str) -> None:
        self._node = node
        self._key = key
        self._sent = 0
        self.acknowledged: set[int] = set()
        self.reach = 0
        self.wrong: list[str] = []

    def run(self, url: str) -> None:
        with closing(Client(url, self._key)) as client:
            while not self.wrong:
                try:
                    status, body = client.post(beat(self._part(), sent=self._now(), node=self._node))
                except (OSError, http.client.HTTPException):
                    return
                if status != 200:
                    self.wrong.append(f"{status}: {body!r}")
                    return
                self._note(decode(body, Answer))

    def _now(self) -> int:
        return 10_000 + 2_000 * (self._sent + RECORDS + 1)

    def _part(self) -> Part:
        numbers = range(self._sent + 2, self._sent + 2 + RECORDS)
        spans = [closed(number) for number in numbers]
        last = exchange(self._sent + 2 + RECORDS, sent=self._now() - 50)
        if not self._sent:
            return Part(RUN, opening(), [ALIVE, *spans], exchanges=[last])
        grown = growth(span(1, "alive", samples=1 + self._sent), self._now())
        return Part(RUN, spans=spans, growths=[grown], exchanges=[last])

    def _note(self, answer: Answer) -> None:
        stored = answer.stored[RUN]
        told = {number for begin, end in stored.ranges for number in range(begin, end + 1)}
        if not self.acknowledged <= told or stored.open[1] < self.reach:
            self.wrong.append(f"{self._node}: an acknowledgement was taken back: {stored}")
        self._sent += RECORDS + 1
        if max(told) != self._sent + 1:
            self.wrong.append(f"{self._node}: {max(told)} is not what was sent last, {self._sent + 1}")
        self.acknowledged, self.reach = told, stored.open[1]


def closed(number: int) -> Span:
    return span(number, first=2_000 * number, closed=True, message=f"number {number}")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", NODES) as home:
        yield home


def held(home: Home, node: str) -> list[int]:
    rows = home.query(
        "SELECT number FROM (SELECT run, number FROM span UNION ALL SELECT run, number FROM exchange) AS record "
        "JOIN run ON run.sequence = record.run JOIN node ON node.id = run.node "
        f"WHERE node.name = '{node}' ORDER BY number"
    )
    return [int(str(number)) for (number,) in rows]


def test_whenever_it_is_killed_every_acknowledged_record_is_there_and_none_twice(home: Home) -> None:
    chance = random.Random(1)
    agents = {node: Agent(node, key) for node, key in home.keys.items()}
    for _ in range(KILLS):
        process = home.serve()
        url = process.url()
        threads = [threading.Thread(target=agent.run, args=(url,)) for agent in agents.values()]
        before = sum(len(agent.acknowledged) for agent in agents.values())
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while sum(len(agent.acknowledged) for agent in agents.values()) < before + 200 and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.1))
        process.process.kill()
        for thread in threads:
            thread.join()
        process.wait()
        assert not [fault for agent in agents.values() for fault in agent.wrong]
        for node, agent in agents.items():
            numbers = held(home, node)
            assert len(numbers) == len(set(numbers))
            assert agent.acknowledged <= set(numbers)
            # One more beat may be there: stored, but killed before its answer left.
            assert len(numbers) - len(agent.acknowledged) in {0, RECORDS + 1}
    assert sum(len(agent.acknowledged) for agent in agents.values()) > KILLS * 200
    assert home.query("SELECT count(*) FROM conflict") == [(0,)]
    assert home.query("PRAGMA integrity_check") == [("ok",)]
