"""Whether a pair of collectors gives one report, to the byte: of the same time, as of the same moment."""

import difflib
from collections.abc import Sequence

from detak_collector.downtime.periods import Period
from detak_collector.report.formats import FORMATS, Order
from detak_collector.rules import Rules
from simulation.collector import SimulatedCollector
from simulation.machine import EPOCH_MS

HEALED_MS = 60_000.0
"""So long after the last fault it does."""

BEFORE_MS = 1_500
"""A moment that both have come past, though their clocks differ a little."""

SHOWN = 3
"""How many lines that differ are told."""


def disagreement(collectors: Sequence[SimulatedCollector], rules: Rules, healed: float, now: float) -> list[str]:
    """What differs in their reports of the time up to `healed`; times are the world's. All of them must run."""
    period = Period("all", EPOCH_MS, EPOCH_MS + int(healed))
    first, *others = (_report(one, rules, period, EPOCH_MS + int(now) - BEFORE_MS) for one in collectors)
    return [
        f"at {now:.0f}: the reports differ: {' | '.join(_differing(first, other))}"
        for other in others
        if other != first
    ]


def _report(collector: SimulatedCollector, rules: Rules, period: Period, as_of: int) -> str:
    figures = collector.figures(rules)
    assert figures is not None
    return FORMATS["json"].made(figures.report(period, as_of), Order()).decode()


def _differing(first: str, other: str) -> list[str]:
    lines = difflib.unified_diff(first.splitlines(), other.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}][:SHOWN]
