"""Passwords: what is taken for one, and its argon2id hash. One verification is done whoever asks, for whatever name."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field
from enum import Enum, auto

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12
MOST = 256
LEAST_DIFFERENT = 6
KIB = 1_024


def normal(password: str) -> str:
    """The one form of a password, however a keyboard composes its characters."""
    return unicodedata.normalize("NFKC", password)


class Fault(Enum):
    """Why something is no good password."""

    SHORT = auto()
    LONG = auto()
    UNIFORM = auto()
    PERSONAL = auto()
    """It has the owner's name or mail address in it."""


def fault(password: str, *about: str) -> Fault | None:
    """What is wrong with it; `about` is what is known of its owner."""
    told = normal(password)
    if len(told) < LEAST:
        return Fault.SHORT
    if len(told) > MOST:
        return Fault.LONG
    if len(set(told.casefold())) < LEAST_DIFFERENT:
        return Fault.UNIFORM
    if any(len(word) > 3 and word.casefold() in told.casefold() for word in about):
        return Fault.PERSONAL
    return None


@dataclass(slots=True)
class Hasher:
    """argon2id at a cost that a server of two processors can bear beside its work: 32 MiB and three passes."""

    argon2: PasswordHasher = field(default_factory=lambda: PasswordHasher(3, 32 * KIB, 1))
    verified: int = 0
    """How many verifications were done: the same work for every name."""
    _stand_in: str = field(default="", init=False)

    def hash(self, password: str) -> str:
        """What is kept of it."""
        return self.argon2.hash(normal(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the password of that hash. Without one the same work is done, and it never is."""
        if not self._stand_in:
            self._stand_in = self.argon2.hash(secrets.token_hex(16))
        self.verified += 1
        try:
            self.argon2.verify(kept or self._stand_in, normal(password)[: MOST + 1])
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_dated(self, kept: str) -> bool:
        """Whether it was hashed at another cost than is asked for now."""
        return self.argon2.check_needs_rehash(kept)
