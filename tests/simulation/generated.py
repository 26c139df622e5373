"""Histories of facts alone, without agent and store: a million outages in minutes, for the engine only."""

from collections.abc import Generator
from functools import partial
from random import Random

from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.sampled import Window, read_sampled
from simulation.campaign import side_by_side
from simulation.history import DECLARED_PPM, Verdict
from true_history import EPOCH_MS, INTERVAL_MS, LONG_ENOUGH_MS, History, Node1

_TOGETHER = 50
"""How many made-up nodes are one history: a single one is over in milliseconds."""


def all_generated(seed: str, jobs: int, drift_ppm: float = DECLARED_PPM) -> Generator[Verdict, None, None]:
    """The verdicts on a seed's made-up nodes for ever, in order."""
    yield from side_by_side(partial(many_generated, drift_ppm=drift_ppm), seed, jobs)


def many_generated(seed: str, drift_ppm: float = DECLARED_PPM) -> Verdict:
    """The verdict on some made-up nodes."""
    verdict = Verdict(seed, INTERVAL_MS)
    for number in range(_TOGETHER):
        one = generated(f"{seed}/{number}", drift_ppm)
        verdict.outages += one.outages
        verdict.violations += [f"node {number}: {violation}" for violation in one.violations]
        verdict.widths_ms += one.widths_ms
    return verdict


def generated(seed: str, drift_ppm: float = DECLARED_PPM) -> Verdict:
    """What the engine makes of the made-up node of this seed."""
    history = Node1(Random(seed).getrandbits(48), drift_ppm=drift_ppm).play(lives=8)
    facts = history.facts
    seen = history_of(facts.nodes["n"], facts)
    down = read_sampled("c", seen, facts, Window(EPOCH_MS, history.end, history.end)).down
    verdict = Verdict(seed, INTERVAL_MS, outages=len(history.down))
    verdict.violations += [f"down but not possible {_text(part)}" for part in history.down - down.possible]
    verdict.violations += [f"certain but not down {_text(part)}" for part in down.certain - history.down]
    if not down.is_nested:
        verdict.violations.append("the sets do not nest")
    verdict.widths_ms = [
        around(down.possible, part).total - around(down.certain, part).total for part in _connected(history)
    ]
    return verdict


def _connected(history: History) -> list[tuple[int, int]]:
    """The outages that lie within one life of the agent, away from whatever stopped it."""
    return [part for part in history.down if history.calm.covers(_near(part))]


def _near(part: tuple[int, int]) -> Intervals:
    return Intervals.span(part[0] - 2 * LONG_ENOUGH_MS, part[1] + 2 * LONG_ENOUGH_MS)


def around(where: Intervals, part: tuple[int, int]) -> Intervals:
    """What of a set belongs to one outage: up to halfway into the shortest recovery on either side."""
    return where.clip(part[0] - LONG_ENOUGH_MS // 2, part[1] + LONG_ENOUGH_MS // 2)


def _text(part: tuple[int, int]) -> str:
    return f"{part[0] - EPOCH_MS}..{part[1] - EPOCH_MS}"
