"""Whether this collector can do its work now: pure, from what is known of it. It is what `/readyz` answers."""

from __future__ import annotations

from dataclasses import dataclass

TICK_OVERDUE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What readiness rests on. `ticked_ms` ago its own liveness was made durable, which is a write to the store."""

    ticked_ms: int | None
    store_trouble: str
    disk_is_full: bool
    services: int
    schema: str
    catalogue: str = "ok"
    """How services.toml stands with what is in force: what is wrong there bears on the figure, and on no evidence."""
    peer: str | None = None
    """How the other collector of two fares, where there is one; it makes this one no less ready."""


def faults(standing: Standing) -> dict[str, str]:
    """By part, why it is not ready; empty where it is."""
    found: dict[str, str] = {}
    if standing.store_trouble:
        found["store"] = standing.store_trouble
    elif standing.ticked_ms is None:
        found["store"] = "nothing was written yet"
    elif standing.ticked_ms > TICK_OVERDUE_MS:
        found["store"] = f"nothing was written for {standing.ticked_ms // 1_000} s"
    if standing.disk_is_full:
        found["disk"] = "full"
    return found


def report(standing: Standing) -> dict[str, object]:
    """What `/readyz` says, with a word for each part."""
    found = faults(standing)
    parts = {part: found.get(part, "ok") for part in ("store", "disk")}
    parts |= {"catalogue": standing.catalogue, "schema": standing.schema}
    if standing.peer is not None:
        parts["peer"] = standing.peer
    return {"status": "unready" if found else "ready", "parts": parts, "services": standing.services}
