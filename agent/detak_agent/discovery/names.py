"""Names of checks and nodes: valid, short, unique, and the same from run to run for the same machine."""

from __future__ import annotations

import re
from collections.abc import Iterable

from detak_agent.spans import ALIVE
from detak_wire import limits

_OTHER = re.compile(r"[^a-z0-9._-]+")
_LONGEST = 48
"""Shorter than a name may be, so that a number fits behind it."""


def valid(text: str, otherwise: str) -> str:
    """The text made a name, or `otherwise`, which is one, where nothing of it is left."""
    plain = _OTHER.sub("-", text.lower()).strip("._-")[:_LONGEST].strip("._-")
    return re.sub(r"-{2,}", "-", plain) or otherwise


def node_name(host: str) -> str:
    """From the host's name, without its domain."""
    return valid(host.partition(".")[0], "node")


class Names:
    """Gives each check a name that no other has. The first comes, first served: ask in an order that stays."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, ALIVE}

    def take(self, wish: str) -> str:
        """The wish made a name, with a number behind it where another check has it already."""
        name = first = valid(wish, "check")
        number = 2
        while name in self._taken:
            name = f"{first}-{number}"
            number += 1
        assert len(name) <= limits.NAME_CHARACTERS
        self._taken.add(name)
        return name
