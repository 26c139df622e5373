"""One courier for each collector: sends the beats, takes the answers, retries. It never waits for another courier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from detak_agent.clocks import Clock
from detak_agent.composing import Draft, Known, Stopping, compose, knows_more
from detak_agent.config import CollectorSettings
from detak_agent.connection import ConnectionBrokenError, Reply
from detak_agent.delivery_cursor import Cursor
from detak_agent.exchanges import Choice, Stamps
from detak_agent.failures import CouldNotError, JournalError
from detak_agent.journal import Journal
from detak_agent.journal_thread import JournalThread
from detak_agent.key_renewal import HeldKey
from detak_agent.metrics.waiting import WaitingPoints
from detak_agent.records import Owed
from detak_agent.refusals import (
    DeliveryError,
    InvalidRecordError,
    KeyRefusedError,
    NoMetricsError,
    TooLargeError,
    UnknownRunError,
    refusal,
)
from detak_agent.run import Durable, Run
from detak_agent.schedule import next_due
from detak_agent.timing import within, woken_within
from detak_wire import limits
from detak_wire.codec import InvalidMessageError, compress, decode, encode
from detak_wire.messages import Answer, Evidence, Stored

_log = logging.getLogger("detak_agent")

DEADLINE_MS = 10_000
"""For one request, from connecting to the last byte of the answer."""

_NAMED_RUNS = 40
_GZIP_ABOVE_BYTES = 1_024


class RenewalError(Exception):
    """A collector knows more of this run than the run itself: this machine was set back. A new run must begin."""


@dataclass(frozen=True, slots=True)
class Station:
    """What every courier of a run works with."""

    node: str
    state_directory: Path
    beat_ms: int
    run: Run
    journal: Journal
    thread: JournalThread
    clock: Clock
    random: Callable[[], float]
    commit_soon: Callable[[], None]
    points: WaitingPoints = field(default_factory=WaitingPoints)


class Link(Protocol):
    """A way to one collector, as a courier uses it; both methods raise ConnectionBrokenError or CouldNotError."""

    async def open(self) -> None:
        """Connect unless connected."""
        ...

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """One request and its whole answer."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...


class Courier:
    """Delivers one run to one collector, with its own cursor and its own patience."""

    def __init__(self, station: Station, collector: CollectorSettings, link: Link) -> None:
        self._station = station
        self._url = collector.url
        self._link = link
        self._key = HeldKey(collector, station.state_directory, station.node)
        self._wake = asyncio.Event()
        self._points = station.points.for_collector(collector.url)
        self._choice = Choice()
        self._cursor = Cursor()
        self._oldest: dict[str, int] = {}
        self._unnamed: list[str] | None = None
        self._acknowledged: dict[str, Stored] = {}
        self._edges_seen = 0
        self._failures = 0
        self._trouble = ""

    def wake(self) -> None:
        """Something is durable that should not wait for the next beat."""
        self._wake.set()

    async def deliver(self) -> None:
        """For ever: a beat at each of its times, and whenever it is woken. Raises RenewalError or JournalError."""
        await self._wake.wait()
        while True:
            self._wake.clear()
            error = await self._attempt()
            if error is None:
                self._recovered()
                await self._key.renew_if_due(self._link, self._station.clock)
                await self._rest()
            else:
                await self._endure(error)

    async def _attempt(self) -> DeliveryError | None:
        try:
            await within(DEADLINE_MS / 1_000, self._round(None))
        except TimeoutError:
            return DeliveryError(f"no answer within {DEADLINE_MS / 1_000:.0f} s")
        except ConnectionBrokenError as error:
            return DeliveryError(str(error))
        except DeliveryError as error:
            return error
        except JournalError:
            raise
        except CouldNotError as error:
            return DeliveryError(str(error), is_slow=True)
        return None

    async def farewell(self, stopping: Stopping) -> None:
        """The run's last beat; whoever calls bounds its time."""
        try:
            await self._round(stopping)
        except (ConnectionBrokenError, CouldNotError, DeliveryError, RenewalError) as error:
            _log.warning("collector %s: the last beat was not delivered: %s", self._url, error)
        except asyncio.CancelledError:
            _log.warning("collector %s: the last beat was not delivered: no answer in time", self._url)
            raise

    def close(self) -> None:
        """Drop the connection."""
        self._link.close()

    def exchanges_left(self) -> list[Stamps]:
        """What is to be kept of the running hour, when the run ends."""
        return self._choice.rest()

    async def _round(self, stopping: Stopping | None) -> None:
        key = self._key.read()
        if key is None:
            hint = f"run detak-agent enroll --collector {self._url} --token TOKEN"
            raise KeyRefusedError(f"this node is not enrolled there; {hint}")
        await self._link.open()
        owed = await self._owed()
        run = self._station.run
        known = Known(self._cursor.open, tuple((self._unnamed or [])[:_NAMED_RUNS]), self._oldest)
        metrics = self._points.due(self._station.clock.begin()) if stopping is None else ()
        draft = Draft(self._station.node, run.identity, run.durable, owed, known, stopping, metrics)
        evidence = compose(draft, self._station.clock.begin())
        reply = await self._link.post("/api/v1/evidence", *_packed(evidence, key))
        received_agent = self._station.clock.end()
        if reply.status != 200:
            await self._refused(reply)
        else:
            await self._answered(_answer(reply), draft, evidence, received_agent)

    async def _owed(self) -> Owed:
        """The newest records and as many older ones as are allowed; nothing is read where nothing can be owed."""
        journal, thread = self._station.journal, self._station.thread
        if self._unnamed is None:
            self._oldest = await thread.call(journal.outbox.runs)
            self._unnamed = [run for run in self._oldest if run != self._station.run.identity]
        room = self._cursor.room(self._station.run.durable.closed_so_far)
        if room is None:
            return Owed()
        self._oldest = await thread.call(journal.outbox.runs)
        return await thread.call(journal.outbox.owed, self._url, room)

    async def _answered(self, answer: Answer, draft: Draft, evidence: Evidence, received_agent: int) -> None:
        run = self._station.run
        stored = answer.stored.get(run.identity)
        if stored is None:
            raise DeliveryError("its answer does not speak of this run", is_slow=True)
        if knows_more(stored, run.last_number, run.reaches):
            raise RenewalError(f"collector {self._url} knows more of run {run.identity} than this agent does")
        has_lost = await self._acknowledge(answer)
        named = {part.run for part in evidence.parts}
        self._unnamed = None if has_lost else [name for name in self._unnamed or [] if name not in named]
        if has_lost:
            _log.warning("collector %s: has lost what it had stored; it gets that again", self._url)
        self._cursor.answered(answer, stored, draft.owed, draft.durable.closed_so_far, has_lost=has_lost)
        self._points.taken(draft.metrics)
        stamps = Stamps(answer.collector, evidence.sent_agent, answer.arrived_utc, answer.answered_utc, received_agent)
        self._keep_exchange(stamps, draft.durable)

    async def _acknowledge(self, answer: Answer) -> bool:
        """Make durable what the collector holds by now; a quiet beat says nothing new and costs nothing."""
        stored = {run: replace(one, open={}) for run, one in answer.stored.items()}
        if all(self._acknowledged.get(run) == one for run, one in stored.items()):
            return False
        self._acknowledged.update(stored)
        return await self._station.thread.call(self._station.journal.outbox.acknowledge, self._url, stored)

    def _keep_exchange(self, stamps: Stamps, durable: Durable) -> None:
        is_first = not self._choice.has_begun
        for kept in self._choice.offer(stamps, after_edge=durable.edges > self._edges_seen):
            self._station.run.keep(kept)
        self._edges_seen = durable.edges
        self._station.run.contact(self._url, self._station.clock.utc())
        if is_first:
            self._station.commit_soon()

    async def _refused(self, reply: Reply) -> None:
        error = refusal(reply)
        self._cursor.refused()
        if isinstance(error, InvalidRecordError):
            await self._set_aside(error)
        elif isinstance(error, UnknownRunError):
            self._acknowledged.pop(error.run, None)
            await self._station.thread.call(self._station.journal.outbox.forget, self._url, error.run)
            self._cursor.owes_again()
        elif isinstance(error, NoMetricsError):
            self._points.refused(self._station.clock.begin())
        elif isinstance(error, KeyRefusedError) and self._key.refused():
            raise KeyRefusedError(str(error), has_another=True)
        raise error

    async def _set_aside(self, error: InvalidRecordError) -> None:
        run, reason = self._station.run, f"refused by a collector: {error}"
        if error.run == run.identity and run.discard(error.number, reason[: limits.MESSAGE_CHARACTERS]):
            self._station.commit_soon()
        else:
            await self._station.thread.call(self._station.journal.outbox.set_aside, error.run, error.number, reason)
        self._cursor.owes_again()

    async def _rest(self) -> None:
        """Until the next beat, unless woken, or at once if more may be sent.

        All collectors get it at once: a pair knows what either heard, and beats in turn would be missed no sooner.
        """
        if self._cursor.has_more:
            return
        now = self._station.clock.begin()
        due = next_due(self._station.node, self._station.beat_ms, now)
        await woken_within((due - now) / 1_000, self._wake)

    async def _endure(self, error: DeliveryError) -> None:
        if error.is_slow:
            self._link.close()
        if isinstance(error, TooLargeError):
            self._cursor.too_large()
        self._failures += 1
        if str(error) != self._trouble:
            self._trouble = str(error)
            _log.warning("collector %s: %s", self._url, error)
        pause_ms = error.pause_ms(self._failures, self._station.beat_ms, self._station.random())
        if isinstance(error, KeyRefusedError):
            await self._key.another(pause_ms, self._station.beat_ms)
        else:
            await asyncio.sleep(pause_ms / 1_000)

    def _recovered(self) -> None:
        if self._trouble:
            _log.info("collector %s: answers again", self._url)
        self._failures, self._trouble = 0, ""


def _packed(evidence: Evidence, key: str) -> tuple[bytes, dict[str, str]]:
    body = encode(evidence)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if len(body) > _GZIP_ABOVE_BYTES:
        body = compress(body)
        headers["Content-Encoding"] = "gzip"
    if len(body) > limits.BODY_BYTES:
        raise TooLargeError("more than one message may hold")
    return body, headers


def _answer(reply: Reply) -> Answer:
    try:
        return decode(reply.body, Answer)
    except InvalidMessageError as error:
        raise DeliveryError(f"this is not a collector's answer: {error}", is_slow=True) from error
