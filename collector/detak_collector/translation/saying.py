"""English sentences that know how they were made: whoever shows one to people says it in the reader's language.

To everything else one is the text that it is: it goes into logs, JSON and other processes as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

Named = Mapping[str, "str | int"]


class Saying(str):
    """A sentence with what stands in its braces; where it counts `number` things, with `many` for all but one."""

    __slots__ = ("many", "message", "named", "number")

    message: str
    many: str
    number: int
    named: Named

    def __new__(cls, message: str, many: str, number: int, named: Named) -> Self:
        """In English."""
        chosen = many if many and number != 1 else message
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in named.items()}
        made = super().__new__(cls, chosen.format(**shown))
        made.message, made.many, made.number, made.named = message, many, number, named
        return made

    def __getnewargs__(self) -> tuple[str, str, int, Named]:  # type: ignore[override] # of this class, not of str
        """As `pickle` says."""
        return self.message, self.many, self.number, self.named


def saying(message: str, **named: str | int) -> Saying:
    """The sentence, with what is named in its braces."""
    return Saying(message, "", 1, named)


def counted(one: str, many: str, number: int, **named: str | int) -> Saying:
    """The sentence about `number` things; `{number}` in it is that number."""
    return Saying(one, many, number, {"number": number, **named})


def mark(message: str) -> str:
    """The message as it is: a sentence that is said elsewhere, told here so that it gets into the catalogues."""
    return message
