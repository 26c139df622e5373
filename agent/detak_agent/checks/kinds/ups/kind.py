"""The check kind `ups`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.ups.client import UpsClient

Percent = Annotated[float, Meta(gt=0, le=100)]
Seconds = Annotated[float, Meta(gt=0)]

LIMITS = ("charge_{}_percent", "runtime_{}_s")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class UpsSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `ups`."""

    ups: Annotated[str, Meta(min_length=1, max_length=100)]
    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 3_493
    user: Annotated[str, Meta(max_length=100)] = ""
    password: str = ""
    password_file: str = ""
    on_battery: Literal["degraded", "down"] = "degraded"
    no_data: Literal["unknown", "down"] = "unknown"
    charge_degraded_percent: Percent | None = None
    charge_down_percent: Percent | None = None
    runtime_degraded_s: Seconds | None = None
    runtime_down_s: Seconds | None = None
    remote: bool | None = None


def target(settings: UpsSettings) -> str:
    """Which UPS, as NUT writes it."""
    return f"{settings.ups}@{endpoint(settings.host, settings.port)}"


def remote(settings: UpsSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: UpsSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [*host_problems(settings.host), *secrets.problems(settings.password, settings.password_file)]
    if is_local_socket(settings.host):
        found.append(("host", "must be a host name or an address"))
    if not _NAME.fullmatch(settings.ups):
        found.append(("ups", "may hold letters, digits and _ . - only, as in ups.conf"))
    if bool(settings.user) != bool(settings.password or settings.password_file):
        found.append(("user", "user and password (or password_file) belong together"))
    for pattern in LIMITS:
        degraded, down = (getattr(settings, pattern.format(state)) for state in ("degraded", "down"))
        if degraded is not None and down is not None and down > degraded:
            found.append((pattern.format("down"), f"must not be more than {pattern.format('degraded')}"))
    return found


def build(settings: UpsSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> UpsClient:
        from detak_agent.checks.kinds.ups.client import UpsClient  # noqa: PLC0415 - for such checks only

        return UpsClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="ups",
    summary="A UPS (by NUT) is on mains power, and its battery is well, charged and lasts long enough",
    settings=UpsSettings,
    build=build,
    target=target,
    remote=remote,
    # upsd that does not answer says nothing of the power: `no_data` decides.
    silence=Silence.UNKNOWN,
    problems=problems,
)
