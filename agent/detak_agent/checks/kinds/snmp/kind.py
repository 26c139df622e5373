"""The check kind `snmp`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import host_problems, is_local_socket, leads_elsewhere
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.snmp.client import SnmpClient

SECRETS = ("community", "password", "privacy_password")
"""The keys that hold secrets; each has another with `_file` behind it."""

LEAST_PASSWORD = 8
"""RFC 3414, 11.2: shorter ones are refused."""

_OBJECT = re.compile(r"[0-2](\.\d{1,10}){1,127}")
_BOUNDS = (("degraded_above", "down_above", 1), ("degraded_below", "down_below", -1))


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of `values`: a variable, and what it should be."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    oid: Annotated[str, Meta(max_length=500)]
    expect: tuple[int | str, ...] = ()
    degraded_above: float | None = None
    down_above: float | None = None
    degraded_below: float | None = None
    down_below: float | None = None

    @property
    def has_limits(self) -> bool:
        """Whether it must be a number."""
        return any(getattr(self, key) is not None for bound in _BOUNDS for key in bound[:2])


class SnmpSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `snmp`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 161
    tries: int = 2
    version: Literal["2c", "3"] = "2c"
    community: str = ""
    community_file: str = ""
    user: Annotated[str, Meta(max_length=32)] = ""
    authentication: Literal["MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"] = "SHA-256"
    password: str = ""
    password_file: str = ""
    privacy_password: str = ""
    privacy_password_file: str = ""
    interface: Annotated[int, Meta(ge=1)] | Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    values: Annotated[tuple[Wanted, ...], Meta(max_length=20)] = ()
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None

    def has(self, secret: str) -> bool:
        """Whether this secret is set, in the one way or the other."""
        return bool(getattr(self, secret) or getattr(self, f"{secret}_file"))


def target(settings: SnmpSettings) -> str:
    """Which device, and what of it."""
    where = endpoint(settings.host, settings.port)
    interface = [] if settings.interface is None else [f"interface {settings.interface}"]
    of_it = [*interface, *(wanted.name for wanted in settings.values)]
    return f"{where}: {', '.join(of_it)}" if of_it else where


def remote(settings: SnmpSettings) -> bool:
    """As the settings say, else by the address."""
    return leads_elsewhere(settings.host, settings.remote)


def problems(settings: SnmpSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = host_problems(settings.host)
    if is_local_socket(settings.host):
        found = [("host", "must be a host name or an address")]
    for key in SECRETS:
        found += secrets.problems(getattr(settings, key), getattr(settings, f"{key}_file"), key)
    found += _of_version_3(settings) if settings.version == "3" else _of_version_2c(settings)
    found += [problem for wanted in settings.values for problem in _of_value(wanted)]
    return [*found, *limit_problems(settings)]


def _of_version_2c(settings: SnmpSettings) -> Iterator[tuple[str, str]]:
    if not settings.has("community"):
        yield "community", "is needed with version 2c (or community_file)"
    if settings.user:
        yield "user", 'has no effect without version = "3"'
    for key in ("password", "privacy_password"):
        if settings.has(key):
            yield key, 'has no effect without version = "3"'


def _of_version_3(settings: SnmpSettings) -> Iterator[tuple[str, str]]:
    if not settings.user:
        yield "user", 'is needed with version = "3"'
    if settings.has("community"):
        yield "community", 'has no effect with version = "3"'
    if settings.has("privacy_password") and not settings.has("password"):
        yield "privacy_password", "needs a password beside it: what is encrypted is signed too"
    for key in ("password", "privacy_password"):
        if 0 < len(getattr(settings, key)) < LEAST_PASSWORD:
            yield key, f"must have at least {LEAST_PASSWORD} characters (RFC 3414)"


def _of_value(wanted: Wanted) -> Iterator[tuple[str, str]]:
    if _OBJECT.fullmatch(wanted.oid) is None or (wanted.oid[0] != "2" and int(wanted.oid.split(".")[1]) > 39):
        yield "values", f"{wanted.name}: oid must be numbers with dots between, such as 1.3.6.1.2.1.1.3.0"
    if wanted.expect and wanted.has_limits:
        yield "values", f"{wanted.name}: write expect, or limits"
    if not wanted.expect and not wanted.has_limits:
        yield "values", f"{wanted.name}: says neither what to expect nor a limit"
    for degraded, down, direction in _BOUNDS:
        at, worse = getattr(wanted, degraded), getattr(wanted, down)
        if at is not None and worse is not None and (worse - at) * direction < 0:
            yield "values", f"{wanted.name}: {down} is reached before {degraded}"


def build(settings: SnmpSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> SnmpClient:
        from detak_agent.checks.kinds.snmp.client import SnmpClient  # noqa: PLC0415 - with cryptography 8 MiB, where it is used

        return SnmpClient(settings)

    return LoadedProbe(load, extra="snmp")


KIND = Kind(
    name="snmp",
    summary="A device answers SNMP (v2c or v3), one of its interfaces is up, and values of it are as they should be",
    settings=SnmpSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
