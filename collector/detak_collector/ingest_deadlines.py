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

    def heard(self, node: str, boottime: int) -> bool:
        """The node's own liveness grew; whether that ends a silence, or is the first of it."""
        is_back = node in self._silent or node not in self._heard
        self._silent.discard(node)
        self._heard[node] = boottime
        return is_back

    def fell_silent(self, boottime: int) -> list[str]:
        """The nodes whose deadline has passed since this was last asked."""
        latest = boottime - self._down_after_ms
        fallen = [node for node, at in self._heard.items() if at < latest and node not in self._silent]
        self._silent.update(fallen)
        return sorted(fallen)
