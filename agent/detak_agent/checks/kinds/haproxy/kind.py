"""The check kind `haproxy`: settings and description. The client is in `client`, loaded when it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.connecting import leads_elsewhere
from detak_agent.checks.kinds.http.kind import redacted
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.verdict import limit_problems

if TYPE_CHECKING:
    from detak_agent.checks.kinds.haproxy.client import HaproxyClient

Name = Annotated[str, Meta(max_length=200)]
Percent = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]

LIMITS = ("sessions_{}_percent", "queue_{}")

_NAME = re.compile(r"[A-Za-z0-9_.:-]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


class HaproxySettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `haproxy`."""

    socket: Annotated[str, Meta(max_length=100)] = ""
    url: Annotated[str, Meta(max_length=2_000)] = ""
    user: Annotated[str, Meta(max_length=200)] = ""
    password: str = ""
    password_file: str = ""
    verify_tls: bool = True
    ca_file: str = ""
    backend: Name = ""
    server: Name = ""
    frontend: Name = ""
    at_least: Count | None = None
    sessions_degraded_percent: Percent | None = 90.0
    sessions_down_percent: Percent | None = None
    queue_degraded: Count | None = None
    queue_down: Count | None = None
    remote: bool | None = None

    @property
    def proxy(self) -> str:
        """The name of the frontend or backend."""
        return self.frontend or self.backend


def target(settings: HaproxySettings) -> str:
    """What is looked at, and through what."""
    through = settings.socket or redacted(urlsplit(settings.url))
    if settings.frontend:
        return f"frontend {settings.frontend} by {through}"
    server = f"/{settings.server}" if settings.server else ""
    return f"backend {settings.backend}{server} by {through}"


def remote(settings: HaproxySettings) -> bool:
    """As the settings say, else by the address; a socket is on this machine."""
    return leads_elsewhere(settings.socket or urlsplit(settings.url).hostname or "", settings.remote)


def problems(settings: HaproxySettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    return [
        *_of_source(settings),
        *_of_target(settings),
        *secrets.problems(settings.password, settings.password_file),
        *limit_problems(settings, *LIMITS),
    ]


def _of_source(settings: HaproxySettings) -> Iterator[tuple[str, str]]:
    if bool(settings.socket) == bool(settings.url):
        yield "socket", "write either socket or url"
    elif settings.url:
        yield from _of_url(settings)
    else:
        if not settings.socket.startswith("/"):
            yield "socket", "must be an absolute path"
        for key in ("user", "password", "password_file", "ca_file"):
            if getattr(settings, key):
                yield key, "has no effect on a socket"


def _of_url(settings: HaproxySettings) -> Iterator[tuple[str, str]]:
    url = _parsed(settings.url)
    if url is None:
        yield "url", "must be http:// or https:// with a host, and without spaces"
    elif url.username is not None or url.query or url.fragment:
        yield "url", "must have no user, query or fragment; user and password are keys of their own"
    if settings.ca_file and not (settings.url.startswith("https:") and settings.verify_tls):
        yield "ca_file", "has no effect without https:// and verify_tls"
    if bool(settings.user) != bool(settings.password or settings.password_file):
        yield "user", "user and password (or password_file) belong together"


def _parsed(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        whole = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        return None
    return url if whole and not _UNSAFE.search(text) else None


def _of_target(settings: HaproxySettings) -> Iterator[tuple[str, str]]:
    if bool(settings.backend) == bool(settings.frontend):
        yield "backend", "write either backend or frontend"
    for key in ("backend", "server", "frontend"):
        if not _NAME.fullmatch(getattr(settings, key)):
            yield key, "may hold letters, digits and - _ . : only, as in HAProxy"
    if settings.server and not settings.backend:
        yield "server", "needs the backend it belongs to"
    if settings.at_least is not None and (settings.server or settings.frontend):
        yield "at_least", "counts the servers of a backend: it has no effect here"
    for key in ("queue_degraded", "queue_down"):
        if settings.frontend and getattr(settings, key) is not None:
            yield key, "has no effect on a frontend, which has no queue"


def build(settings: HaproxySettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> HaproxyClient:
        from detak_agent.checks.kinds.haproxy.client import HaproxyClient  # noqa: PLC0415 - ssl, for such checks only

        return HaproxyClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="haproxy",
    summary="A backend, server or frontend of HAProxy is up, with enough servers and room for more sessions",
    settings=HaproxySettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
