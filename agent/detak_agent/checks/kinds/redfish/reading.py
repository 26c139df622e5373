"""Redfish resources (DMTF DSP0268) as far as they are judged. Pure, and lenient: controllers leave out much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

Resource = Mapping[str, Any]
"""A decoded JSON object: nothing in it can be relied on."""

ROOT = "/redfish/v1/"
_NOT_IN_USE = frozenset({"Absent", "Disabled", "UnavailableOffline", "StandbyOffline"})


class Health(IntEnum):
    """How well something is; the names are those of Redfish."""

    OK = 0
    Warning = 1
    Critical = 2


@dataclass(frozen=True, slots=True)
class Whole:
    """A system or a chassis: its own health, and that of it and all its parts, where they are told."""

    name: str
    power: str
    health: Health | None
    rollup: Health | None
    last_reset: str

    @property
    def worst(self) -> Health | None:
        """The worse of both."""
        told = [health for health in (self.health, self.rollup) if health is not None]
        return max(told) if told else None


@dataclass(frozen=True, slots=True)
class Part:
    """A fan, a temperature or a power supply; `finding` says what is wrong with it."""

    name: str
    health: Health
    finding: str
    celsius: float | None = None


def whole(resource: Resource, name: str) -> Whole:
    """A computer system or a chassis."""
    status = _object(resource, "Status")
    return Whole(
        name,
        _text(resource, "PowerState"),
        _health(status, "Health"),
        # The older of the two spellings is still met.
        _health(status, "HealthRollup", "HealthRollUp"),
        _text(resource, "LastResetTime"),
    )


def link(resource: Resource, *keys: str) -> str:
    """Where the member leads that these keys lead to; empty where nowhere, or to another server."""
    for key in keys:
        resource = _object(resource, key)
    path = _text(resource, "@odata.id")
    return path if path.startswith("/") and path.isascii() and path.isprintable() and " " not in path else ""


def links(resource: Resource, key: str) -> list[str]:
    """Where the members of a list lead."""
    return [found for found in (link(member) for member in _objects(resource, key)) if found]


def chassis_links(system: Resource) -> list[str]:
    """The chassis that a system is in."""
    return links(_object(system, "Links"), "Chassis")


def parts(resource: Resource) -> list[Part]:
    """What a resource of type Thermal or Power holds, or one of type ThermalSubsystem or PowerSubsystem is."""
    found = [
        *(_part(member, "°C", "ReadingCelsius") for member in _objects(resource, "Temperatures")),
        *(_part(member, _text(member, "ReadingUnits"), "Reading") for member in _objects(resource, "Fans")),
        *(_part(member, "", "") for member in _objects(resource, "PowerSupplies")),
    ]
    if "Status" in resource:
        found.append(_part(resource, "", ""))
    return [part for part in found if part is not None]


def watts(power: Resource) -> float | None:
    """What the machine takes."""
    return next((_number(control, "PowerConsumedWatts") for control in _objects(power, "PowerControl")), None)


def _part(member: Resource, unit: str, reading_key: str) -> Part | None:
    status = _object(member, "Status")
    if _text(status, "State") in _NOT_IN_USE:
        return None
    name = _text(member, "Name") or _text(member, "MemberId") or "a part without a name"
    reading = _number(member, reading_key)
    told = [health for health in (_health(status, "Health"), _health(status, "HealthRollup")) if health is not None]
    worst, finding = max(told, default=Health.OK), ""
    if worst is not Health.OK:
        finding = f"{name} is {worst.name}" + (f" (at {reading:g} {unit})" if reading is not None else "")
    for health, side in _beyond(member, reading):
        if health > worst:
            worst = health
            finding = f"{name} is at {reading:g} {unit}, {side} its {_LIMITS[health]} limit"
    return Part(name, worst, finding, reading if unit == "°C" else None)


_LIMITS = {Health.Warning: "warning", Health.Critical: "critical"}


def _beyond(member: Resource, reading: float | None) -> Iterator[tuple[Health, str]]:
    if reading is None:
        return
    for kind, health in (
        ("NonCritical", Health.Warning),
        ("Critical", Health.Critical),
        ("Fatal", Health.Critical),
    ):
        upper, lower = _number(member, f"UpperThreshold{kind}"), _number(member, f"LowerThreshold{kind}")
        if upper is not None and reading >= upper:
            yield health, "above"
        elif lower is not None and reading <= lower:
            yield health, "below"


def _health(status: Resource, *keys: str) -> Health | None:
    for key in keys:
        told = _text(status, key)
        if told in Health.__members__:
            return Health[told]
    return None


def _text(resource: Resource, key: str) -> str:
    value = resource.get(key)
    return value if isinstance(value, str) else ""


def _number(resource: Resource, key: str) -> float | None:
    value = resource.get(key)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _object(resource: Resource, key: str) -> Resource:
    value = resource.get(key)
    return value if isinstance(value, dict) else {}


def _objects(resource: Resource, key: str) -> list[Resource]:
    value = resource.get(key)
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
