"""A made-up node whose truth is known: it samples, crashes and is starved, and its evidence comes out as facts.

It shares no code with the agent or the engine, so that a misreading on one side cannot hide on the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

from detak_collector.downtime.facts import ALIVE, Claim, Exchange, Facts, Node, Previous, Run, Settings, Span
from detak_collector.downtime.intervals import EMPTY, Intervals

INTERVAL_MS = 5_000
TIMEOUT_MS = 2_000
TICK_MS = 1_000
REACH_MS = INTERVAL_MS + INTERVAL_MS // 2 + TIMEOUT_MS
EPOCH_MS = 1_780_000_000_000
LONG_ENOUGH_MS = REACH_MS + TIMEOUT_MS + 500
"""Longer than the distance between two samples that still speak for the time between them."""

WATCHDOG_MS = 10_000
GUARDED_MS = 20_000
"""An agent that dies alone under a watchdog is back in less."""

SLOWEST_STOP_MS = 15_000

Sample = tuple[int, int, str]


@dataclass
class History:
    """The truth and what was recorded of it. `down` is the target's true down time, in UTC."""

    down: Intervals
    facts: Facts
    end: int
    outages: list[tuple[int, int]] = field(default_factory=list)
    calm: Intervals = EMPTY
    """When the agent ran, and was not starved."""


@dataclass
class Boot:
    """One boot's clock: agent time runs from `started`, off by up to 100 ppm."""

    name: str
    started: int
    drift_ppm: float

    def agent(self, utc: float) -> float:
        return (utc - self.started) * (1 + self.drift_ppm / 1_000_000)


class Node1:
    """Plays one hour of one node: at random moments the target fails, the agent dies, the host crashes."""

    def __init__(self, seed: int, *, crashes: bool = True, drift_ppm: float = 95, remote: bool = False) -> None:
        self.random = Random(seed)
        self.remote = remote
        self.crashes = crashes
        self.worst_drift = drift_ppm
        self.runs: list[Run] = []
        self.now = EPOCH_MS
        self.watchdog_ms = self.random.choice((None, WATCHDOG_MS))
        self.ended: Previous | None = None
        self.boot = self._boot(EPOCH_MS - 1_000_000)
        self.down: list[tuple[int, int]] = []
        self.lived: list[tuple[int, int]] = []
        self.stood_still: list[tuple[int, int]] = []

    def play(self, lives: int = 4) -> History:
        """The whole history, ending while the agent is heard."""
        for life in range(lives):
            self._live(self.random.randint(60_000, 400_000))
            if life < lives - 1:
                self._die()
        end = self.now
        node = Node("n", runs=tuple(self.runs), heard_utc=end)
        watched = Intervals.span(EPOCH_MS - 1_000_000, end + 1_000_000)
        down = Intervals.of(self.down).clip(EPOCH_MS, end)
        calm = Intervals.of(self.lived) - Intervals.of(self.stood_still)
        return History(down, Facts({"n": node}, watched=watched), end, list(down), calm)

    def _boot(self, started: int) -> Boot:
        drift = self.random.uniform(-self.worst_drift, self.worst_drift)
        return Boot(f"boot{started}", started, drift)

    def _live(self, length: int) -> None:
        begin, end = self.now, self.now + length
        self.lived.append((begin, end))
        self.down.extend(self._failures(begin, end))
        truth = Intervals.of(self.down)
        samples, ticks = self._sampled(begin, end, truth)
        spans = [*_spans(ALIVE, ticks, TICK_MS + TICK_MS // 2, 1)]
        spans += _spans("c", samples, REACH_MS, len(spans) + 1)
        run = Run(
            run=f"run{len(self.runs)}",
            boot=self.boot.name,
            opened=int(self.boot.agent(begin)),
            init_started=int(self.boot.agent(self.boot.started)),
            tick_ms=TICK_MS,
            claim=Claim(int(self.boot.agent(begin)), begin, None),
            checks=(Settings("c", "tcp" if self.remote else "os", INTERVAL_MS, TIMEOUT_MS, remote=self.remote),),
            spans=tuple(spans),
            exchanges=tuple(self._exchange(at) for at in self._moments(begin, end)),
            watchdog_ms=self.watchdog_ms,
            previous=self.ended,
            complete_to=len(spans),
        )
        last_tick = max(span.last_begin for span in spans if span.check == ALIVE)
        self.ended = Previous(run.run, run.boot, last_tick, run.complete_to)
        self.runs.append(run)
        self.now = end

    def _die(self) -> None:
        """The agent goes: alone, or with the host, or it is killed while the target fails unseen."""
        gap = self.random.randint(2_000, 200_000)
        alone = ["agent", "unseen"]
        kind = self.random.choice([*alone, "crash", "shutdown", "lost"] if self.crashes else alone)
        if kind in alone and self.watchdog_ms is not None:
            gap = min(gap, GUARDED_MS)
        if kind in {"crash", "lost"}:
            self._go_down(self.now, self.now + gap)
        elif kind == "shutdown":
            self._shut_down(self.now, self.now + gap)
        elif kind == "unseen" and gap > LONG_ENOUGH_MS + 2_000:
            at = self.now + self.random.randint(100, 1_000)
            self.down.append((at, at + self.random.randint(LONG_ENOUGH_MS, gap - 1_000)))
        if kind == "lost":
            self._lose()
        self.now += gap

    def _go_down(self, at: int, back: int) -> None:
        self.boot = self._boot(back)
        self.down.append((at, back + self.random.randint(500, 20_000)))

    def _shut_down(self, at: int, back: int) -> None:
        """The agent says so, then the target ends when its own stop is through."""
        assert self.ended is not None
        stopped_at = int(self.boot.agent(at))
        self.ended = replace(self.ended, stopped="shutdown", stopped_at=stopped_at, slowest_stop_ms=SLOWEST_STOP_MS)
        self.runs[-1] = replace(self.runs[-1], stopped="shutdown", stopped_at=stopped_at)
        self._go_down(min(at + self.random.randint(0, SLOWEST_STOP_MS), back), back)

    def _lose(self) -> None:
        """The last record of the run never arrives."""
        run = self.runs[-1]
        self.runs[-1] = replace(run, spans=run.spans[:-1], complete_to=run.complete_to - 1)

    def _failures(self, begin: int, end: int) -> list[tuple[int, int]]:
        """True outages and recoveries, each longer than the distance of two samples."""
        found, at = [], max([begin, *(until for _, until in self.down)]) + LONG_ENOUGH_MS
        while at < end - 2 * LONG_ENOUGH_MS:
            at += self.random.randint(0, 60_000)
            until = at + self.random.randint(LONG_ENOUGH_MS, 40_000)
            if until < end - LONG_ENOUGH_MS:
                found.append((at, until))
            at = until + LONG_ENOUGH_MS
        return found

    def _sampled(self, begin: int, end: int, truth: Intervals) -> tuple[list[Sample], list[Sample]]:
        samples: list[Sample] = []
        starved = self._starved(begin, end)
        self.stood_still.extend(starved)
        at = float(begin + self.random.randint(0, INTERVAL_MS))
        while at < end - TIMEOUT_MS:
            length = self.random.choice([0.3, 5, 80, self.random.uniform(0, TIMEOUT_MS)])
            moment = at + self.random.random() * length
            if not any(first - TIMEOUT_MS <= at < last for first, last in starved):
                state = "down" if int(moment) in truth else "up"
                if self.random.random() < 0.02:
                    state = "unknown"
                samples.append((int(self.boot.agent(at)), -int(-self.boot.agent(at + length) // 1), state))
            at += INTERVAL_MS + self.random.uniform(-200, 200)
        ticks = [
            (int(self.boot.agent(tick)), int(self.boot.agent(tick)), "up")
            for tick in range(begin, end, TICK_MS)
            if not any(first <= tick < last for first, last in starved)
        ]
        return samples, ticks

    def _starved(self, begin: int, end: int) -> list[tuple[int, int]]:
        if end - begin < 120_000 or self.random.random() < 0.5:
            return []
        first = self.random.randint(begin + 20_000, end - 60_000)
        return [(first, first + self.random.randint(5_000, 30_000))]

    def _moments(self, begin: int, end: int) -> list[int]:
        return sorted(self.random.randint(begin, end) for _ in range(self.random.randint(1, 6)))

    def _exchange(self, at: int) -> Exchange:
        out, work, back = (self.random.choice([0.2, 3, 40, self.random.uniform(0, 900)]) for _ in range(3))
        sent = int(self.boot.agent(at))
        received = -int(-self.boot.agent(at + out + work + back) // 1)
        return Exchange(sent, -int(-(at + out) // 1), int(at + out + work), received)


def _spans(check: str, samples: list[Sample], reach: int, number: int) -> list[Span]:
    """Samples put together while the state stays the same and none is too far from the one before."""
    groups: list[list[Sample]] = [[samples[0]]] if samples else []
    for before, after in pairwise(samples):
        if after[2] != before[2] or after[0] - before[0] > reach:
            groups.append([])
        groups[-1].append(after)
    return [
        Span(check, number + place, group[0][2], group[0][0], group[0][1], group[-1][0], group[-1][1], len(group))
        for place, group in enumerate(groups)
    ]
