"""Long lists a page at a time: a cursor names the last item that was told, so what is new shifts nothing. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

AT_ONCE = 100
MOST_AT_ONCE = 500

T = TypeVar("T")


class CursorError(ValueError):
    """No cursor of ours, or of an item that is not in the list any more."""


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """One page of a list. `next` leads on, None at the end; `total` counts the whole list."""

    items: Sequence[T]
    next: str | None
    total: int


def cut(found: Sequence[T], name: Callable[[T], str], cursor: str, limit: int) -> Cut[T]:
    """What follows the item of the cursor, in a list in which every name is there once; raises CursorError."""
    begin = 0
    if cursor:
        last = opened(cursor)
        begin = next((at for at, one in enumerate(found, 1) if name(one) == last), 0)
        if not begin:
            raise CursorError(f"what this cursor stands behind is not in the list any more: begin anew (got {cursor})")
    return _part(found, begin, limit, name)


def cut_ordered(found: Sequence[T], name: Callable[[T], str], cursor: str, limit: int) -> Cut[T]:
    """The same for a list in the order of its names; one that is gone meanwhile is no trouble."""
    last = opened(cursor) if cursor else ""
    begin = next((at for at, one in enumerate(found) if name(one) > last), len(found)) if cursor else 0
    return _part(found, begin, limit, name)


def _part(found: Sequence[T], begin: int, limit: int, name: Callable[[T], str]) -> Cut[T]:
    items = found[begin : begin + limit]
    more = begin + len(items) < len(found)
    return Cut(items, closed(name(items[-1])) if more and items else None, len(found))


def closed(name: str) -> str:
    """The cursor of an item."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def opened(cursor: str) -> str:
    """The item of a cursor; raises CursorError."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise CursorError(f"no cursor: take the one that `next` holds (got {cursor[:100]})") from None
