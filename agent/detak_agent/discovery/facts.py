"""What discovery knows of a machine, as plain values. Nothing here reads anything."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["tcp", "udp"]

LOOPBACK = "127.0.0.1"
LOOPBACK_V6 = "::1"
FIRST_PROCESS = 1
EVERYBODY = "*"
NOBODY = ""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """One process. `program` is its executable's file name, empty where it cannot be seen.

    `unit` is the systemd service that it belongs to, `container` the container, each empty where there is none.
    """

    pid: int
    parent: int
    name: str
    arguments: tuple[str, ...] = ()
    program: str = ""
    uid: int = 0
    unit: str = ""
    container: str = ""

    @property
    def command(self) -> str:
        """Its command line as the kind `process` compares it."""
        return " ".join(self.arguments)

    @property
    def names(self) -> frozenset[str]:
        """What it may be called: many servers rewrite one or the other."""
        first = self.arguments[0].split(" ", 1)[0] if self.arguments else ""
        return frozenset({self.name, self.program, first.rpartition("/")[2].rstrip(":")}) - {""}


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that is listened on. `pids` are those who hold the socket, none where that cannot be seen."""

    protocol: Protocol
    address: str
    port: int
    pids: tuple[int, ...] = ()
    uid: int = 0

    @property
    def is_everywhere(self) -> bool:
        """Whether it is reached at every address of its family."""
        return ipaddress.ip_address(self.address).is_unspecified

    @property
    def is_v6(self) -> bool:
        return ":" in self.address

    @property
    def place(self) -> str:
        """For people."""
        host = f"[{self.address}]" if self.is_v6 else self.address
        return f"{'*' if self.is_everywhere and not self.is_v6 else host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LocalSocket:
    """A Unix socket that is listened on. `group` may use it: EVERYBODY, NOBODY but its owner, or a group's name."""

    path: str
    pids: tuple[int, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Balancer:
    """What HAProxy's files say: the paths of its sockets for statistics, and its backends."""

    sockets: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it."""

    host: str = ""
    system: str = ""
    machine: Literal["", "container", "virtual machine"] = ""
    systemd: bool = False
    processes: tuple[RunningProcess, ...] = ()
    listeners: tuple[Listener, ...] = ()
    local_sockets: tuple[LocalSocket, ...] = ()
    own_units: tuple[str, ...] = ()
    """Running services and enabled timers whose files somebody wrote into /etc/systemd/system."""
    network_mounts: tuple[str, ...] = ()
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What name servers serve, by the name of the program."""
    balancer: Balancer = Balancer()
    ups_names: tuple[str, ...] = ()
    has_controller: bool = False
    """Whether there is a management controller that IPMI reaches from here."""
    ephemeral: tuple[int, int] = (32_768, 60_999)
    """The ports that the kernel gives out by itself: who listens on one may have another after the next start."""
    own_container: str = ""
    is_root: bool = True
    hidden: bool = False
    """Whether the kernel hides other users' processes."""
    cut: tuple[str, ...] = ()
    """What there was too much of to read all."""

    @property
    def unseen(self) -> int:
        """How many ports there are whose holder could not be seen."""
        return sum(not listener.pids for listener in self.listeners)


def hosts_of(listener: Listener) -> tuple[str, ...]:
    """Where to reach it from this machine, the likeliest first: most servers on `::` take IPv4 too, some do not."""
    if not listener.is_everywhere:
        return (listener.address,)
    return (LOOPBACK, LOOPBACK_V6) if listener.is_v6 else (LOOPBACK,)


def one_for_each_port(listeners: tuple[Listener, ...]) -> list[Listener]:
    """Of those on one port the one to check: everywhere, else where others reach it, else loopback; IPv4 first."""
    chosen: dict[tuple[int, str], Listener] = {}
    for listener in sorted(listeners, key=_preference):
        if not ipaddress.ip_address(listener.address.partition("%")[0]).is_link_local:
            chosen.setdefault((listener.port, listener.protocol), listener)
    return [chosen[key] for key in sorted(chosen)]


def _preference(listener: Listener) -> tuple[bool, bool, bool, str]:
    address = ipaddress.ip_address(listener.address)
    return (not listener.is_everywhere, address.is_loopback, listener.is_v6, listener.address)
