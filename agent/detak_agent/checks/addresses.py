"""Hosts and ports: who is remote, looking names up without blocking, and words for what a connection met."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.threads import in_thread

_DISCARD_PORT = 9
_OWN_LOOKUP_FAULTS = frozenset({socket.EAI_MEMORY, socket.EAI_SYSTEM})

_WORDS = {
    errno.ECONNREFUSED: "connection refused by",
    errno.ECONNRESET: "connection reset by",
    errno.EPIPE: "connection closed by",
    errno.EHOSTUNREACH: "no route to",
    errno.ENETUNREACH: "the network is unreachable: no route to",
    errno.ETIMEDOUT: "no answer from",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect: an address family and a numeric host."""

    family: socket.AddressFamily
    host: str
    port: int

    def __str__(self) -> str:
        return endpoint(self.host, self.port)


def endpoint(host: str, port: int) -> str:
    """`host:port` for people, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def family_of(host: str) -> socket.AddressFamily | None:
    """The family of a numeric address; None where it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return family
    return None


def is_remote(host: str) -> bool:
    """Whether `host` is another machine. A name, which is not looked up, is one unless it is this machine's own."""
    family = family_of(host)
    if family is None:
        own = socket.gethostname().lower()
        name = host.lower().rstrip(".")
        return name not in {own, "localhost"} and not name.endswith(".localhost")
    return not _is_own(host, family)


def _is_own(host: str, family: socket.AddressFamily) -> bool:
    # To one of its own addresses the kernel speaks from that same address; connecting a datagram socket sends nothing.
    # (Binding to it would prove nothing where net.ipv4.ip_nonlocal_bind is set, as on most load balancers.)
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((host, _DISCARD_PORT))
        except OSError:
            return False
        spoken_from = str(asked.getsockname()[0])
    return spoken_from.partition("%")[0] == host.partition("%")[0] or _is_loopback(spoken_from)


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]]
"""As getaddrinfo gives it."""


class Lookup:
    """Names to addresses, in a daemon thread each. A lookup that hangs is joined by later ones, never doubled."""

    def __init__(self, resolve: Callable[..., Found] = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._running: dict[tuple[str, int], asyncio.Future[Found]] = {}

    async def addresses(self, host: str, port: int) -> list[Address]:
        """At least one address of `host`; OSError with words for people where it has none."""
        family = family_of(host)
        if family is not None:
            return [Address(family, host, port)]
        key = (host, port)
        running = self._running.get(key)
        if running is None or running.done():
            self._running = {asked: one for asked, one in self._running.items() if not one.done()}
            running = in_thread(lambda: self._resolve(host, port, type=socket.SOCK_STREAM))
            self._running[key] = running
        try:
            found = await asyncio.shield(running)
        except (socket.gaierror, UnicodeError) as error:
            raise _unresolved(host, error) from None
        return [Address(family, str(address[0]), port) for family, _, _, _, address in found]


def _unresolved(host: str, error: socket.gaierror | UnicodeError) -> Exception:
    if isinstance(error, UnicodeError):
        return CouldNotCheckError(f"{host} is no host name")
    if error.errno in _OWN_LOOKUP_FAULTS:
        return CouldNotCheckError(f"the name {host} could not be looked up: {error.strerror}")
    return OSError(error.errno, f"the name {host} does not resolve: {error.strerror}")


def met(error: OSError, where: str) -> OSError:
    """The same error, which keeps its number, with words that say what was met and where."""
    # asyncio raises a reset within the TLS handshake without its number.
    number = errno.ECONNRESET if isinstance(error, ConnectionResetError) else error.errno
    words = _WORDS.get(number or 0)
    if words is None:
        reason = os.strerror(number) if number else str(error) or type(error).__name__
        return OSError(number, f"cannot talk to {where}: {reason}")
    return OSError(number, f"{words} {where}")
