"""An account and a session as they are kept, and how long a session lives. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SECOND_FACTOR_MS = 300_000
"""So long after the password the code of the second factor is taken."""

MOST_CODES = 5
"""So many wrong codes end a sign-in."""


class Origin(StrEnum):
    """Who knows the password."""

    LOCAL = "local"
    DIRECTORY = "directory"


class Stage(StrEnum):
    """How far a sign-in has come."""

    WHOLE = "whole"
    SECOND_FACTOR = "second factor"
    """The password was right, and the code is still missing: good for nothing else."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `password` is an argon2 hash, None until one is set; `secret` that of the second factor, base32.

    `fresh_secret` waits for its first code; `step` is the last time step of which a code was used.
    """

    name: str
    display: str
    mail: str
    origin: Origin
    made_utc: int
    password: str | None = None
    secret: str | None = None
    fresh_secret: str | None = None
    step: int = 0
    disabled_utc: int | None = None
    signed_in_utc: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. `hash` is the SHA-256 of what its cookie holds; `browser` is a few words for people."""

    hash: bytes
    name: str
    stage: Stage
    begun_utc: int
    seen_utc: int
    address: str
    browser: str
    wrong_codes: int = 0

    @property
    def handle(self) -> str:
        """What a page may call it: nobody gets in with that."""
        return self.hash.hex()[:16]


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a session lives without use, and at most."""

    idle_ms: int
    longest_ms: int


def is_alive(session: Session, now_utc: int, terms: Terms) -> bool:
    """Whether it is still good at that moment."""
    age_ms = now_utc - session.begun_utc
    if session.stage is Stage.SECOND_FACTOR:
        return age_ms < min(SECOND_FACTOR_MS, terms.longest_ms) and session.wrong_codes < MOST_CODES
    return age_ms < terms.longest_ms and now_utc - session.seen_utc < terms.idle_ms
