"""Which clock exchanges with one collector become facts: pure. Most beats add nothing to what is known already."""

from __future__ import annotations

from dataclasses import dataclass

from detak_wire.messages import Exchange

HOUR_MS = 3_600_000


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

    def numbered(self, number: int) -> Exchange:
        """The same as a record of a run."""
        return Exchange(
            number, self.collector, self.sent_agent, self.arrived_utc, self.answered_utc, self.received_agent
        )


class Choice:
    """Keeps the first exchange of a run, the narrowest of each hour, and the next one after each edge."""

    def __init__(self) -> None:
        self._hour: int | None = None
        self._narrowest: Stamps | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there was an exchange yet."""
        return self._hour is not None

    def offer(self, stamps: Stamps, *, after_edge: bool) -> list[Stamps]:
        """What is to be kept, now that this exchange was made."""
        hour = stamps.received_agent // HOUR_MS
        is_first = self._hour is None
        kept = [] if hour == self._hour else self.rest()
        self._hour = hour
        if is_first or after_edge:
            return [*kept, stamps]
        if self._narrowest is None or stamps.width_ms < self._narrowest.width_ms:
            self._narrowest = stamps
        return kept

    def rest(self) -> list[Stamps]:
        """What is still to be kept of the running hour, when the run ends."""
        narrowest, self._narrowest = self._narrowest, None
        return [] if narrowest is None else [narrowest]
