"""What will happen in one history: the target's true down time and the faults, all drawn beforehand from the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Literal

from detak_collector.downtime.intervals import Intervals
from simulation.agent import Pace
from simulation.faults import (
    AGENT,
    AWAY,
    CLOCKS,
    COLLECTOR,
    EVERY_FAULT,
    EVERYWHERE,
    GUARD_MS,
    HOST,
    NETWORK,
    OBSERVER,
    PAIR,
    Fault,
    Stretch,
    draw,
)

Scene = Literal["alone", "two collectors", "observed"]
"""A node that checks itself; the same with a pair of collectors; a thing that two nodes look at over the network."""

PACES = (Pace(1_000, 500, 2_000), Pace(1_000, 800, 5_000), Pace(2_000, 1_000, 5_000), Pace(5_000, 2_000, 5_000))

QUIET_END_MS = 75_000.0
"""At the end everything is mended and nothing fails, so that what is still owed can be delivered."""

_SPACED_MS = 60_000.0
"""Between two faults of a guarded agent: by its watchdog's promise it ticks again in less."""

_CUT_OFF_MS = (20_000.0, 90_000.0)

_PATHS: dict[Scene, int] = {"alone": 0, "two collectors": 4, "observed": 2}
"""Of which one alone can be hurt: from each node to each collector, then from each collector to the other."""

AWAY_MS = 3_700_000.0
"""By which a history is longer in which a collector is away for an hour."""


@dataclass(frozen=True)
class Plan:
    """A whole history in advance; times are of the world. `own` is when the target fails by itself."""

    pace: Pace
    length: float
    faults: tuple[Fault, ...]
    own: tuple[Stretch, ...]
    looks: tuple[float, ...]
    """When the figure is asked for while everything is under way."""
    guarded_ms: int | None
    marked: bool
    scene: Scene = "alone"

    @property
    def down(self) -> tuple[Stretch, ...]:
        """The truth about the target: with the host it runs on, unless it is another one."""
        return self.own if self.scene == "observed" else united([*self.own, *self.host_down(0)])

    @property
    def restarts(self) -> tuple[float, ...]:
        """When the target was started anew: after its own failures and after boots, not after a standstill."""
        boots = [one.host_down[1] for one in self.faults if one.is_new_start]
        return tuple(sorted([*(end for _, end in self.own), *boots]))

    def host_down(self, where: int) -> tuple[Stretch, ...]:
        """When a node's host is down."""
        return united([one.host_down for one in self.faults if one.kind in HOST and one.where == where])

    def cut_off(self, where: int) -> tuple[Stretch, ...]:
        """When a node reaches nothing of what it looks at."""
        return united([(one.at, one.end) for one in self.faults if one.kind in OBSERVER and one.where == where])


@dataclass(frozen=True)
class Weather:
    """What may go wrong, how often, and for how long a history lasts."""

    kinds: Sequence[str]
    every_ms: float
    length_ms: float
    isolation_ms: float = 0.0
    """A cut of this length, at whose end the host crashes: of all that time only one boot's agent time tells."""
    scene: Scene = "alone"


ISOLATED = Weather(("warm-up", "steer"), 600_000.0, 2_400_000.0, isolation_ms=2_100_000.0)
"""Long alone with an oscillator that changes its mind: here a drift beyond the declared bound must be found out."""

_SCENES: tuple[Scene, ...] = (*("alone",) * 5, *("observed",) * 3, "two collectors")
"""A pair takes ten times the processor of a node alone, and tells less of the engine."""

_MORE_KINDS: dict[Scene, Sequence[str]] = {"alone": (), "two collectors": PAIR, "observed": (*OBSERVER, *OBSERVER)}
_AWAY_SHARE = 0.1


def _scene(random: Random, only: Sequence[str]) -> Scene:
    if set(OBSERVER) & set(only):
        return "observed"
    return "two collectors" if {*PAIR, AWAY} & set(only) else random.choice(_SCENES)


def weather(random: Random, only: Sequence[str] = ()) -> Weather:
    """Nothing at all, one kind of fault alone, or any mixture of them; or `only` these kinds."""
    length = random.uniform(300_000.0, 900_000.0)
    scene = _scene(random, only)
    if only:
        return Weather(only, random.uniform(20_000.0, 120_000.0), length + AWAY_MS * (AWAY in only), scene=scene)
    if scene == "two collectors" and random.random() < _AWAY_SHARE:
        return Weather((*PAIR, *NETWORK, AWAY, AWAY), 300_000.0, length + AWAY_MS, scene=scene)
    kinds = (*EVERY_FAULT, *_MORE_KINDS[scene])
    mood = random.random()
    if mood < 0.15:
        return Weather(CLOCKS, 60_000.0, length, scene=scene)
    if mood < 0.45:
        return Weather([random.choice(kinds)], random.uniform(20_000.0, 120_000.0), length, scene=scene)
    if mood < 0.5:
        return ISOLATED
    number = random.randint(2, len(kinds))
    return Weather(random.sample(kinds, number), random.uniform(15_000.0, 90_000.0), length, scene=scene)


def planned(random: Random, under: Weather) -> Plan:
    """One history."""
    pace = random.choice(PACES)
    guarded_ms = GUARD_MS if random.random() < 0.5 else None
    end = under.length_ms - QUIET_END_MS
    faults = list(_faults(random, under, end, is_guarded=guarded_ms is not None))
    if under.isolation_ms:
        cut = Fault("cut", random.uniform(60_000.0, 120_000.0), under.isolation_ms, where=EVERYWHERE)
        faults += [cut, Fault("crash", cut.end - 20_000.0, 10_000.0, agent_after=4_000.0, target_after=5_000.0)]
    return Plan(
        pace=pace,
        length=under.length_ms,
        faults=tuple(sorted(faults, key=lambda one: one.at)),
        own=tuple(_outages(random, pace, end)),
        looks=tuple(sorted(random.uniform(20_000.0, under.length_ms) for _ in range(4))),
        guarded_ms=guarded_ms,
        marked=random.random() < 0.4,
        scene=under.scene,
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


@dataclass
class _Free:
    """From when on a part may be hurt again: a host, a guarded agent, a clock, the observers' way."""

    until: dict[str, float]

    def take(self, part: str, at: float, until: float) -> bool:
        if at < self.until.get(part, 20_000.0):
            return False
        self.until[part] = until
        return True


def _faults(random: Random, under: Weather, end: float, *, is_guarded: bool) -> Iterator[Fault]:
    at, free = 20_000.0, _Free({})
    while True:
        at += random.expovariate(1 / under.every_ms)
        if at > end:
            return
        fault = _placed(random, draw(random, random.choice(under.kinds), at, is_guarded=is_guarded), under.scene)
        if fault.end + fault.agent_after <= end and _fits(fault, free, is_guarded=is_guarded):
            yield fault


def _placed(random: Random, fault: Fault, scene: Scene) -> Fault:
    """The same fault at one of the places that the scene has."""
    if fault.kind in OBSERVER:
        return Fault(fault.kind, fault.at, random.uniform(*_CUT_OFF_MS), where=random.randrange(2))
    if fault.kind in NETWORK:
        return replace(fault, where=random.choice((*range(_PATHS[scene]), EVERYWHERE)))
    has_two = scene == ("two collectors" if fault.kind in {*COLLECTOR, *PAIR, AWAY} else "observed")
    return replace(fault, where=random.randrange(2) if has_two else 0)


def _fits(fault: Fault, free: _Free, *, is_guarded: bool) -> bool:
    """Whether what it hurts is whole again: a host that is down cannot crash, a guarded agent keeps its promise."""
    back = fault.end + fault.agent_after
    if fault.kind in OBSERVER:
        return free.take("way", fault.at, fault.end + 2 * _CUT_OFF_MS[0])
    if fault.kind == "step-utc":
        return free.take("utc", fault.at, fault.end + 30_000.0)
    if fault.kind in HOST and fault.at < free.until.get(f"host {fault.where}", 0.0):
        return False
    is_bound = is_guarded and fault.kind in {*AGENT, *HOST}
    if is_bound and not free.take(f"agent {fault.where}", fault.at, back + _SPACED_MS):
        return False
    if fault.kind in HOST:
        free.until[f"host {fault.where}"] = back + 1_000.0
    return True


def united(pairs: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Stretches that touch, as one."""
    merged: list[Stretch] = []
    for begin, end in sorted(pairs):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def too_short(down: Sequence[Stretch], least: float, blind: Sequence[Stretch] = ()) -> Intervals:
    """The outages and recoveries that two samples may have between them unseen; no figure can promise those.

    What falls into `blind` was not looked at, though the samples on both sides seem to be neighbours.
    """
    up = [(before[1], after[0]) for before, after in pairwise(down)]
    return Intervals.of(
        (int(begin) - 1, int(end) + 2)
        for begin, end in (*down, *up)
        if end - begin - sum(_shared((begin, end), one) for one in blind) < least
    )


def _shared(first: Stretch, second: Stretch) -> float:
    return max(0.0, min(first[1], second[1]) - max(first[0], second[0]))
