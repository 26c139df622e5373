"""The check kind `oracle`: settings and description. The driver runs in a process of its own: see `client`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere
from detak_agent.checks.verdict import limit_problems, query_problems

Percent = Annotated[float, Meta(gt=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]
Name = Annotated[str, Meta(max_length=128)]

LIMITS = ("lag_{}_s", "processes_{}_percent")


class OracleSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `oracle`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1_521
    service_name: Name = ""
    sid: Name = ""
    user: Annotated[str, Meta(min_length=1, max_length=128)] = "detak"
    password: str = ""
    password_file: str = ""
    tls: bool = False
    verify_tls: bool = True
    ca_file: str = ""
    role: Literal["primary", "standby"] | None = None
    query: Annotated[str, Meta(max_length=2_000)] = ""
    expect: Annotated[str, Meta(max_length=500)] = ""
    lag_degraded_s: Positive | None = None
    lag_down_s: Positive | None = None
    processes_degraded_percent: Percent | None = None
    processes_down_percent: Percent | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None

    @property
    def wants_lag(self) -> bool:
        """Whether the lag of a standby is looked at."""
        return self.lag_degraded_s is not None or self.lag_down_s is not None

    @property
    def wants_role(self) -> bool:
        """Whether the database must say what it is."""
        return self.role is not None or self.wants_lag

    @property
    def wants_processes(self) -> bool:
        """Whether the share of the limit `processes` is looked at."""
        return self.processes_degraded_percent is not None or self.processes_down_percent is not None


def database(settings: OracleSettings) -> str:
    """The service or instance, for people."""
    return f"service {settings.service_name}" if settings.service_name else f"SID {settings.sid}"


def target(settings: OracleSettings) -> str:
    """Which database of which server."""
    return f"{database(settings)} at {endpoint(settings.host, settings.port)}"


def remote(settings: OracleSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: OracleSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [("host", "must be a host name or an address")] if is_local_socket(settings.host) else []
    found += host_problems(settings.host)
    if bool(settings.service_name) == bool(settings.sid):
        found.append(("service_name", "either service_name or sid is needed"))
    return [
        *found,
        *secrets.problems(settings.password, settings.password_file),
        *_of_tls(settings),
        *query_problems(settings.query, settings.expect),
        *limit_problems(settings, *LIMITS),
    ]


def _of_tls(settings: OracleSettings) -> list[tuple[str, str]]:
    if not settings.tls:
        return [("ca_file", "has no effect without tls = true")] if settings.ca_file else []
    if settings.ca_file and not settings.verify_tls:
        return [("ca_file", "has no effect with verify_tls = false")]
    return []


def build(settings: OracleSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""
    from detak_agent.checks.kinds.oracle.client import OracleClient  # noqa: PLC0415 - only where such a check is configured

    return OracleClient(settings)


KIND = Kind(
    name="oracle",
    summary="An Oracle database lets a user in and answers, in the right role and without too much lag",
    settings=OracleSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
