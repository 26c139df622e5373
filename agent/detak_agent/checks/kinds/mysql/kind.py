"""The check kind `mysql`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere, tls_problems
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems, query_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.mysql.client import MysqlClient

Percent = Annotated[float, Meta(gt=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]

LIMITS = ("connections_{}_percent", "lag_{}_s")


class MysqlSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `mysql`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 3_306
    database: Annotated[str, Meta(max_length=64)] = ""
    user: Annotated[str, Meta(min_length=1, max_length=80)] = "detak"
    password: str = ""
    password_file: str = ""
    tls: bool = False
    verify_tls: bool = True
    ca_file: str = ""
    role: Literal["primary", "replica"] | None = None
    writable: bool = False
    query: Annotated[str, Meta(max_length=2_000)] = ""
    expect: Annotated[str, Meta(max_length=500)] = ""
    connections_degraded_percent: Percent | None = 90.0
    connections_down_percent: Percent | None = None
    lag_degraded_s: Positive | None = None
    lag_down_s: Positive | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: MysqlSettings) -> str:
    """Which database of which server."""
    where = settings.host if is_local_socket(settings.host) else endpoint(settings.host, settings.port)
    return f"database {settings.database} at {where}" if settings.database else f"MySQL or MariaDB at {where}"


def remote(settings: MysqlSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: MysqlSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    return [
        *host_problems(settings.host),
        *secrets.problems(settings.password, settings.password_file),
        *tls_problems(settings.host, settings.ca_file, tls=settings.tls, verify_tls=settings.verify_tls),
        *_of_role(settings),
        *query_problems(settings.query, settings.expect),
        *limit_problems(settings, *LIMITS),
    ]


def _of_role(settings: MysqlSettings) -> list[tuple[str, str]]:
    lags = [key for key in ("lag_degraded_s", "lag_down_s") if getattr(settings, key) is not None]
    if settings.role != "replica":
        return [(key, "has an effect with role = 'replica' only") for key in lags]
    return []


def build(settings: MysqlSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> MysqlClient:
        from detak_agent.checks.kinds.mysql.client import MysqlClient  # noqa: PLC0415 - 11 MiB, for such checks only

        return MysqlClient(settings)

    return LoadedProbe(load, extra="mysql")


KIND = Kind(
    name="mysql",
    summary="A MySQL or MariaDB server lets users in, has the right role, replicates in time and answers a query",
    settings=MysqlSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
