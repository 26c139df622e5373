"""Whether two names are one person's, however they are written. Pure."""

from __future__ import annotations

import unicodedata


def same_person(one: str, other: str) -> bool:
    """Whether the names differ in no letter and no digit: case, blanks, punctuation and accents tell nobody apart."""
    return _key(one) == _key(other)


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in plain if letter.isalnum()) or name.strip()
