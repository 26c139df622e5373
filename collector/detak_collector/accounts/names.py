"""What an account may be called, and when two names are the same person's. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST = 64
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
NAME_WORDS = f"letters a to z, digits and . _ - @ between them, at most {MOST}"


def normal(typed: str) -> str:
    """The one form of a name however somebody typed it; it need not be a name yet."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def is_name(name: str) -> bool:
    """Whether an account can have this name."""
    return NAME.fullmatch(name) is not None


def is_same_person(one: str, other: str) -> bool:
    """Whether two names differ in their spelling only."""
    return normal(one) == normal(other)
