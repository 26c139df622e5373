"""The reports that pages and answers are made of: lists are leafed through, and one figure leads to the next.

What was derived serves while it is younger than it was dear, and reports that are asked for meanwhile are as of the
same moment, so that the open month is derived once for all of them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.stored_months import View

LEISURE = 10
"""A result serves for so many times as long as deriving the dearest of its moment took."""

MOST = 4
"""So many periods are held: a year of a large organisation takes some 20 MiB."""


@dataclass(slots=True)
class _Moment:
    """What was derived as of one moment (UTC ms), by the names of periods, and for how long it serves."""

    rules: Rules
    view: View
    made: int
    lasts_ms: int = 0
    results: OrderedDict[str, Result] = field(default_factory=OrderedDict)

    def serves(self, rules: Rules, now: int) -> bool:
        """Whether it is still as of now."""
        return self.rules is rules and self.made <= now < self.made + self.lasts_ms


class Reports:
    """Of one store. `now` is UTC ms."""

    def __init__(self, figures: Figures, now: Callable[[], int]) -> None:
        self._figures = figures
        self._now = now
        self._moment: _Moment | None = None

    def of(self, period: Period, rules: Rules) -> Result:
        """A period's result. Of a year so far the end moves, and the name does not. Raises JointLeaveUnknownError."""
        held = self._moment
        if held is None or not held.serves(rules, self._now()):
            held = self._moment = _Moment(rules, self._figures.at_once(), self._now())
        known = held.results.get(period.name)
        if known is not None:
            return known
        begun = time.perf_counter()
        result = self._figures.report(period, view=held.view)
        if held.view.made is not None:
            held.view.made.let_details_go()
        held.lasts_ms = max(held.lasts_ms, int((time.perf_counter() - begun) * LEISURE * 1_000))
        held.results[period.name] = result
        while len(held.results) > MOST:
            held.results.popitem(last=False)
        return result
