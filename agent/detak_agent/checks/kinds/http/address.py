"""Web addresses, of a check's settings or of a redirect: pure. It looks up no name."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from detak_agent.checks.addresses import family_of
from detak_agent.checks.http_get import basic

SECURE = "https"
_DEFAULT_PORTS = {"http": 80, SECURE: 443}
_HOST_NAME = re.compile(r"[0-9A-Za-z._-]+")
_AS_WRITTEN = "!$%&'()*+,/:;=?@[]~"


class NoWebAddressError(ValueError):
    """Why it is none, as words that follow what it is called."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """`host` is in ASCII, `target` is what a request line names; `authorization` is the header's value, or empty."""

    scheme: str
    host: str
    port: int
    target: str
    url: str = field(repr=False)
    authorization: str = field(repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether it is reached by TLS."""
        return self.scheme == SECURE

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be equal for a request's secrets to be sent there too."""
        return self.scheme, self.host.lower(), self.port

    @property
    def server_name(self) -> str:
        """The name in TLS: without an interface, and without the last dot of a full name."""
        return self.host.partition("%")[0].rstrip(".")

    @property
    def authority(self) -> str:
        """The value of the header Host: without a port that says nothing new."""
        host = self.host.partition("%")[0]
        host = f"[{host}]" if ":" in host else host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def joined(self, location: str) -> WebAddress:
        """Where a redirect from here leads; NoWebAddressError."""
        try:
            return web_address(urljoin(self.url, location))
        except ValueError as error:
            raise NoWebAddressError(str(error)) from error


def host_and_port(url: SplitResult) -> tuple[str, int]:
    """Where the URL leads."""
    return url.hostname or "", url.port or _DEFAULT_PORTS[url.scheme]


def web_address(url: str) -> WebAddress:
    """NoWebAddressError where it is not http or https, or leads nowhere."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError as error:
        raise NoWebAddressError(f"is no URL: {error}") from None
    if not is_whole:
        raise NoWebAddressError("must be http:// or https:// with a host")
    host, port = host_and_port(parts)
    query = f"?{quote(parts.query, _AS_WRITTEN)}" if parts.query else ""
    target = quote(parts.path or "/", _AS_WRITTEN) + query
    return WebAddress(parts.scheme, _ascii(host), port, target, url, _authorization(parts))


def _ascii(host: str) -> str:
    if family_of(host) == socket.AF_INET6:
        return host
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name):
        raise NoWebAddressError(f"{host!r} is no host name")
    return name


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    credentials = basic(unquote(parts.username), unquote(parts.password or ""))
    return credentials.get("Authorization", "")
