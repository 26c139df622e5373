"""Reads the facts: /proc, systemd's run-time directory, mounts, name servers' files. Everything is bounded.

It asks nobody, connects to nothing, and what it may not see it leaves out and counts.
"""

from __future__ import annotations

import contextlib
import grp
import itertools
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from detak_agent.checks.filesystems import Filesystems
from detak_agent.checks.kinds.process.table import Process, ProcessTable
from detak_agent.discovery.facts import (
    EVERYBODY,
    NOBODY,
    Balancer,
    Facts,
    Listener,
    LocalSocket,
    RunningProcess,
)
from detak_agent.discovery.server_files import balancer_of, parse_ups_names
from detak_agent.discovery.socket_tables import PortRow, parse_local_sockets, parse_ports
from detak_agent.discovery.zones import zones_of_bind, zones_of_nsd

T = TypeVar("T")

MOST_PROCESSES = 20_000
MOST_DESCRIPTORS = 20_000
MOST_LINES = 500_000
MOST_LISTENERS = 2_000
MOST_BYTES = 256 * 1024

_PORT_TABLES: tuple[tuple[str, Literal["tcp", "udp"]], ...] = (
    ("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp"),
)  # fmt: skip
_NETWORK_TYPES = frozenset({"ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3"})
_MOST_MOUNTS = 16
_SOCKET = re.compile(r"^socket:\[(\d+)\]$")
_CONTAINER = re.compile(
    r"(?:docker|libpod|crio|containerd|buildkit)[-/:]+([0-9a-f]{8,64})|(kubepods|/lxc[./][^/]+|/machine\.slice/[^/]+)"
)
_DELETED = " (deleted)"
_TEMPLATE = re.compile(r"@.*\.(\w+)$")
_OWN_UNITS = "etc/systemd/system"


def read_facts(root: Path = Path("/")) -> Facts:
    """All that can be seen of this machine. Raises OSError only where there is no /proc."""
    return _Reader(root).facts()


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._table = ProcessTable(root)
        self._cut: list[str] = []

    def facts(self) -> Facts:
        processes = tuple(self._processes())
        ports = self._bounded(self._ports(), MOST_LISTENERS, "ports")
        local = self._bounded(self._local_sockets(), MOST_LISTENERS, "local sockets")
        holders = self._holders({row.inode for row in ports} | {inode for _, inode in local}, processes)
        return Facts(
            host=self._text("proc/sys/kernel/hostname").strip(),
            system=self._system(),
            machine=self._machine(),
            systemd=(self._root / "run/systemd/system").is_dir(),
            processes=processes,
            listeners=self._listeners(ports, holders),
            local_sockets=tuple(
                LocalSocket(path, holders.get(inode, ()), self._group(path)) for path, inode in sorted(local)
            ),
            own_units=tuple(self._units_of_this_machine()),
            network_mounts=tuple(self._network_mounts()),
            zones=self._zones(processes),
            balancer=self._balancer(processes),
            ups_names=self._ups_names(),
            has_controller=any((self._root / path).exists() for path in ("dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0")),
            ephemeral=self._ephemeral(),
            own_container=_place(self._text("proc/self/cgroup"))[1],
            is_root=os.geteuid() == 0,
            hidden=not self._table.shows_others(),
            cut=tuple(self._cut),
        )

    def _processes(self) -> Iterator[RunningProcess]:
        pids = sorted(set(self._table.pids()) - {os.getpid()})
        for pid in self._bounded(pids, MOST_PROCESSES, "processes"):
            found = self._table.find(pid)
            if isinstance(found, Process) and found.runs and (arguments := self._table.command_line(pid)):
                yield self._process(found, arguments)

    def _process(self, found: Process, arguments: list[str]) -> RunningProcess:
        here = self._root / "proc" / str(found.pid)
        program, uid = "", 0
        with contextlib.suppress(OSError):
            program = os.readlink(here / "exe").removesuffix(_DELETED).rpartition("/")[2]  # noqa: PTH115 - as it stands
        with contextlib.suppress(OSError):
            uid = here.stat().st_uid
        unit, container = _place(self._text(f"proc/{found.pid}/cgroup"))
        return RunningProcess(found.pid, found.parent, found.name, tuple(arguments), program, uid, unit, container)

    def _ports(self) -> Iterator[PortRow]:
        for name, protocol in _PORT_TABLES:
            yield from parse_ports(self._lines(f"proc/net/{name}"), protocol)

    def _local_sockets(self) -> Iterator[tuple[str, int]]:
        return parse_local_sockets(self._lines("proc/net/unix"))

    def _listeners(self, ports: list[PortRow], holders: dict[int, tuple[int, ...]]) -> tuple[Listener, ...]:
        joined: dict[tuple[str, str, int], Listener] = {}
        for row in ports:
            key = (row.protocol, row.address, row.port)
            before = joined[key].pids if key in joined else ()
            pids = tuple(sorted({*before, *holders.get(row.inode, ())}))
            joined[key] = Listener(row.protocol, row.address, row.port, pids, row.uid)
        return tuple(joined[key] for key in sorted(joined))

    def _holders(self, inodes: set[int], processes: Iterable[RunningProcess]) -> dict[int, tuple[int, ...]]:
        """The processes that hold each socket. Other users' descriptors are open to root only."""
        found: dict[int, list[int]] = {}
        for process in processes:
            for inode in self._sockets_of(process.pid) & inodes:
                found.setdefault(inode, []).append(process.pid)
        return {inode: tuple(pids) for inode, pids in found.items()}

    def _sockets_of(self, pid: int) -> set[int]:
        found = set()
        with contextlib.suppress(OSError), os.scandir(self._root / "proc" / str(pid) / "fd") as entries:
            for entry in itertools.islice(entries, MOST_DESCRIPTORS):
                with contextlib.suppress(OSError):
                    socket = _SOCKET.match(os.readlink(entry.path))  # noqa: PTH115 - no path is meant
                    if socket:
                        found.add(int(socket[1]))
        return found

    def _units_of_this_machine(self) -> list[str]:
        """Running services and enabled timers whose file, or whose template's, is no link: somebody wrote it here."""
        folder = self._root / _OWN_UNITS
        try:
            written = {path.name for path in folder.iterdir() if not path.is_symlink()}
        except OSError:
            return []
        running = {path.name.partition(":")[2] for path in (self._root / "run/systemd/units").glob("invocation:*")}
        enabled = {path.name for path in folder.glob("*.wants/*.timer")}
        own = {unit for unit in running | enabled if unit in written or _TEMPLATE.sub(r"@.\1", unit) in written}
        units = {unit for unit in own if unit.endswith((".service", ".timer"))}
        return sorted(unit for unit in units if f"{unit.removesuffix('.service')}.timer" not in units)

    def _network_mounts(self) -> list[str]:
        try:
            mounts = Filesystems(self._root).mounts()
        except OSError:
            return []
        return sorted({mount.path for mount in mounts if mount.type in _NETWORK_TYPES})[:_MOST_MOUNTS]

    def _zones(self, processes: Iterable[RunningProcess]) -> dict[str, tuple[str, ...]]:
        readers = {"named": zones_of_bind, "nsd": zones_of_nsd}
        found: dict[str, tuple[str, ...]] = {}
        for process in processes:
            for name, zones in readers.items():
                if name in process.names:
                    found[name] = found.get(name) or zones(process, self._file)
        return found

    def _balancer(self, processes: Iterable[RunningProcess]) -> Balancer:
        found = [balancer_of(process, self._file) for process in processes if "haproxy" in process.names]
        return next((one for one in found if one.backends), Balancer())

    def _ups_names(self) -> tuple[str, ...]:
        return next(
            (names for path in ("etc/nut", "etc/ups") if (names := parse_ups_names(self._text(f"{path}/ups.conf")))), ()
        )

    def _group(self, path: str) -> str:
        try:
            status = (self._root / path.lstrip("/")).stat()
            if status.st_mode & stat.S_IWOTH:
                return EVERYBODY
            return grp.getgrgid(status.st_gid).gr_name if status.st_mode & stat.S_IWGRP else NOBODY
        except (OSError, KeyError):
            return NOBODY

    def _file(self, path: str) -> str:
        return self._text(path.lstrip("/"))

    def _system(self) -> str:
        found = re.search(r'^PRETTY_NAME="?([^"\n]*)', self._text("etc/os-release"), re.MULTILINE)
        return found[1] if found else "Linux"

    def _machine(self) -> Literal["", "container", "virtual machine"]:
        if any((self._root / mark).exists() for mark in ("run/systemd/container", ".dockerenv", "run/.containerenv")):
            return "container"
        is_virtual = re.search(r"^flags\s*:.*\bhypervisor\b", self._text("proc/cpuinfo"), re.MULTILINE)
        return "virtual machine" if is_virtual else ""

    def _ephemeral(self) -> tuple[int, int]:
        words = self._text("proc/sys/net/ipv4/ip_local_port_range").split()
        low, high = words if len(words) == 2 else ("32768", "60999")
        return int(low), int(high)

    def _text(self, path: str) -> str:
        """The beginning of a file; nothing where it cannot be read."""
        try:
            with (self._root / path).open("rb") as file:
                return file.read(MOST_BYTES).decode(errors="surrogateescape")
        except OSError:
            return ""

    def _lines(self, path: str) -> Iterator[str]:
        with contextlib.suppress(OSError), (self._root / path).open(errors="surrogateescape") as file:
            yield from itertools.islice(file, MOST_LINES)

    def _bounded(self, found: Iterable[T], most: int, what: str) -> list[T]:
        kept = list(itertools.islice(found, most + 1))
        if len(kept) > most:
            self._cut.append(f"only the first {most} {what} were looked at")
        return kept[:most]


def _place(cgroups: str) -> tuple[str, str]:
    """The systemd service and the container that a process belongs to, by its control groups, cgroups(7)."""
    paths = [line.split(":", 2)[2] for line in cgroups.splitlines() if re.match(r"^\d+:(?:name=systemd)?:", line)]
    for path in paths:
        container = _CONTAINER.search(path)
        if container:
            return "", container[1] or container[2]
        unit = next((part for part in path.split("/") if part.endswith(".service")), "")
        if unit and "/user.slice/" not in path:
            return unit, ""
    return "", ""
