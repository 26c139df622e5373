"""Hears from the kernel that this virtual machine was set back to a snapshot, or copied from one, while the agent ran.

Linux keeps the identity of a generation to itself. Its driver `vmgenid` says, by an event, that there is another one,
and only to whoever listens at that moment. So a name is made up when that happens, and kept for the boot; before, there
is none. Where there is no such driver, it is too old to say so, or the agent was not there to hear it, a collector that
knows more than the agent still tells (`composing.knows_more`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from detak_agent.private_files import write_private

FILE_NAME = "generation.json"

_log = logging.getLogger("detak_agent")

_DRIVERS = ("sys/bus/platform/drivers/vmgenid", "sys/bus/acpi/drivers/vmgenid")
"""Where the driver shows its device: since Linux 6.10, and before."""

_KERNEL_EVENTS = 15
"""NETLINK_KOBJECT_UEVENT, which Python does not name."""

_FROM_KERNEL = 1
"""The multicast group of what the kernel itself says; udev repeats it in another."""

_NEWS = b"NEW_VMGENID=1"
_MOST_BYTES = 8_192


class Generation(Struct, frozen=True):
    """What this boot's generation is called since it was last told to be another one."""

    boot: str
    name: str


def name_of(state_directory: Path, boot: str) -> str | None:
    """The name that was kept in this boot; None where none was, or it cannot be read."""
    try:
        kept = msgspec.json.decode((state_directory / FILE_NAME).read_bytes(), type=Generation)
    except (OSError, msgspec.DecodeError):
        return None
    return kept.name if kept.boot == boot else None


def keep(state_directory: Path, generation: Generation) -> None:
    """Durable, for the next process in this boot; a disk that does not take it is no reason to stop measuring."""
    path = state_directory / FILE_NAME
    try:
        write_private(path, msgspec.json.encode(generation).decode("ascii") + "\n", state_directory)
    except OSError as error:
        _log.warning("%s: cannot be written: %s; a restart will read as another snapshot", path, error.strerror)


@contextmanager
def listening(
    is_another: Callable[[], None], root: Path = Path("/"), connect: Callable[[], socket.socket] | None = None
) -> Iterator[None]:
    """Calls `is_another` in the running loop when the kernel says so. Without such a device nothing is opened.

    An agent that may not listen (a sandbox without AF_NETLINK) says so once and goes on.
    """
    connection = _connected(connect or _kernel_events) if _has_device(root) else None
    if connection is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(connection, _read, connection, is_another)
    try:
        yield
    finally:
        loop.remove_reader(connection)
        connection.close()


def _has_device(root: Path) -> bool:
    links = (link for driver in _DRIVERS for link in (root / driver).glob("*"))
    return any(link.is_symlink() and link.name != "module" for link in links)


def _connected(connect: Callable[[], socket.socket]) -> socket.socket | None:
    try:
        return connect()
    except OSError as error:
        _log.warning("this virtual machine's generation is not watched: %s", error.strerror or error)
        return None


def _kernel_events() -> socket.socket:
    connection = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _KERNEL_EVENTS)
    try:
        connection.bind((0, _FROM_KERNEL))
    except OSError:
        connection.close()
        raise
    return connection


def _read(connection: socket.socket, is_another: Callable[[], None]) -> None:
    """All that has come. Only the kernel's own words count: it is the one with port 0."""
    while True:
        try:
            message, (port, _) = connection.recvfrom(_MOST_BYTES)
        except OSError:
            # Nothing is left, or more came than there was room for. What is lost is not guessed.
            return
        if port == 0 and _NEWS in message.split(b"\0"):
            is_another()
