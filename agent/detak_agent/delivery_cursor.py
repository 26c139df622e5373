"""What one collector is known to hold, and so how much of the backlog its next message may carry: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detak_agent.records import Owed
from detak_wire import limits
from detak_wire.messages import Answer, Stored

FIRST_ALLOWANCE = 200
"""As long as the collector has not said how much it takes."""

FRESH_MOST = 100
"""Records that were made since the last answer go beyond what it allows, up to so many."""


@dataclass(slots=True)
class Cursor:
    """How far one run's delivery to one collector has come. `open`: how far each open span is stored there."""

    open: Mapping[int, int] = field(default_factory=dict)
    has_more: bool = False
    """Whether the next message may go at once: the collector takes more, and took some of the last one."""

    _allowance: int = FIRST_ALLOWANCE
    _most: int = limits.RECORDS_PER_MESSAGE // 2
    _may_owe: bool = True
    _remaining: int | None = None
    _closed_seen: int = 0

    def room(self, closed_so_far: int) -> int | None:
        """How many records the next message may carry; None where nothing can be owed, so that none is looked for."""
        fresh = closed_so_far - self._closed_seen
        if not fresh and not self._may_owe:
            return None
        return min(self._allowance + min(fresh, FRESH_MOST), self._most)

    def answered(self, answer: Answer, stored: Stored, owed: Owed, closed: int, *, has_lost: bool) -> None:
        """A message with `owed` was taken, of a run with so many closed records; `stored` is what is held of that."""
        self.open = dict(stored.open)
        self._allowance = answer.backlog_allowance
        self._may_owe = has_lost or not stored.opened or bool(owed.parts) or owed.remaining > 0
        is_less = self._remaining is None or owed.remaining < self._remaining
        self.has_more = self._allowance > 0 and owed.remaining > 0 and is_less
        self._remaining = owed.remaining
        self._closed_seen = closed

    def refused(self) -> None:
        """Whatever was wrong, the next message speaks of every open span in full."""
        self.open = {}

    def owes_again(self) -> None:
        """Something that was thought delivered, or set aside, is to be looked for again."""
        self._may_owe = True

    def too_large(self) -> None:
        """Smaller messages from now on."""
        self._most = max(1, self._most // 2)
