"""Which faults are played when: at the same time where they share nothing, in an order that the seed gives."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from lab.faults.base import Fault, play
from lab.stage import Lab
from lab.things import NODES
from lab.truth import Outage, now_ms

AT_ONCE = 12
MANY = 10


@dataclass(frozen=True)
class Turn:
    """One fault that is to be played. `keys` are what it needs for itself meanwhile, and for a rest afterwards."""

    fault: Fault
    keys: frozenset[str]
    hold_s: float


@dataclass(frozen=True)
class Played:
    """A turn that is over: what was down by it, and the time from its first act to its last, in UTC milliseconds."""

    turn: Turn
    begin: int
    end: int
    outages: tuple[Outage, ...]
    error: str = ""


def plan(lab: Lab, faults: Sequence[Fault], outages: int, chance: random.Random) -> list[Turn]:
    """Every fault in turn, shuffled anew in each round, until they make so many outages."""
    return list(_turns(lab, faults, outages, chance, lambda fault: fault.touches(lab)))


def combined(lab: Lab, faults: Sequence[Fault], outages: int, chance: random.Random) -> list[Turn]:
    """The same, where a disturbed observation keeps nothing from being broken meanwhile; what a fault needs is kept."""

    def keys(fault: Fault) -> frozenset[str]:
        needed = (lab.seen_from(who) for who in fault.disturbs if who not in {"collectors", *NODES})
        return frozenset(fault.breaks + fault.disturbs).union(*needed)

    return list(_turns(lab, faults, outages, chance, keys))


def _turns(
    lab: Lab, faults: Sequence[Fault], outages: int, chance: random.Random, keys: Callable[[Fault], frozenset[str]]
) -> Iterator[Turn]:
    assert any(fault.breaks for fault in faults), "none of these faults makes an outage"
    made = 0
    while made < outages:
        for fault in chance.sample(list(faults), len(faults)):
            if made < outages:
                # Not twice at once: what breaks nothing and disturbs nobody keeps nothing else for itself.
                yield Turn(fault, keys(fault) | {fault.name}, lab.pace.long_s * chance.uniform(1.0, 1.6))
                made += len(fault.breaks)


def play_all(
    turns: Sequence[Turn], rest_s: float, run: Callable[[Turn], Played], tell: Callable[[Played], None]
) -> None:
    """All of them; `run` plays one in a thread of its own, `tell` is called with each that is over."""
    waiting, busy = sorted(turns, key=_needs_all), dict[Future[Played], Turn]()
    rested: dict[str, float] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while waiting or busy:
            taken = frozenset[str]().union(*(turn.keys for turn in busy.values()))
            for turn in list(startable(waiting, taken, rested, time.monotonic())):
                if len(busy) < AT_ONCE:
                    waiting.remove(turn)
                    busy[threads.submit(run, turn)] = turn
            done, _ = wait(busy, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                turn = busy.pop(future)
                rested.update(dict.fromkeys(turn.keys, time.monotonic() + rest_s))
                tell(future.result())


def _needs_all(turn: Turn) -> bool:
    """Such turns come last: nothing else goes on beside them, unless the observation of all may be disturbed."""
    return len(turn.keys) > MANY


def startable(waiting: Sequence[Turn], taken: frozenset[str], rested: dict[str, float], now: float) -> Iterator[Turn]:
    """Those that may begin now. What the first in line waits for is kept for it, or it would wait for ever."""
    for place, turn in enumerate(waiting):
        may = not turn.keys & taken and all(rested.get(key, now) <= now for key in turn.keys)
        if may:
            yield turn
        if may or place == 0:
            taken |= turn.keys


def played(lab: Lab, turn: Turn) -> Played:
    """One turn; what the laboratory itself could not do is told, and the run goes on."""
    begin = now_ms()
    try:
        outages = play(lab, turn.fault, turn.hold_s)
    except Exception as error:  # noqa: BLE001 - one fault that fails must not lose the others' results
        return Played(turn, begin, now_ms(), (), f"{type(error).__name__}: {error}")
    return Played(turn, begin, now_ms(), tuple(outages))
