"""The check kind `systemd`: settings and description. What asks systemd is in `client`, loaded when it must."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.systemd.client import SystemdClient

MOST_UNITS = 32
_LONGEST_NAME = 255
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]+")
_TYPES = frozenset(
    {"service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope"}
)


class SystemdSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `systemd`."""

    units: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_UNITS)]
    at_least: Annotated[int, Meta(ge=1)] | None = None
    activating: Literal["down", "degraded"] = "down"


def full_name(unit: str) -> str:
    """The name as systemd has it: `nginx` is `nginx.service`, as systemctl reads it."""
    return unit if unit.rpartition(".")[2] in _TYPES else f"{unit}.service"


def target(settings: SystemdSettings) -> str:
    """Which units."""
    names = ", ".join(full_name(unit) for unit in settings.units)
    if len(settings.units) == 1:
        return f"systemd unit {names}"
    needed = f"at least {settings.at_least} of " if settings.at_least is not None else ""
    return f"systemd units {needed}{names}"


def problems(settings: SystemdSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [("units", reason) for unit in settings.units for reason in [_wrong_name(unit)] if reason]
    if len({full_name(unit) for unit in settings.units}) < len(settings.units):
        found.append(("units", "names a unit twice"))
    if settings.at_least is not None and settings.at_least > len(settings.units):
        found.append(("at_least", f"asks for more than the {len(settings.units)} units that are named"))
    return found


def _wrong_name(unit: str) -> str:
    if not _NAME.fullmatch(unit) or len(full_name(unit)) > _LONGEST_NAME:
        return f"{unit!r} is no name of a unit; patterns are not taken, name each unit"
    if "@." in full_name(unit):
        return f"{unit!r} is a template: name its instance, as in {full_name(unit).replace('@.', '@1.')}"
    return ""


def build(settings: SystemdSettings, surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> SystemdClient:
        from detak_agent.checks.kinds.systemd.client import SystemdClient  # noqa: PLC0415 - 4 MiB, for such checks only

        return SystemdClient(settings, surroundings.root)

    return LoadedProbe(load, extra="systemd")


KIND = Kind(
    name="systemd",
    summary="systemd units are active, and the last run that a timer started did not fail",
    settings=SystemdSettings,
    build=build,
    target=target,
    remote=lambda _settings: False,
    silence=Silence.UNKNOWN,
    problems=problems,
)
