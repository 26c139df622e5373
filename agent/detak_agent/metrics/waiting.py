"""The points that collectors are still to get. They wait in memory only, the latest of them; older ones are let go."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from detak_wire import limits
from detak_wire.messages import Metrics

REFUSED_FOR_MS = 6 * 3_600_000
"""How long a collector that does not know metrics is not sent any: it may be renewed in the meantime."""

POINTS_PER_MESSAGE = 3
"""When thousands of nodes return at once after an outage, what waits here must not hold up what they say of now."""


class WaitingPoints:
    """The latest points of a run, and how far each collector has them."""

    def __init__(self) -> None:
        self._points: deque[Metrics] = deque(maxlen=limits.METRIC_POINTS)
        self._taken: dict[str, int] = {}

    def add(self, point: Metrics) -> None:
        """A new point, for every collector."""
        self._points.append(point)

    def for_collector(self, url: str) -> Offer:
        """What this collector is to get. How far it has the points outlives the offer."""
        return Offer(self._points, self._taken, url)


class Offer:
    """The points for one collector, in order."""

    def __init__(self, points: Sequence[Metrics], taken: dict[str, int], url: str) -> None:
        self._points = points
        self._taken = taken
        self._url = url
        self._refused_until = 0

    def due(self, now: int) -> tuple[Metrics, ...]:
        """What the next message is to carry at agent time `now`: the oldest few."""
        if now < self._refused_until:
            return ()
        reached = self._taken.get(self._url, -1)
        owed = [point for point in self._points if point.measured_agent > reached]
        return tuple(owed[:POINTS_PER_MESSAGE])

    def taken(self, points: Sequence[Metrics]) -> None:
        """The collector has them; they are not sent to it again."""
        if points:
            self._taken[self._url] = points[-1].measured_agent

    def refused(self, now: int) -> None:
        """The collector does not know metrics, or not these."""
        self._refused_until = now + REFUSED_FOR_MS
