"""The register of outage numbers of two collectors: who does not lead gives none, and takes the other's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detak_collector.clocks import Reading
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found, Known
from detak_collector.store.remembered import OutageRegister


@dataclass(frozen=True, slots=True)
class SharedNumbers:
    """The register as its collector may use it; `leads` is asked each time."""

    register: OutageRegister
    leads: Callable[[], bool]

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int | None, ...]:
        """As the seam says."""
        if self.leads():
            return self.register.number(found, window, now)
        return self.register.recall(found, window)

    def recall(self, found: Sequence[Found], window: Interval) -> tuple[int | None, ...]:
        """As the seam says."""
        return self.register.recall(found, window)

    def known(self, number: int) -> Known | None:
        """As the seam says."""
        return self.register.known(number)

    def merged(self) -> dict[int, int]:
        """As the seam says."""
        return self.register.merged()

    def rule(self, ruling: Ruling) -> Ruling:
        """As the seam says."""
        return self.register.rule(ruling)

    def rulings(self) -> list[Ruling]:
        """As the seam says."""
        return self.register.rulings()
