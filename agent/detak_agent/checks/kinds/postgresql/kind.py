"""The check kind `postgresql`: settings and description. The client is in `client`, loaded when it runs."""

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
    from detak_agent.checks.kinds.postgresql.client import PostgresqlClient

Percent = Annotated[float, Meta(gt=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]
Bytes = Annotated[int, Meta(gt=0)]

LIMITS = ("connections_{}_percent", "lag_{}_s", "lag_{}_bytes")
VERIFYING = ("verify-ca", "verify-full")


class PostgresqlSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `postgresql`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 5_432
    database: Annotated[str, Meta(min_length=1, max_length=63)] = "postgres"
    user: Annotated[str, Meta(min_length=1, max_length=63)] = "detak"
    password: str = ""
    password_file: str = ""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ca_file: str = ""
    role: Literal["primary", "replica"] | None = None
    writable: bool = False
    streaming: bool = True
    query: Annotated[str, Meta(max_length=2_000)] = ""
    expect: Annotated[str, Meta(max_length=500)] = ""
    connections_degraded_percent: Percent | None = 90.0
    connections_down_percent: Percent | None = None
    lag_degraded_s: Positive | None = None
    lag_down_s: Positive | None = None
    lag_degraded_bytes: Bytes | None = None
    lag_down_bytes: Bytes | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: PostgresqlSettings) -> str:
    """Which database of which server."""
    host, port = settings.host, settings.port
    where = f"{host} port {port}" if is_local_socket(host) else endpoint(host, port)
    return f"database {settings.database} at {where}"


def remote(settings: PostgresqlSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: PostgresqlSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    return [
        *host_problems(settings.host),
        *secrets.problems(settings.password, settings.password_file),
        *_of_tls(settings),
        *_of_role(settings),
        *query_problems(settings.query, settings.expect),
        *limit_problems(settings, *LIMITS),
    ]


def _of_tls(settings: PostgresqlSettings) -> list[tuple[str, str]]:
    if is_local_socket(settings.host) and settings.sslmode != "prefer":
        return [("sslmode", "has no effect on a local socket")]
    if settings.sslmode in VERIFYING and not settings.ca_file:
        return [("ca_file", f"is needed by sslmode = {settings.sslmode!r}: authorities in PEM form")]
    if settings.ca_file and settings.sslmode not in VERIFYING:
        return [("ca_file", "has an effect with sslmode = 'verify-ca' or 'verify-full' only")]
    return []


def _of_role(settings: PostgresqlSettings) -> list[tuple[str, str]]:
    if settings.writable and settings.role == "replica":
        return [("writable", "can never be true of a replica")]
    return []


def build(settings: PostgresqlSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> PostgresqlClient:
        from detak_agent.checks.kinds.postgresql.client import PostgresqlClient  # noqa: PLC0415 - 13 MiB, when it is needed

        return PostgresqlClient(settings)

    return LoadedProbe(load, extra="postgresql")


KIND = Kind(
    name="postgresql",
    summary="A PostgreSQL server lets users in, has the right role, keeps up with its primary and answers a query",
    settings=PostgresqlSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
