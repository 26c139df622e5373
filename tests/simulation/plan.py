"""What will happen in one history: the target's true down time and the faults, all drawn beforehand from the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from detak_collector.downtime.intervals import Intervals
from simulation.agent import Pace
from simulation.target import Stretch

NETWORK = ("cut", "cut-out", "cut-in", "loss", "lost-answers", "doubling", "delay")
AGENT = ("kill-agent", "stop-agent", "reload", "freeze", "freeze-in-sample", "starve", "slow-disk")
CHECK = ("unable",)
HOST = ("crash", "hidden-crash", "dying-crash")
CLOCKS = ("step-wall", "steer", "warm-up")
COLLECTOR = ("kill-collector", "pause-collector", "slow-store")
EVERY_FAULT = (*NETWORK, *AGENT, *CHECK, *HOST, *CLOCKS, *COLLECTOR)
HARMLESS = (*CLOCKS, "doubling")
"""What must not even widen a figure."""

PACES = (Pace(1_000, 500, 2_000), Pace(1_000, 800, 5_000), Pace(2_000, 1_000, 5_000), Pace(5_000, 2_000, 5_000))

QUIET_END_MS = 75_000.0
"""At the end everything is mended and nothing fails, so that what is still owed can be delivered."""

_GUARD_MS = 10_000
_DYING_MS = 15_000.0
"""An agent that is guarded is started again in less, if its host lives."""

_SPACED_MS = 60_000.0
"""Between two faults of a guarded agent: by its watchdog's promise it ticks again in less."""


@dataclass(frozen=True)
class Fault:
    """Something goes wrong at `at`, for so long. A crash is followed by a boot, and the target comes up after it."""

    kind: str
    at: float
    length: float
    lead: float = 0.0
    agent_after: float = 0.0
    target_after: float = 0.0

    @property
    def end(self) -> float:
        return self.at + self.length

    @property
    def crashed_at(self) -> float:
        """When the host went: of a hidden crash the network dies first, of a dying one the agent."""
        return self.at + self.lead


@dataclass(frozen=True)
class Plan:
    """A whole history in advance; times are of the world. `down` is the truth."""

    pace: Pace
    length: float
    faults: tuple[Fault, ...]
    down: tuple[Stretch, ...]
    looks: tuple[float, ...]
    """When the figure is asked for while everything is under way."""
    guarded_ms: int | None
    marked: bool


@dataclass(frozen=True)
class Weather:
    """What may go wrong, how often, and for how long a history lasts."""

    kinds: Sequence[str]
    every_ms: float
    length_ms: float
    isolation_ms: float = 0.0
    """A cut of this length, at whose end the host crashes: of all that time only one boot's agent time tells."""


ISOLATED = Weather(("warm-up", "steer"), 600_000.0, 2_400_000.0, isolation_ms=2_100_000.0)
"""Long alone with an oscillator that changes its mind: here a drift beyond the declared bound must be found out."""


def weather(random: Random) -> Weather:
    """Nothing at all, one kind of fault alone, or any mixture of them."""
    length = random.uniform(300_000.0, 900_000.0)
    mood = random.random()
    if mood < 0.15:
        return Weather(CLOCKS, 60_000.0, length)
    if mood < 0.4:
        return Weather([random.choice(EVERY_FAULT)], random.uniform(20_000.0, 120_000.0), length)
    if mood < 0.45:
        return ISOLATED
    number = random.randint(2, len(EVERY_FAULT))
    return Weather(random.sample(EVERY_FAULT, number), random.uniform(15_000.0, 90_000.0), length)


def planned(random: Random, under: Weather) -> Plan:
    """One history."""
    pace = random.choice(PACES)
    guarded_ms = _GUARD_MS if random.random() < 0.5 else None
    end = under.length_ms - QUIET_END_MS
    faults = list(_faults(random, under, end, is_guarded=guarded_ms is not None))
    if under.isolation_ms:
        cut = Fault("cut", random.uniform(60_000.0, 120_000.0), under.isolation_ms)
        faults += [cut, Fault("crash", cut.end - 20_000.0, 10_000.0, agent_after=4_000.0, target_after=5_000.0)]
    crashes = [(one.crashed_at, one.end + one.target_after) for one in faults if one.kind in HOST]
    outages = list(_outages(random, pace, end))
    return Plan(
        pace=pace,
        length=under.length_ms,
        faults=tuple(sorted(faults, key=lambda one: one.at)),
        down=_united([*outages, *crashes]),
        looks=tuple(sorted(random.uniform(20_000.0, under.length_ms) for _ in range(4))),
        guarded_ms=guarded_ms,
        marked=random.random() < 0.4,
    )


def _outages(random: Random, pace: Pace, end: float) -> Iterator[Stretch]:
    """The target's own failures, each of them and each recovery long enough to be seen."""
    least = pace.long_enough_ms
    at = random.uniform(0.0, 4 * least)
    while at < end - 3 * least:
        until = at + random.uniform(least, 2 * least) * random.choice((1, 1, 1, 3))
        if until < end:
            yield at, until
        at = until + random.uniform(least, 2 * least)


def _faults(random: Random, under: Weather, end: float, *, is_guarded: bool) -> Iterator[Fault]:
    at = agent_free = host_free = 20_000.0
    while True:
        at += random.expovariate(1 / under.every_ms)
        fault = _fault(random, random.choice(under.kinds), at, is_guarded=is_guarded)
        if at > end:
            return
        if fault.end + fault.agent_after > end or (fault.kind in HOST and at < host_free):
            continue
        if is_guarded and fault.kind in (*AGENT, *HOST):
            if at < agent_free:
                continue
            agent_free = fault.end + fault.agent_after + _SPACED_MS
        if fault.kind in HOST:
            host_free = fault.end + fault.agent_after + 1_000.0
        yield fault


def _fault(random: Random, kind: str, at: float, *, is_guarded: bool) -> Fault:
    if kind in HOST:
        return _host_fault(random, kind, at)
    longest = _LONGEST_MS.get(kind, 60_000.0)
    if is_guarded and kind in _BOUNDED_BY_GUARD:
        longest = min(longest, _GUARD_MS * 0.8)
    return Fault(kind, at, random.choice((random.uniform(200.0, 8_000.0), random.uniform(1_000.0, longest))))


def _host_fault(random: Random, kind: str, at: float) -> Fault:
    usual = random.uniform(4_000.0, 20_000.0)
    lead = 0.0 if kind == "crash" else random.uniform(2_000.0, _DYING_MS if kind == "dying-crash" else 40_000.0)
    off = random.choice((random.uniform(3_000.0, 30_000.0), random.uniform(30_000.0, 200_000.0)))
    return Fault(
        kind,
        at,
        lead + off,
        lead=lead,
        agent_after=random.choice((usual, usual, 170_000.0)),
        target_after=random.uniform(3_200.0, 25_000.0),
    )


_LONGEST_MS = {"kill-agent": 120_000.0, "stop-agent": 120_000.0, "cut": 300_000.0, "freeze": 90_000.0}
_BOUNDED_BY_GUARD = ("kill-agent", "freeze", "freeze-in-sample", "starve", "slow-disk")


def _united(pairs: Sequence[Stretch]) -> tuple[Stretch, ...]:
    merged: list[Stretch] = []
    for begin, end in sorted(pairs):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def too_short(down: Sequence[Stretch], least: float) -> Intervals:
    """The outages and recoveries that two samples may have between them unseen; no figure can promise those."""
    up = [(before[1], after[0]) for before, after in pairwise(down)]
    return Intervals.of((int(begin) - 1, int(end) + 2) for begin, end in (*down, *up) if end - begin < least)
