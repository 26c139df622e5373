"""Takes checked messages to the store in group commits, back to back, and answers each once it is durable.

What arrives while one commit runs goes into the next. It refuses what it cannot hold, backlog before liveness.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Clock
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.rivals import Rivals
from detak_collector.ingest.validation import InvalidRecordError, check
from detak_collector.operating.counters import commit_time, commits, latency, records, repeats
from detak_collector.store.base import (
    Arrival,
    EvidenceStore,
    Receipt,
    StoreBrokenError,
    StoreError,
    StoreUnavailableError,
)
from detak_wire import PROTOCOL_VERSION
from detak_wire.messages import Answer, Evidence, Part

BATCH = 256
ALLOWANCE = 2_000
FRESH_RECORDS = 200
RETRY_AFTER_S = 5

_log = logging.getLogger(__name__)


class OverloadedError(Exception):
    """There is no room for this message now."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much may wait for a commit. Above half of it only liveness is taken, and no backlog."""

    messages: int = 4_096
    octets: int = 8 * 1024 * 1024
    decoded: int = 2 * BATCH
    """So many are held as objects at a time: those of the commit that runs, and those of the next."""


@dataclass(slots=True)
class _Waiting:
    arrival: Arrival
    size: int
    receipt: asyncio.Future[Receipt]


@dataclass(slots=True)
class Ingest:
    """The way of evidence from the endpoint to the store, in one event loop; `thread` is the store's only writer."""

    store: EvidenceStore
    thread: ThreadPoolExecutor
    collector: str
    clock: Clock
    deadlines: Deadlines
    pulse: Pulse
    refused_liveness: Callable[[], None]
    capacity: Capacity = Capacity()
    rivals: Rivals = field(default_factory=Rivals)
    trouble: str = field(default="", init=False)
    """Why the store took nothing when it was last asked; empty where it did."""
    _turns: asyncio.Semaphore = field(init=False)
    _undecoded: int = field(default=0, init=False)
    """How many messages wait for their turn."""
    _queue: deque[_Waiting] = field(default_factory=deque, init=False)
    _octets: int = field(default=0, init=False)
    """Of what waits for its turn, and of the queue."""
    _broken: StoreBrokenError | None = field(default=None, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.capacity.decoded)

    @property
    def waiting(self) -> int:
        """How many messages wait for a commit."""
        return self._undecoded + len(self._queue)

    @property
    def waiting_octets(self) -> int:
        """How long they are together."""
        return self._octets

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """While it lasts a message of `size` bytes may be decoded and taken. Raises OverloadedError.

        As objects it is some ten times as large. When all nodes speak at once, as after a stop, most wait as bytes.
        """
        if self._pressure(size) > 1:
            self.refused_liveness()
            raise OverloadedError
        self._undecoded += 1
        self._octets += size
        try:
            await self._turns.acquire()
        finally:
            self._undecoded -= 1
            self._octets -= size
        try:
            yield
        finally:
            self._turns.release()

    async def take(self, arrival: Arrival, size: int) -> Answer:
        """The answer to a message of `size` bytes whose turn it is, once all it holds is durable.

        Raises InvalidRecordError or StoreError: then nothing of it is stored.
        """
        if self._broken is not None:
            raise self._broken
        check(arrival.evidence)
        if self._pressure(size) > 0.5:
            arrival = replace(arrival, evidence=without_backlog(arrival.evidence))
        waiting = _Waiting(arrival, size, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._octets += size
        self._arrived.set()
        return self._answer(arrival, await waiting.receipt)

    async def run(self) -> None:
        """Commits for ever; raises StoreBrokenError when the store cannot be relied on any more."""
        try:
            await self._commit_for_ever()
        except StoreBrokenError as error:
            self._broken, self.trouble = error, str(error)
            _refuse(list(self._queue), error)
            raise

    async def _commit_for_ever(self) -> None:
        while True:
            await self._arrived.wait()
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._octets -= sum(waiting.size for waiting in batch)
            if not self._queue:
                self._arrived.clear()
            await self._commit(batch)

    def _pressure(self, size: int) -> float:
        """How full it would be: more than 1 is too much."""
        messages = (self.waiting + 1) / self.capacity.messages
        return max(messages, (self._octets + size) / self.capacity.octets)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        arrivals = [waiting.arrival for waiting in batch]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            outcomes = await loop.run_in_executor(self.thread, self.store.commit, arrivals)
        except StoreBrokenError as error:
            _refuse(batch, error)
            raise
        except StoreUnavailableError as error:
            commits.count("refused")
            self._refuse_for_now(batch, error)
        except Exception:  # noqa: BLE001 - one message that cannot be stored must not keep all others from it
            await self._commit_apart(batch)
        else:
            commits.count("stored")
            commit_time.observe(round((loop.time() - begun) * 1_000))
            self.recovered()
            self._deliver(batch, outcomes)

    def _refuse_for_now(self, batch: Sequence[_Waiting], error: StoreUnavailableError) -> None:
        """Nobody is listened to; that is logged once, since every beat of every node fares so until it is over."""
        if not self.trouble:
            _log.error("evidence is refused: %s", error)
        self.trouble = str(error)
        self.refused_liveness()
        _refuse(batch, error)

    def recovered(self) -> None:
        """The store takes evidence, as far as is known."""
        if self.trouble:
            _log.warning("evidence is stored again")
        self.trouble = ""

    async def _commit_apart(self, batch: Sequence[_Waiting]) -> None:
        """One message of the batch cannot be committed: it is found by trying each alone."""
        if len(batch) > 1:
            for waiting in batch:
                await self._commit([waiting])
            return
        _log.exception("a message of node %s cannot be committed", batch[0].arrival.node)
        _refuse(batch, StoreError("this message cannot be stored; the collector's log says why"))

    def _deliver(self, batch: Sequence[_Waiting], outcomes: Sequence[Receipt | InvalidRecordError]) -> None:
        news = False
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, InvalidRecordError):
                _refuse([waiting], outcome)
                continue
            if not waiting.receipt.cancelled():
                waiting.receipt.set_result(outcome)
            arrival = waiting.arrival
            _count(arrival.evidence)
            if not (outcome.heard or outcome.news):
                repeats.count("message")
            self.rivals.spoke(arrival.node, arrival.evidence.run, arrival.address, arrival.at.boottime)
            is_back = outcome.heard and self.deadlines.heard(arrival.node, arrival.at.boottime)
            news = news or outcome.news or is_back
        if news:
            self.pulse.beat()

    def _answer(self, arrival: Arrival, receipt: Receipt) -> Answer:
        # By BOOTTIME, so that a step of UTC in between cannot make the answer precede the question.
        took = self.clock().boottime - arrival.at.boottime
        latency.observe(took)
        pressure = self._pressure(0)
        return Answer(
            protocol=PROTOCOL_VERSION,
            collector=self.collector,
            arrived_utc=arrival.at.utc,
            answered_utc=arrival.at.utc + took,
            stored=receipt.stored,
            backlog_allowance=ALLOWANCE if pressure < 0.25 else FRESH_RECORDS if pressure < 0.5 else 0,
        )


def without_backlog(evidence: Evidence) -> Evidence:
    """What a message says of its own run now. The rest counts as not received: the answer's marks tell the agent."""
    return Evidence(
        protocol=evidence.protocol,
        node=evidence.node,
        run=evidence.run,
        sent_agent=evidence.sent_agent,
        parts=[_fresh(part) if part.run == evidence.run else Part(part.run) for part in evidence.parts],
        stopping=evidence.stopping,
        stopping_agent=evidence.stopping_agent,
    )


def _fresh(part: Part) -> Part:
    open_spans = [span for span in part.spans if not span.closed]
    closed = [span for span in part.spans if span.closed][-FRESH_RECORDS:]
    return Part(part.run, part.opening, [*closed, *open_spans], part.growths)


def _count(evidence: Evidence) -> None:
    for part in evidence.parts:
        for kind, found in (
            ("spans", part.spans),
            ("growths", part.growths),
            ("exchanges", part.exchanges),
            ("gaps", part.gaps),
        ):
            if found:
                records.count(kind, len(found))


def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.receipt.cancelled():
            waiting.receipt.set_exception(error)
