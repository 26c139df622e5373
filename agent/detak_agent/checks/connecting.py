"""Reaching a server by name, address or local socket, with words for what it waits for. It speaks no protocol."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from detak_agent.checks.addresses import Address, Lookup, endpoint, is_remote, met
from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.threads import in_thread

T = TypeVar("T")

_QUEUE_SHARE, _PATH_SHARE = 0.8, 0.9
"""Of the time left: how long a local server's queue may stay full, and how long finding the socket may take."""

_QUEUE_PAUSE_S = 0.01


def is_local_socket(host: str) -> bool:
    """Whether `host` is the path of a Unix socket, or of the directory that it lies in."""
    return host.startswith("/")


def leads_elsewhere(host: str, remote: bool | None) -> bool:  # noqa: FBT001 - as the settings have it
    """Whether another machine is checked: as the settings say, else by the address."""
    return (not is_local_socket(host) and is_remote(host)) if remote is None else remote


def host_problems(host: str) -> list[tuple[str, str]]:
    """What is wrong with the key `host`."""
    if is_local_socket(host):
        return []
    if any(character.isspace() or character in "/[]" for character in host):
        return [("host", "must be a host name or an address without port, brackets or spaces, or an absolute path")]
    return []


def tls_problems(host: str, ca_file: str, *, tls: bool, verify_tls: bool) -> list[tuple[str, str]]:
    """What is wrong with the keys `tls`, `verify_tls` and `ca_file`."""
    if tls and is_local_socket(host):
        return [("tls", "has no effect on a local socket")]
    if not tls:
        return [("ca_file", "has no effect without tls = true")] if ca_file else []
    return [("ca_file", "has no effect with verify_tls = false")] if ca_file and not verify_tls else []


class Caller:
    """Calls one server. `where` is how people may see it, `waiting_for` what has not happened yet."""

    def __init__(self, host: str, port: int, lookup: Lookup | None = None) -> None:
        """`lookup` is one that others use too, so that a lookup that hangs is joined."""
        self._host = host
        self._port = port
        self._lookup = lookup or Lookup()
        self._local: asyncio.Future[socket.socket] | None = None
        self.where = host if is_local_socket(host) else endpoint(host, port)
        self.waiting_for = ""

    async def first(self, until: float, attempt: Callable[[Address], Awaitable[T]]) -> T:
        """What `attempt` gives for the first address where it raises no OSError; each has a share of the time left.

        `until` is in time.monotonic(). Raises what the last attempt raised, and OSError for a name without an address.
        """
        addresses = await self._addresses()
        for left in range(len(addresses), 1, -1):
            self._turn_to(addresses[-left])
            try:
                return await asyncio.wait_for(attempt(addresses[-left]), (until - time.monotonic()) / left)
            except (asyncio.TimeoutError, OSError):
                continue
        self._turn_to(addresses[-1])
        return await attempt(addresses[-1])

    async def connected(self, until: float) -> socket.socket:
        """A connected socket that does not block; OSError with words for people."""
        connected = await self.first(until, lambda address: self._connect(address, until))
        self.waiting_for = f"{self.where} took the connection, but did not answer"
        return connected

    async def _addresses(self) -> list[Address]:
        if is_local_socket(self._host):
            return [Address(socket.AF_UNIX, self._host, 0)]
        self.waiting_for = f"the name {self._host} was not resolved"
        return await self._lookup.addresses(self._host, self._port)

    def _turn_to(self, address: Address) -> None:
        if address.family != socket.AF_UNIX:
            named = address.host != self._host
            self.where = f"{self._host} ({address})" if named else str(address)
        self.waiting_for = f"{self.where} did not take the connection"

    async def _connect(self, address: Address, until: float) -> socket.socket:
        if address.family == socket.AF_UNIX:
            return await self._connect_locally(address.host, until)
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            connection.settimeout(0)
            await asyncio.get_running_loop().sock_connect(connection, (address.host, address.port))
        except OSError as error:
            connection.close()
            raise met(error, self.where) from error
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connect_locally(self, path: str, until: float) -> socket.socket:
        """In a thread: the path may lie on a dead disk or file server, where even a call that never blocks hangs."""
        hangs = CouldNotCheckError(f"{path} hangs: its disk or file server does not answer")
        if self._local is not None and not self._local.done():
            raise hangs
        left_s = until - time.monotonic()
        patient_until = time.monotonic() + left_s * _QUEUE_SHARE
        self._local = connecting = in_thread(lambda: _connected_locally(path, patient_until))
        try:
            # Given up before the sample is: whoever waits for that would take it for the server's silence.
            return await asyncio.wait_for(asyncio.shield(connecting), left_s * _PATH_SHARE)
        except asyncio.TimeoutError:
            connecting.add_done_callback(_close)
            raise hangs from None
        except asyncio.CancelledError:
            connecting.add_done_callback(_close)
            raise
        except OSError as error:
            raise met(error, self.where) from error


def _connected_locally(path: str, until: float) -> socket.socket:
    """A socket that does not block."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _connect_in_turn(connection, path, until)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_in_turn(connection: socket.socket, path: str, until: float) -> None:
    """Where the server's queue is full, the system says so at once (connect(2)), so it is asked again."""
    connection.settimeout(0)
    while (number := connection.connect_ex(path)) == errno.EAGAIN and time.monotonic() < until:
        time.sleep(_QUEUE_PAUSE_S)
    if number:
        raise OSError(number, os.strerror(number))


def _close(given_up: asyncio.Future[socket.socket]) -> None:
    """What came of it too late."""
    if not given_up.cancelled() and given_up.exception() is None:
        given_up.result().close()
