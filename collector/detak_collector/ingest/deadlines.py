"""Which nodes are overdue: pure, on the collector's own BOOTTIME. It presumes nothing; it says when to look again."""

from __future__ import annotations

from collections.abc import Mapping


class Deadlines:
    """When each node was heard last, and who was found silent by now."""

    def __init__(self, down_after_ms: int, heard: Mapping[str, int], listening_since: int) -> None:
        """What was heard before this collector listened counts from when it did: a restart raises no flood."""
        self._down_after_ms = down_after_ms
        self._heard = {node: max(at, listening_since) for node, at in heard.items()}
        self._silent: set[str] = set()

    def allow(self, down_after_ms: int) -> None:
        """From now on a node may be silent for so long."""
        self._down_after_ms = down_after_ms

    def heard(self, node: str, boottime: int) -> bool:
        """The node's own liveness grew; whether that ends a silence, or is the first of it."""
        is_back = node in self._silent or node not in self._heard
        self._silent.discard(node)
        self._heard[node] = boottime
        return is_back

    def heard_elsewhere(self, heard: Mapping[str, int]) -> bool:
        """What another collector has heard, as the same BOOTTIME; whether any silence ended by it."""
        later = [node for node, at in heard.items() if at > self._heard.get(node, at - 1)]
        return sum(self.heard(node, heard[node]) for node in later) > 0

    def heard_of(self, boottime: int) -> tuple[int, int]:
        """How many nodes are within their deadline, and how many there are."""
        return self._heard_since(boottime - self._down_after_ms)

    def heard_lately(self, boottime: int) -> tuple[int, int]:
        """The same within half of it: what keeps nodes away is to be known before one is presumed down."""
        return self._heard_since(boottime - self._down_after_ms // 2)

    def _heard_since(self, latest: int) -> tuple[int, int]:
        return sum(at >= latest for at in self._heard.values()), len(self._heard)

    def next_passes(self, listening_since: int = 0) -> int | None:
        """The first moment at which a node that is not known to be silent is; None where all are."""
        heard = (at for node, at in self._heard.items() if node not in self._silent)
        first = min(heard, default=None)
        return None if first is None else max(first, listening_since) + self._down_after_ms + 1

    def fell_silent(self, boottime: int, listening_since: int = 0) -> list[str]:
        """The nodes whose deadline has passed since this was last asked; it starts anew where listening did."""
        latest = boottime - self._down_after_ms
        if listening_since >= latest:
            return []
        fallen = [node for node, at in self._heard.items() if at < latest and node not in self._silent]
        self._silent.update(fallen)
        return sorted(fallen)
