"""The check kind `sqlserver`: settings and description. The client is in `client`, loaded when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems, query_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.sqlserver.client import SqlserverClient

Positive = Annotated[float, Meta(gt=0)]
Name = Annotated[str, Meta(max_length=128)]

LIMITS = ("lag_{}_s",)


class SqlserverSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `sqlserver`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1_433
    database: Name = ""
    user: Annotated[str, Meta(min_length=1, max_length=128)] = "detak"
    password: str = ""
    password_file: str = ""
    tls: bool = True
    verify_tls: bool = True
    ca_file: str = ""
    role: Literal["primary", "secondary"] | None = None
    query: Annotated[str, Meta(max_length=2_000)] = ""
    expect: Annotated[str, Meta(max_length=500)] = ""
    lag_degraded_s: Positive | None = None
    lag_down_s: Positive | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None

    @property
    def wants_lag(self) -> bool:
        """Whether the lag of secondaries is looked at."""
        return self.lag_degraded_s is not None or self.lag_down_s is not None

    @property
    def wants_replica(self) -> bool:
        """Whether the server must say what it is in its availability group."""
        return self.role is not None or self.wants_lag


def target(settings: SqlserverSettings) -> str:
    """Which database of which server."""
    what = f"database {settings.database}" if settings.database else "SQL Server"
    return f"{what} at {endpoint(settings.host, settings.port)}"


def remote(settings: SqlserverSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: SqlserverSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [("host", "must be a host name or an address")] if is_local_socket(settings.host) else []
    if "\\" in settings.host:
        found.append(("host", "must be without an instance: write that instance's own port"))
    if settings.ca_file and not (settings.tls and settings.verify_tls):
        found.append(("ca_file", "has no effect with tls = false, nor with verify_tls = false"))
    return [
        *found,
        *host_problems(settings.host),
        *secrets.problems(settings.password, settings.password_file),
        *query_problems(settings.query, settings.expect),
        *limit_problems(settings, *LIMITS),
    ]


def build(settings: SqlserverSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> SqlserverClient:
        from detak_agent.checks.kinds.sqlserver.client import SqlserverClient  # noqa: PLC0415 - only where configured

        return SqlserverClient(settings)

    return LoadedProbe(load, extra="sqlserver")


KIND = Kind(
    name="sqlserver",
    summary="A SQL Server lets a user in, its database is online and answers, in the right role and without much lag",
    settings=SqlserverSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
