"""The check kind `redfish`: settings and description. What asks the controller is in `client`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import leads_elsewhere, tls_problems
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.redfish.client import RedfishClient


class RedfishSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `redfish`."""

    interval_ms: int = 60_000
    timeout_ms: int = 30_000
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 443
    user: Annotated[str, Meta(max_length=200)] = ""
    password: str = ""
    password_file: str = ""
    tls: bool = True
    verify_tls: bool = True
    ca_file: str = ""
    system: str = ""
    chassis: str = ""
    parts: bool = True
    ignore: tuple[str, ...] = ()
    critical: Literal["down", "degraded"] = "down"
    unreachable: Literal["down", "unknown"] = "down"
    remote: bool | None = None


def target(settings: RedfishSettings) -> str:
    """Which controller, and which of its machines."""
    which = f", system {settings.system}" if settings.system else ""
    return f"{endpoint(settings.host, settings.port)} by Redfish{which}"


def remote(settings: RedfishSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: RedfishSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = secrets.problems(settings.password, settings.password_file)
    if any(character.isspace() or character in "/[]" for character in settings.host):
        found.append(("host", "must be a host name or an address, without port, brackets or spaces"))
    if ":" in settings.user:
        found.append(("user", "may not hold a colon, which ends it in HTTP"))
    if (settings.password or settings.password_file) and not settings.user:
        found.append(("user", "is needed beside a password"))
    found += tls_problems(settings.host, settings.ca_file, tls=settings.tls, verify_tls=settings.verify_tls)
    if settings.ignore and not settings.parts:
        found.append(("ignore", "has no effect with parts = false"))
    return found


def build(settings: RedfishSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> RedfishClient:
        from detak_agent.checks.kinds.redfish.client import RedfishClient  # noqa: PLC0415 - TLS, for such checks only

        return RedfishClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="redfish",
    summary="A machine is on, and it and its parts are well, as its Redfish management controller tells",
    settings=RedfishSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
