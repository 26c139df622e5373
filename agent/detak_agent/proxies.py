"""Which proxy stands between this node and a collector, by the usual variables: pure, and as curl reads them.

`urllib.request` has this too. It is not used: it takes HTTP_PROXY in capitals, which a web server's client can set
(httpoxy), knows no networks in NO_PROXY, and costs each agent 1.3 MiB of memory. Unlike curl, a collector on this
machine is never asked through a proxy: plain HTTP is allowed there because nobody else can listen.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from detak_agent.failures import CouldNotError

_VARIABLES = {
    "http": ("http_proxy", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
_DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `authorization` is the value of Proxy-Authorization, or empty; it is never shown."""

    host: str
    port: int
    variable: str
    authorization: str = field(default="", repr=False)

    @property
    def called(self) -> str:
        """What people are told of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the proxy {host}:{self.port} of {self.variable}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What a request to it carries."""
        return [("Proxy-Authorization", self.authorization)] if self.authorization else []


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, told by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy_for(scheme: str, host: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy to a collector at `host`, or None; raises CouldNotError where the variable is wrong."""
    if is_loopback(host) or _is_exempt(host, environment.get("no_proxy") or environment.get("NO_PROXY") or ""):
        return None
    variable = next((name for name in _VARIABLES[scheme] if environment.get(name)), None)
    return None if variable is None else _parsed(variable, environment[variable].strip())


def _parsed(variable: str, written: str) -> Proxy:
    """The value is not repeated in an error: it may hold a password."""
    try:
        parts = urlsplit(written if "://" in written else f"http://{written}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise CouldNotError(f"{variable}: must be a proxy such as http://USER:PASSWORD@proxy.example.go.id:3128")
    if parts.scheme != "http":
        raise CouldNotError(f"{variable}: proxies are spoken to by http:// only, not by {parts.scheme}://")
    return Proxy(host, port or _DEFAULT_PORT, variable, _basic(parts))


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(secret.encode()).decode('ascii')}"


def _is_exempt(host: str, exempt: str) -> bool:
    entries = [entry for entry in re.split(r"[,\s]+", exempt.lower()) if entry]
    if "*" in entries:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return any(_is_within(host.lower().rstrip("."), entry) for entry in entries)
    return any(_is_of_network(address, entry) for entry in entries)


def _is_within(host: str, entry: str) -> bool:
    """A name means itself and everything below it, with a leading dot or without."""
    domain = entry.lstrip(".").rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_of_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False
