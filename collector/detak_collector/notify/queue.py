"""How a notice stands, and when it is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detak_collector.notify.items import Message

SECOND_MS = 1_000
HOUR_MS = 3_600_000
PAUSES_MS = tuple(SECOND_MS * seconds for seconds in (5, 15, 30, 60, 120, 300))
"""How long after each failed try the next one comes; after these it is the last again and again."""

GIVE_UP_MS = 48 * HOUR_MS
KEPT_MS = 7 * 24 * HOUR_MS
"""So long a notice is listed once nothing becomes of it any more."""


class Standing(StrEnum):
    """How a notice stands."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given up"
    """The target did not take it in all the time that it was tried."""
    LEFT = "left"
    """To the other collector of a pair, which leads now; or to the copy of the store that went on."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message on its way. Times are UTC milliseconds; `said` is what the target last answered."""

    message: Message
    standing: Standing
    standing_utc: int
    tries: int
    due_utc: int
    said: str


def next_try(tries: int, made_utc: int, now: int) -> int | None:
    """When a notice is tried again after so many failed tries; None where that would be too late."""
    due = now + PAUSES_MS[min(tries, len(PAUSES_MS)) - 1]
    return due if due <= made_utc + GIVE_UP_MS else None
