"""Which clock exchanges with one collector become facts: pure. Most beats add nothing to what is known already."""

from __future__ import annotations

from dataclasses import dataclass

from detak_wire.messages import Exchange

HOUR_MS = 3_600_000
DRIFT_PPM = 100
ALLOWANCE_MS = 100
"""Freezes too short to notice, as the collector allows for them too."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """The four timestamps of one request and its answer."""

    collector: str
    sent_agent: int
    arrived_utc: int
    answered_utc: int
    received_agent: int

    @property
    def width_ms(self) -> int:
        """How little they say: the time the two clocks stay unsure of each other."""
        return (self.received_agent - self.sent_agent) - (self.answered_utc - self.arrived_utc)

    def contradicts(self, later: Stamps) -> bool:
        """Whether no drift explains both: one of the two machines stood still between them, or its clock stepped."""
        distance_ms = later.received_agent - self.sent_agent
        slack_ms = distance_ms * DRIFT_PPM // 1_000_000 + ALLOWANCE_MS
        least, most = self._bounds()
        later_least, later_most = later._bounds()
        return later_least > most + slack_ms or later_most < least - slack_ms

    def _bounds(self) -> tuple[int, int]:
        """The least and the greatest UTC minus agent time that the stamps allow."""
        return self.answered_utc - self.received_agent, self.arrived_utc - self.sent_agent

    def numbered(self, number: int) -> Exchange:
        """The same as a record of a run."""
        return Exchange(
            number, self.collector, self.sent_agent, self.arrived_utc, self.answered_utc, self.received_agent
        )


class Choice:
    """Keeps a run's first exchange, the narrowest of each hour, the next after each edge, and both around a jump."""

    def __init__(self) -> None:
        self._hour: int | None = None
        self._narrowest: Stamps | None = None
        self._last: Stamps | None = None
        self._latest_kept: Stamps | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there was an exchange yet."""
        return self._hour is not None

    def offer(self, stamps: Stamps, *, after_edge: bool) -> list[Stamps]:
        """What is to be kept, now that this exchange was made."""
        hour = stamps.received_agent // HOUR_MS
        is_first, last = self._hour is None, self._last
        kept = [] if hour == self._hour else self.rest()
        self._hour, self._last = hour, stamps
        if last is not None and last.contradicts(stamps):
            kept = [*kept, *self.rest(), stamps] if last is self._latest_kept else [*kept, *self.rest(), last, stamps]
            kept = list(dict.fromkeys(kept))
        elif is_first or after_edge:
            kept = [*kept, stamps]
        elif self._narrowest is None or stamps.width_ms < self._narrowest.width_ms:
            self._narrowest = stamps
        self._latest_kept = kept[-1] if kept else self._latest_kept
        return kept

    def rest(self) -> list[Stamps]:
        """What is still to be kept of the running hour, when the run ends."""
        narrowest, self._narrowest = self._narrowest, None
        return [] if narrowest is None else [narrowest]
