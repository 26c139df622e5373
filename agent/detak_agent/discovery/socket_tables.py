"""Parses the kernel's tables of sockets, proc_net(5) in proc(5). It reads no file."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detak_agent.discovery.facts import Protocol

_LISTENS = "0A"
_NO_PEER = "07"
_ACCEPTS = 0x10000
_MOVED = re.compile(r"\.\d+\.tmp$")


@dataclass(frozen=True, slots=True)
class PortRow:
    """One port that is listened on, and the inode by which its holder is found."""

    protocol: Protocol
    address: str
    port: int
    uid: int
    inode: int


def parse_ports(lines: Iterable[str], protocol: Protocol) -> Iterator[PortRow]:
    """From /proc/net/{tcp,tcp6,udp,udp6}: those that listen, or as UDP has it, are bound and have no peer."""
    wanted = _LISTENS if protocol == "tcp" else _NO_PEER
    for line in lines:
        fields = line.split()
        if len(fields) < 10 or fields[3] != wanted:
            continue
        address, _, port = fields[1].partition(":")
        yield PortRow(protocol, _address(address), int(port, 16), int(fields[7]), int(fields[9]))


def _address(text: str) -> str:
    """The kernel writes each 32-bit word of an address as a number in its own byte order."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def parse_local_sockets(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    """From /proc/net/unix: path and inode of those that take connections and have a path in the file system."""
    for line in lines:
        fields = line.rstrip("\n").split(maxsplit=7)
        if len(fields) == 8 and fields[7].startswith("/") and _is_hex(fields[3]) and int(fields[3], 16) & _ACCEPTS:
            # HAProxy binds under another name and renames: the kernel remembers the first one.
            yield _MOVED.sub("", fields[7]), int(fields[6])


def _is_hex(text: str) -> bool:
    return all(character in "0123456789ABCDEFabcdef" for character in text)
