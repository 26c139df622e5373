"""The check kind `redis`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere, tls_problems
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.redis.client import RedisClient

Percent = Annotated[float, Meta(gt=0)]
Silent = Annotated[float, Meta(gt=10)]
"""A primary without work speaks to its replicas only every 10 seconds (repl-ping-replica-period)."""

LIMITS = ("memory_{}_percent", "connections_{}_percent", "lag_{}_s")


class RedisSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `redis`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 6_379
    user: Annotated[str, Meta(max_length=200)] = ""
    password: str = ""
    password_file: str = ""
    tls: bool = False
    verify_tls: bool = True
    ca_file: str = ""
    role: Literal["primary", "replica"] | None = None
    memory_degraded_percent: Percent | None = 90.0
    memory_down_percent: Percent | None = None
    connections_degraded_percent: Percent | None = 90.0
    connections_down_percent: Percent | None = None
    lag_degraded_s: Silent | None = None
    lag_down_s: Silent | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: RedisSettings) -> str:
    """Which server."""
    return settings.host if is_local_socket(settings.host) else endpoint(settings.host, settings.port)


def remote(settings: RedisSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: RedisSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [
        *host_problems(settings.host),
        *secrets.problems(settings.password, settings.password_file),
        *tls_problems(settings.host, settings.ca_file, tls=settings.tls, verify_tls=settings.verify_tls),
        *limit_problems(settings, *LIMITS),
    ]
    if settings.user and not (settings.password or settings.password_file):
        found.append(("user", "signs in with a password only: add password_file"))
    return found


def build(settings: RedisSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> RedisClient:
        from detak_agent.checks.kinds.redis.client import RedisClient  # noqa: PLC0415 - ssl, for such checks only

        return RedisClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="redis",
    summary="A Redis server answers, has its data loaded, the right role, its primary at hand and memory left",
    settings=RedisSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
