"""The state of a machine from what its Redfish controller tells: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.kinds.redfish.kind import RedfishSettings
from detak_agent.checks.kinds.redfish.reading import Health, Part, Whole
from detak_agent.checks.verdict import verdict

ON = "On"


@dataclass(frozen=True, slots=True)
class Machine:
    """What one sample learned. `unread` names what the controller would not show."""

    system: Whole
    chassis: Whole | None = None
    parts: Sequence[Part] = ()
    watts: float | None = None
    unread: Sequence[str] = ()

    @property
    def wholes(self) -> list[Whole]:
        return [self.system] if self.chassis is None else [self.system, self.chassis]


def judge(machine: Machine, settings: RedfishSettings, latency_ms: float) -> Outcome:
    """Switched off is `down`; otherwise the worst finding decides, and all are named."""
    system = machine.system
    parts = [part for part in machine.parts if part.name not in settings.ignore]
    values = _values(machine, parts, latency_ms)
    marks = {"last_reset": system.last_reset} if system.last_reset else {}
    if system.power not in {"", ON}:
        return Outcome("down", f"the machine is not on (PowerState {system.power})", values=values)
    if not system.power and all(whole.worst is None for whole in machine.wholes):
        raise CouldNotCheckError(f"the controller tells neither power nor health of {system.name}")
    found = [*_of_wholes(machine, settings.critical), *_of_parts(machine, parts, settings.critical)]
    unread = f"; not readable: {', '.join(machine.unread)}" if machine.unread else ""
    return verdict(found, f"the machine is on, and it and {len(parts)} parts are well{unread}", marks, values)


def _of_wholes(machine: Machine, critical: Literal["down", "degraded"]) -> Iterator[Finding]:
    for whole in machine.wholes:
        if whole.worst is not None and whole.worst is not Health.OK:
            state = critical if whole.worst is Health.Critical else "degraded"
            yield Finding(state, f"the controller calls the health of {whole.name} {whole.worst.name}")


def _of_parts(machine: Machine, parts: Sequence[Part], critical: Literal["down", "degraded"]) -> Iterator[Finding]:
    """A critical part of a whole that its controller calls better than critical has a spare one: `degraded`."""
    rollups = [whole.rollup for whole in machine.wholes if whole.rollup is not None]
    borne = bool(rollups) and max(rollups) < Health.Critical
    for part in parts:
        if part.health is not Health.OK:
            grave = part.health is Health.Critical and not borne
            yield Finding(critical if grave else "degraded", part.finding)


def _values(machine: Machine, parts: Sequence[Part], latency_ms: float) -> dict[str, float]:
    celsius = [part.celsius for part in parts if part.celsius is not None]
    return {
        "latency_ms": latency_ms,
        **({"temperature_max_celsius": max(celsius)} if celsius else {}),
        **({"power_watts": machine.watts} if machine.watts is not None else {}),
    }
