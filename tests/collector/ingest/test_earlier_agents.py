"""Agents of every earlier version, served by today's collector: what they sent, byte for byte, and what they can read.

An agent refuses an answer that has a field it does not know. So answers must stay as they were for as long as a version
is served, which is two years after the last agent that speaks it was released.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from detak_collector.channel.enrol import digest
from detak_wire import PROTOCOL_VERSION
from detak_wire.codec import compress
from running_collector import Running, running_collector

RECORDED = Path(__file__).parents[2] / "recorded" / "wire"
RECORDINGS = sorted(RECORDED.glob("*.ndjson"))


@dataclass(frozen=True)
class Exchanged:
    """One request of a real agent, and how it was answered then."""

    path: str
    headers: dict[str, str]
    body: str
    status: int
    answer: dict[str, Any]


def exchanges(recording: Path) -> Iterator[Exchanged]:
    for line in recording.read_text().splitlines():
        yield Exchanged(**json.loads(line))


async def play(running: Running, recording: Path, *, gzipped: bool) -> list[tuple[Exchanged, int, Any]]:
    """Sends everything again, with the keys that this collector gives out; each with its status and answer."""
    keys: dict[str, str] = {}
    told = []
    for one in exchanges(recording):
        if one.path == "/api/v1/enrol":
            message = json.loads(one.body)
            now = running.ingest.clock()
            running.store.registry.issue(message["node"], digest(message["token"]), now.utc + 60_000, now)
        then = one.headers.get("Authorization", "").removeprefix("Bearer ")
        body = compress(one.body.encode()) if gzipped else one.body.encode()
        more = {"Content_Encoding": "gzip"} if gzipped else {}
        status, content, _ = await running.post(body, keys.get(then, ""), one.path, **more)
        answer = json.loads(content)
        if "key" in one.answer:
            keys[one.answer["key"]] = answer["key"]
        told.append((one, status, answer))
    return told


def app_states(running: Running) -> list[str]:
    query = (
        "SELECT state FROM span JOIN text ON text.id = span.\"check\" WHERE text.text = 'app' ORDER BY span.first_begin"
    )
    with closing(sqlite3.connect(running.store.path)) as connection:
        return [row[0] for row in connection.execute(query)]


def shape(answer: object) -> object:
    """The fields of an answer, without what they hold."""
    if isinstance(answer, dict):
        return {name: "by run" if name in {"stored", "open"} else shape(value) for name, value in answer.items()}
    return type(answer).__name__


def test_there_is_a_recording_of_every_version_that_is_served() -> None:
    assert f"protocol-{PROTOCOL_VERSION}-" in RECORDINGS[-1].name
    assert all(date.fromisoformat(one.name[:10]) for one in RECORDINGS)


@pytest.mark.asyncio
@pytest.mark.parametrize("gzipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.stem)
async def test_an_earlier_agent_is_served_as_ever(recording: Path, gzipped: bool, tmp_path: Path) -> None:
    async with running_collector(tmp_path, nodes=()) as running:
        told = await play(running, recording, gzipped=gzipped)
        assert [status for _, status, _ in told] == [one.status for one, _, _ in told]
        for one, _, answer in told:
            assert answer.get("stored") == one.answer.get("stored"), one.body
            # What it does not know it refuses: no field may be added, and none left out.
            assert shape(answer) == shape(one.answer)
        [row] = running.store.registry.listing(running.ingest.clock())
        assert (row.stopped, row.states, row.conflicts) == ("stop", {}, 0)
        assert running.rows("run") == 2
        # What the node went through: its check was up, down and up, and then the agent was started anew.
        assert app_states(running) == ["up", "down", "up", "up"]


@pytest.mark.asyncio
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.stem)
async def test_what_it_sends_twice_changes_nothing(recording: Path, tmp_path: Path) -> None:
    async with running_collector(tmp_path, nodes=()) as running:
        told = await play(running, recording, gzipped=False)
        spans = running.rows("span")
        evidence = [one for one, _, _ in told if one.path == "/api/v1/evidence"]
        key = next(answer["key"] for _, _, answer in reversed(told) if "key" in answer)
        for one in evidence:
            assert (await running.post(one.body.encode(), key))[0] == 200
        assert (running.rows("span"), running.rows("conflict")) == (spans, 0)
