"""How long a check waits by itself: a little less than the runner, so that its own words name what it waited for."""

from __future__ import annotations

LEAD_MS = 50


def patience_s(deadline_ms: int) -> float:
    """Seconds to wait when the runner gives up after `deadline_ms`."""
    return (deadline_ms - min(LEAD_MS, deadline_ms // 10)) / 1_000
