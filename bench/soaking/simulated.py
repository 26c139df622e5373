"""Nodes by the thousand, simulated: each says what an agent would, waits for the answer, and keeps what was promised.

Unlike the driver of bench/ingest.py they outlive their collectors: they try again, with the same bytes, until the
answer is there. Of one node one message is under way to a collector at a time, as with an agent.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from detak_wire import codec
from detak_wire.messages import Evidence
from ingest_beats import BEAT_MS, FIRST_AGENT, METRICS_EVERY, OFFSET, Node, node_name
from soaking.promises import Promise, Promised

TURNS_PER_MESSAGE = 1 / 200
MOST_POINTS = 4
RETRY_S = 5.0
ANSWER_WITHIN_S = 30.0
FIRST_WITHIN_S = 20.0
LAST_WITHIN_S = 5.0
_HEAD_END = b"\r\n\r\n"
NO_MORE = b""
KEY = "KEY-OF-THE-LANE"
"""Stands in a request that is made once for all collectors."""

TAKEN = 200
NO_ANSWER = 0
PASSING = frozenset({NO_ANSWER, 429, 503})
"""After these an agent tries again; any other refusal of a well-behaved node is a flaw."""


@dataclass(slots=True)
class Lane:
    """From one node to one collector: what waits, the connection, and what was acknowledged."""

    port: int
    key: str
    waiting: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    promised: Promised = field(default_factory=Promised)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    def close(self) -> None:
        """Its connection ends."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


@dataclass(slots=True)
class Speaker:
    """One node and its lanes, of which each has a key of its own. `measured` is the beat of its last metrics."""

    node: Node
    lanes: Sequence[Lane]
    measured: int = 0

    def first(self, beat_s: float) -> bytes:
        """The request that opens its run, which says how often it is going to speak."""
        request = self.node.first()
        said = message_of(request)
        part = said.parts[0]
        assert part.opening is not None
        opening = replace(part.opening, beat_ms=int(1_000 * beat_s))
        body = codec.compress(codec.encode(replace(said, parts=[replace(part, opening=opening)])))
        return re.sub(rb"(?<=Content-Length: )\d+", b"%d" % len(body), _head(request)) + body

    def next(self, beat: int, *, turns: bool) -> bytes:
        """Its request at a beat; those since its last one were never said, and what they held is in this one."""
        skipped = max(0, beat - self.node.beats)
        if self.node.owes_exchange:
            self.node.beats += skipped
            return self.node.next()
        points = min(MOST_POINTS, (beat - self.measured) // METRICS_EVERY)
        if points:
            self.measured = beat
        return self.node.after_outage(skipped, int(turns), points)

    def say(self, request: bytes) -> None:
        """To each collector that knows it."""
        for lane in self.lanes:
            lane.waiting.put_nowait(request.replace(KEY.encode(), lane.key.encode(), 1))

    @property
    def name(self) -> str:
        """Of the node."""
        return node_name(self.node.at)


class Simulated:
    """All of them, in a thread of their own, from `start` to `finish`."""

    def __init__(self, keys: Sequence[Mapping[int, str]], beat_s: float, seed: str) -> None:
        """`keys` has those of each node, by the port of the collector that gave them."""
        self.statuses: Counter[int] = Counter()
        self.refused: list[str] = []
        self._beat_s, self._chance = beat_s, random.Random(f"{seed} simulated")
        self._speakers = [
            Speaker(Node(at, KEY), [Lane(port, key) for port, key in its.items()]) for at, its in enumerate(keys)
        ]
        self._silent: set[int] = set()
        self._deaf: set[int] = set()
        self._is_done = False
        self._finishing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._all()), daemon=True)

    def start(self) -> None:
        """They open their runs, one after another."""
        self._thread.start()

    def finish(self, within_s: float) -> bool:
        """Each speaks once more and is done; whether all were within that time."""
        self._loop.call_soon_threadsafe(self._finishing.set)
        self._thread.join(within_s)
        return self._is_done

    def promises(self) -> Iterator[Promise]:
        """All that was acknowledged by either collector."""
        return (one for speaker in self._speakers for lane in speaker.lanes for one in lane.promised.all(speaker.name))

    @contextmanager
    def silent(self, nodes: Sequence[int]) -> Iterator[None]:
        """These say nothing meanwhile."""
        self._silent.update(nodes)
        yield
        self._silent.difference_update(nodes)

    @contextmanager
    def deaf(self, nodes: Sequence[int]) -> Iterator[None]:
        """The connections of these break meanwhile when a message is sent, before its answer: it is sent again."""
        self._deaf.update(nodes)
        yield
        self._deaf.difference_update(nodes)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._speakers)

    async def _all(self) -> None:
        await asyncio.gather(*map(self._live, self._speakers))
        self._is_done = True

    async def _live(self, one: Speaker) -> None:
        deliveries = [asyncio.create_task(self._deliver(one, lane)) for lane in one.lanes]
        await self._rest(FIRST_WITHIN_S * one.node.at / self.count)
        one.say(one.first(self._beat_s))
        due = time.monotonic()
        while not self._finishing.is_set():
            due = max(due + self._beat_s, time.monotonic())
            await self._rest(due - time.monotonic())
            if self._finishing.is_set():
                await asyncio.sleep(self._chance.uniform(0, LAST_WITHIN_S))
            if one.node.at not in self._silent or self._finishing.is_set():
                one.say(one.next(beat_now(), turns=self._chance.random() < TURNS_PER_MESSAGE))
        for lane in one.lanes:
            lane.waiting.put_nowait(NO_MORE)
        await asyncio.gather(*deliveries)

    async def _rest(self, seconds: float) -> None:
        """So long, or until all are to finish."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._finishing.wait(), max(0.0, seconds))

    async def _deliver(self, one: Speaker, lane: Lane) -> None:
        """One message after another, until there are no more or the node is refused."""
        while request := await lane.waiting.get():
            if not await self._is_taken(one, lane, request):
                break
            lane.promised.note(message_of(request))
        lane.close()

    async def _is_taken(self, one: Speaker, lane: Lane, request: bytes) -> bool:
        """Sends it until it is acknowledged; says no where the node was refused for good."""
        while True:
            status, said = NO_ANSWER, b""
            with suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    status, said = await self._asked(lane, request, is_deaf=one.node.at in self._deaf)
            self.statuses[status] += 1
            if status == TAKEN:
                return True
            if status not in PASSING:
                self.refused.append(f"{one.name}: {status} {said[:200]!r}")
                return False
            lane.close()
            await asyncio.sleep(RETRY_S * self._chance.uniform(1, 1.5))

    async def _asked(self, lane: Lane, request: bytes, *, is_deaf: bool) -> tuple[int, bytes]:
        if lane.reader is None or lane.writer is None:
            lane.reader, lane.writer = await asyncio.open_connection("127.0.0.1", lane.port)
        lane.writer.write(request)
        await lane.writer.drain()
        if is_deaf:
            return NO_ANSWER, b""
        head = await lane.reader.readuntil(_HEAD_END)
        said = await lane.reader.readexactly(_length(head))
        return int(head[9:12]), said


def beat_now() -> int:
    """The number of the beat that is due, as all simulated nodes count them."""
    return (time.time_ns() // 1_000_000 - OFFSET - FIRST_AGENT) // BEAT_MS


def message_of(request: bytes) -> Evidence:
    """What is in a whole request."""
    head = _head(request)
    body = request.removeprefix(head)
    return codec.decode(codec.inflate(body) if b"Content-Encoding: gzip" in head else body, Evidence)


def _head(request: bytes) -> bytes:
    """With the empty line that ends it."""
    return request[: request.index(_HEAD_END) + len(_HEAD_END)]


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0
