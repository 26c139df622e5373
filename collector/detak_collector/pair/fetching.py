"""Fetches from the other collector the evidence that is lacking here, and keeps it.

It goes the way of the agents' own, so that nothing of it is special.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from msgspec import structs

from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Clock, Reading
from detak_collector.ingest.validation import InvalidRecordError, check
from detak_collector.pair.client import Client
from detak_collector.pair.messages import (
    PAIR_PROTOCOL,
    WANTED_RUNS,
    Answered,
    RunLine,
    RunRecords,
    VersionLine,
    Wanted,
    WantedRun,
)
from detak_collector.store.base import Arrival
from detak_collector.store.holdings import lacking
from detak_collector.store.learning import add_nodes
from detak_collector.store.parts import Store
from detak_wire import PROTOCOL_VERSION, limits
from detak_wire.messages import Evidence, Exchange, Gap, Part, Span

BATCH = 50
MOST_ROUNDS = 200
"""Of asking for records, before the rest waits for the next look."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetching:
    """Of one serving process; `thread` is the store's only writer."""

    store: Store
    thread: ThreadPoolExecutor
    clock: Clock
    pulse: Pulse

    async def fetch(self, client: Client, told: Answered) -> None:
        """What is lacking of the runs that were told of, and the versions that contradict some record.

        Raises PeerError or StoreError; then nothing is marked as told, and it is told again.
        """
        await self._fetch_lacking(client, told)
        if told.contradicted:
            # What stands there under the same numbers may be another record than what stands here.
            for asked in _in_parts(_contradicted(told.contradicted)):
                await self._store((await client.records(Wanted(PAIR_PROTOCOL, asked))).runs)
            await self._keep([version_arrival(one, self.clock()) for one in told.contradicted])

    async def _fetch_lacking(self, client: Client, told: Answered) -> None:
        for part in _in_parts(await asyncio.to_thread(self._lacking, told)):
            asked = part
            for _ in range(MOST_ROUNDS):
                found = await client.records(Wanted(PAIR_PROTOCOL, asked))
                if not await self._store(found.runs):
                    break
                names = {(one.node, one.run) for one in asked}
                lines = [line for line in told.runs if (line.node, line.run) in names]
                before, asked = asked, await asyncio.to_thread(self._lacking_of, lines)
                if not asked or asked == before:
                    break

    def _lacking(self, told: Answered) -> list[WantedRun]:
        wanted = {(one.node, one.run): one for one in self._lacking_of(told.runs)}
        for node, run in told.ahead:
            known = wanted.get((node, run), WantedRun(node, run))
            wanted[node, run] = WantedRun(node, run, known.ranges, open=True)
        return list(wanted.values())

    def _lacking_of(self, lines: Sequence[RunLine]) -> list[WantedRun]:
        with self.store.database.reading() as connection:
            return [one for line in lines if (one := lacking(connection, line)) is not None]

    async def _store(self, runs: Sequence[RunRecords]) -> bool:
        """Takes them as any evidence; whether anything new came of it."""
        now = self.clock()
        kept = await self._keep([relayed_arrival(one, now) for one in runs])
        return kept and any(one.part.spans or one.part.exchanges or one.part.gaps for one in runs)

    async def _keep(self, found: Sequence[Arrival | None]) -> bool:
        """Commits what is sound; whether that was anything."""
        arrivals = [one for one in found if one is not None]
        await self._call(partial(self._add_nodes, arrivals))
        for at in range(0, len(arrivals), BATCH):
            batch = arrivals[at : at + BATCH]
            outcomes = await self._call(partial(self.store.evidence.commit, batch))
            for arrival, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, InvalidRecordError):
                    _log.warning("not taken from the other collector: node %s: %s", arrival.node, outcome)
        if arrivals:
            self.pulse.beat()
        return bool(arrivals)

    def _add_nodes(self, arrivals: Sequence[Arrival]) -> None:
        with self.store.database.writing() as connection:
            add_nodes(connection, sorted({one.node for one in arrivals}), self.clock().utc)

    async def _call(self, work: Callable[[], T]) -> T:
        """What only the store's thread may do."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)


def _in_parts(wanted: Sequence[WantedRun]) -> list[list[WantedRun]]:
    """No more in one than a request may hold."""
    return [list(wanted[at : at + WANTED_RUNS]) for at in range(0, len(wanted), WANTED_RUNS)]


def _contradicted(lines: Sequence[VersionLine]) -> list[WantedRun]:
    """What stands under these numbers, closed or open."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for line in lines:
        part = line.part
        records: tuple[Span | Exchange | Gap, ...] = (*part.spans, *part.exchanges, *part.gaps)
        numbers.setdefault((line.node, part.run), set()).update(one.number for one in records)
    return [
        WantedRun(node, run, [(number, number) for number in sorted(found)], open=True)
        for (node, run), found in sorted(numbers.items())
    ]


def relayed_arrival(records: RunRecords, now: Reading) -> Arrival | None:
    """The records as a message of the node's; None where that could not be."""
    evidence = _evidence(records.node, records.part)
    if evidence is None:
        return None
    told = structs.replace(evidence, stopping=records.stopped, stopping_agent=records.stopped_agent)
    return Arrival(records.node, told, now, relayed=True)


def version_arrival(line: VersionLine, now: Reading) -> Arrival | None:
    """A message that brings nothing but the version; None where that is not sound."""
    evidence = _evidence(line.node, line.part)
    if evidence is None:
        return None
    return Arrival(line.node, structs.replace(evidence, parts=[]), now, relayed=True, versions=(line.part,))


def _evidence(node: str, part: Part) -> Evidence | None:
    evidence = Evidence(PROTOCOL_VERSION, node, part.run, sent_agent=limits.TIME_MS, parts=[part])
    with suppress(InvalidRecordError):
        check(evidence)
        return evidence
    _log.warning("not taken from the other collector: run %s of node %s is not sound", part.run, node)
    return None
