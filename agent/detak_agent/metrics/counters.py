"""The kernel's counters of block devices and network interfaces, and which of them matter: parsing only.

A counter that the kernel does not give is not there; what cannot be parsed raises ValueError or IndexError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SECTOR_BYTES = 512
"""In /proc/diskstats, whatever the device's own sectors are."""

_LAYERED_DEVICES = ("dm-", "fd", "loop", "md", "ram", "sr", "zram")
"""What they do is counted by the devices below them, or never reaches any."""

_INNER_INTERFACES = (
    "br-", "cali", "cilium", "cni", "docker", "dummy", "flannel", "fwbr", "fwln", "fwpr", "gre", "ifb", "ip6tnl",
    "ip_vti", "kube-", "lxc", "nodelocaldns", "sit", "tap", "tunl", "veth", "virbr", "vnet",
)  # fmt: skip
"""Bridges, tunnels and the ends of containers: what they carry beyond this machine passes a real one as well."""

_PARTITION = re.compile(r"^(?P<of>.*[0-9])p[0-9]+$|^(?P<plain>.*[^0-9])[0-9]+$")


@dataclass(frozen=True, slots=True)
class Device:
    """A block device since the start of the kernel. `busy_ms`: how long at least one request was under way."""

    read_bytes: int
    written_bytes: int
    busy_ms: int


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface since it was made. Errors are those of both directions; dropped packets are none."""

    received_bytes: int
    sent_bytes: int
    errors: int


def parse_devices(text: str) -> dict[str, Device]:
    """From /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst): whole devices only."""
    rows = [line.split() for line in text.splitlines()]
    names = {row[2] for row in rows if len(row) > 12}
    return {row[2]: _device(row) for row in rows if row[2] in names and _is_whole(row[2], names)}


def _device(row: list[str]) -> Device:
    return Device(int(row[5]) * _SECTOR_BYTES, int(row[9]) * _SECTOR_BYTES, int(row[12]))


def _is_whole(name: str, names: Iterable[str]) -> bool:
    """A partition is named after its device, which is listed too: sda1 of sda, nvme0n1p2 of nvme0n1."""
    found = _PARTITION.match(name)
    is_partition = found is not None and (found["of"] or found["plain"]) in names
    return not is_partition and not name.startswith(_LAYERED_DEVICES)


def parse_interfaces(text: str) -> dict[str, Interface]:
    """From /proc/net/dev, proc(5): those that lead out of this machine."""
    rows = [line.partition(":") for line in text.splitlines()[2:]]
    named = [(name.strip(), fields.split()) for name, _, fields in rows]
    return {name: _interface(fields) for name, fields in named if fields and _leads_out(name)}


def _leads_out(name: str) -> bool:
    return name != "lo" and not name.startswith(_INNER_INTERFACES)


def _interface(fields: list[str]) -> Interface:
    received, received_errors, sent, sent_errors = (int(fields[at]) for at in (0, 2, 8, 10))
    return Interface(received, sent, received_errors + sent_errors)


def parse_resident_pages(text: str) -> int:
    """From /proc/self/statm, proc(5): the pages of this process that are in memory."""
    return int(text.split()[1])
