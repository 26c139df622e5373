"""The nodes of the power-loss run: they enrol and beat over HTTP, many at once, until they are told to stop.

What a record holds follows from its node and number, so that whoever finds it later can tell whether it is whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import aiohttp

from detak_wire.codec import decode, encode
from detak_wire.messages import (
    Answer,
    CheckSettings,
    ClockClaim,
    Enrolled,
    Enrolment,
    Evidence,
    Exchange,
    Gap,
    Growth,
    Metrics,
    Part,
    RunOpening,
    Span,
)

BOOT = "0b007000"
UTC = 1_700_000_000_000
EVERY_MS = 1_000
AT_ONCE = 7
"""Records in a beat."""

GAP_EVERY, LOST, EXCHANGE_EVERY = 40, 2, 11
CHECKS = 12

Record = Span | Exchange | Gap


def run_of(node: str) -> str:
    """The node's only run."""
    return hashlib.sha256(node.encode()).hexdigest()[:16]


def record(node: str, number: int) -> Record | None:
    """The closed record of this number; None where none is ever sent: number 1 stays open, some are lost in gaps."""
    within = number % GAP_EVERY
    if number == 1 or (number > GAP_EVERY and 1 <= within <= LOST):
        return None
    at = number * EVERY_MS
    if within == 0:
        return Gap(number, number + 1, number + LOST, f"the journal of {node} was full")
    if number % EXCHANGE_EVERY == 0:
        return Exchange(number, "c0ffee00", at, UTC + at + 10, UTC + at + 12, at + 20)
    digest = hashlib.sha512(f"{node}/{number}".encode()).hexdigest()
    return Span(
        number,
        f"check-{number % CHECKS}",
        "down" if number % 3 == 0 else "up",
        first_begin=at,
        first_end=at + 3,
        last_begin=at + 500,
        last_end=at + 503,
        samples=2,
        largest_gap=500,
        closed=True,
        message=digest[: 16 + number % 100],
        marks={"start": digest[-24:]} if number % 5 == 0 else {},
    )


@dataclass(slots=True)
class Node:
    """One node: its key, and how far its records go."""

    name: str
    token: str
    key: str = ""
    number: int = 1
    beats: int = 0

    async def enrol(self, session: aiohttp.ClientSession) -> None:
        """Trades its token for a key, once."""
        body = encode(Enrolment(1, self.name, self.token))
        async with session.post("/api/v1/enrol", data=body) as answer:
            answer.raise_for_status()
            self.key = decode(await answer.read(), Enrolled).key

    async def beat(self, session: aiohttp.ClientSession) -> None:
        """Sends the next records and waits until they are acknowledged."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with session.post("/api/v1/evidence", data=encode(self._message()), headers=headers) as answer:
            answer.raise_for_status()
            decode(await answer.read(), Answer)
        self.beats += 1

    def _message(self) -> Evidence:
        begun = self.number
        self.number += AT_ONCE
        found = [record(self.name, number) for number in range(begun + 1, self.number + 1)]
        sent = (self.number + 1) * EVERY_MS
        alive = Span(1, "alive", "up", 1_000, 1_003, 1_000, 1_003, 1) if not self.beats else None
        grown = Growth(1, EVERY_MS, EVERY_MS - 3, self.number, EVERY_MS)
        part = Part(
            run_of(self.name),
            self._opening() if not self.beats else None,
            [one for one in (alive, *found) if isinstance(one, Span)],
            [] if alive is not None else [grown],
            [one for one in found if isinstance(one, Exchange)],
            [one for one in found if isinstance(one, Gap)],
        )
        metrics = [Metrics(sent, 10_000, cpu_percent=12.5)] if self.beats % 3 == 0 else []
        return Evidence(1, self.name, part.run, sent, [part], metrics=metrics)

    def _opening(self) -> RunOpening:
        checks = [CheckSettings(f"check-{at}", "tcp", 5_000, 3_000, target="x" * 200) for at in range(CHECKS)]
        return RunOpening(BOOT, 500, 100, "0.1.0", 1_000, 5_000, checks, ClockClaim(500, UTC + 500, 5))


async def beat_until(url: str, nodes: list[Node], seconds: float) -> None:
    """All nodes beat at once, back to back, and somebody looks at the page."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with aiohttp.ClientSession(url) as session:

        async def live(node: Node) -> None:
            if not node.key:
                await node.enrol(session)
            while loop.time() < end:
                await node.beat(session)

        async def look() -> None:
            while loop.time() < end:
                async with session.get("/") as page:
                    await page.read()
                await asyncio.sleep(1)

        await asyncio.gather(look(), *(live(node) for node in nodes))
