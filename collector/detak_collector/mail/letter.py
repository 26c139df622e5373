"""A mail on its way: what tells it from all others, how it stands, and when it is tried again. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
KEY_LENGTH = 32
PAUSES_MS = tuple(MINUTE_MS * minutes for minutes in (1, 2, 5, 10, 15, 30))
"""How long after each failed try the next one comes; after these it is the last again and again.

A server that greylists takes a mail some minutes after it saw it first.
"""

CLAIM_MS = 15 * MINUTE_MS
"""So long a mail is left to the process that took it to send it, which takes a third of that at the most."""


class Standing(StrEnum):
    """How a mail stands."""

    WAITING = "waiting"
    SENDING = "sending"
    """A process is at it, and the server has not been given the mail yet."""
    HANDED_OVER = "handed over"
    """The server said that it would take it; recorded before the first byte of it goes."""
    SENT = "sent"
    """The server said that it has taken it."""
    UNSURE = "unsure"
    """Handed over, and the answer never came: it may have arrived, and is not sent again by itself."""
    REFUSED = "refused"
    """The server does not take it for this recipient, or did not in all the time that it was tried."""
    DROPPED = "dropped"
    """Somebody said that it is not to be sent."""


CLOSED = frozenset({Standing.SENT, Standing.UNSURE, Standing.REFUSED, Standing.DROPPED})
TROUBLED = frozenset({Standing.UNSURE, Standing.REFUSED})


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one recipient. `head`: of the ledger, where it tells of one. Times are UTC milliseconds.

    `covers` are keys of what it tells of, so that nobody is told twice; `content` is empty once it is closed.
    """

    key: str
    purpose: str
    title: str
    recipient: str
    covers: tuple[str, ...]
    content: bytes
    made_utc: int
    head: str = ""
    epoch: int = 0
    standing: Standing = Standing.WAITING
    standing_utc: int = 0
    tries: int = 0
    due_utc: int = 0
    said: str = ""


def key_of(purpose: str, *parts: str) -> str:
    """The key of what is told to somebody: the same wherever and whenever it is computed."""
    told = "\0".join((purpose, *parts))
    return hashlib.sha256(told.encode()).hexdigest()[:KEY_LENGTH]


def joint_key(covers: Iterable[str]) -> str:
    """The key of a mail that tells of several things at once."""
    return key_of("together", *sorted(covers))


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a mail: whoever gets it twice can tell."""
    return f"<{key}@{sender.rpartition('@')[2]}>"


def next_try(tries: int, made_utc: int, now: int, give_up_ms: int) -> int | None:
    """When a mail is tried again after so many failed tries; None where that would be too late."""
    due = now + PAUSES_MS[min(tries, len(PAUSES_MS)) - 1]
    return due if due <= made_utc + give_up_ms else None
