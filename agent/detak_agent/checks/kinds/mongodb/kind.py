"""The check kind `mongodb`: settings and description. The client is in `client`, loaded when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.mongodb.client import MongodbClient

Percent = Annotated[float, Meta(gt=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]
Name = Annotated[str, Meta(max_length=250)]

LIMITS = ("lag_{}_s", "connections_{}_percent")


class MongodbSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `mongodb`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 27_017
    user: Name = ""
    password: str = ""
    password_file: str = ""
    auth_database: Annotated[str, Meta(min_length=1, max_length=63)] = "admin"
    tls: bool = False
    verify_tls: bool = True
    ca_file: str = ""
    role: Literal["primary", "secondary"] | None = None
    replica_set: Name = ""
    collection: Name = ""
    lag_degraded_s: Positive | None = None
    lag_down_s: Positive | None = None
    connections_degraded_percent: Percent | None = None
    connections_down_percent: Percent | None = None
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None

    @property
    def wants_lag(self) -> bool:
        """Whether the lag of a secondary is looked at."""
        return self.lag_degraded_s is not None or self.lag_down_s is not None

    @property
    def wants_connections(self) -> bool:
        """Whether the share of connections in use is looked at."""
        return self.connections_degraded_percent is not None or self.connections_down_percent is not None


def target(settings: MongodbSettings) -> str:
    """Which server, and what is read of it."""
    read = f", reading {settings.collection}" if settings.collection else ""
    return f"MongoDB at {endpoint(settings.host, settings.port)}{read}"


def remote(settings: MongodbSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: MongodbSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [("host", "must be a host name or an address")] if is_local_socket(settings.host) else []
    return [
        *found,
        *host_problems(settings.host),
        *secrets.problems(settings.password, settings.password_file),
        *_of_user(settings),
        *_of_tls(settings),
        *limit_problems(settings, *LIMITS),
    ]


def _of_user(settings: MongodbSettings) -> list[tuple[str, str]]:
    database, _, name = settings.collection.partition(".")
    found = []
    if settings.collection and not (database and name):
        found.append(("collection", 'must be written as "database.collection"'))
    if bool(settings.user) != bool(settings.password or settings.password_file):
        found.append(("user", "needs a password or password_file, and these need a user"))
    return found


def _of_tls(settings: MongodbSettings) -> list[tuple[str, str]]:
    if settings.ca_file and not (settings.tls and settings.verify_tls):
        return [("ca_file", "has no effect without tls = true, nor with verify_tls = false")]
    return []


def build(settings: MongodbSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> MongodbClient:
        from detak_agent.checks.kinds.mongodb.client import MongodbClient  # noqa: PLC0415 - only where configured

        return MongodbClient(settings)

    return LoadedProbe(load, extra="mongodb")


KIND = Kind(
    name="mongodb",
    summary="A MongoDB server answers, in the right role, and if asked to lets a user read, without too much lag",
    settings=MongodbSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
