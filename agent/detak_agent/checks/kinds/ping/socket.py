"""ICMP echo requests and their replies (RFC 792, RFC 4443) over one connected socket, timed by the monotonic clock.

It is our own because a library for it (icmplib) times round trips and time-outs by the wall clock, which may be set.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
import time

from detak_agent.checks.addresses import Address
from detak_agent.checks.base import CouldNotCheckError

_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}

# From linux/in.h, in6.h, icmp.h and icmpv6.h; Python has no names for them.
_RECEIVE_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_SOL_RAW, _ICMP_FILTER = 255, 1
_ICMP6_FILTER = 1

_TOKEN_BYTES = 16
_PAYLOAD_BYTES = 56
_MOST_BYTES = 2_048
_ABOUT_BYTES = 512

_EXTENDED_ERROR = struct.Struct("=IBBBxII")
_FROM_ICMP = (2, 3)  # SO_EE_ORIGIN_ICMP and _ICMP6 of linux/errqueue.h
_ADDRESS_AT = {socket.AF_INET: (4, 8), socket.AF_INET6: (8, 24)}  # in a sockaddr

_REFUSALS = {
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ECONNREFUSED: "it refuses ICMP (port unreachable)",
    errno.ENOPROTOOPT: "it refuses ICMP (protocol unreachable)",
    errno.EACCES: "a firewall or a route forbids it",
    errno.EINVAL: "this machine has no usable route to it",
    errno.EPROTO: "a problem with the packet",
    errno.EMSGSIZE: "the packet is too large for the way",
}

NO_RIGHT = (
    "this agent may not send ICMP: let the sysctl net.ipv4.ping_group_range include its group (it serves IPv6 too), "
    "or give its service CAP_NET_RAW (AmbientCapabilities= and CapabilityBoundingSet=)"
)


class Echoes:
    """Echo requests to one address over a socket, to be closed. Only this socket's own replies count."""

    def __init__(self, address: Address) -> None:
        self.rtts_ms: list[float] = []
        self.refusal = ""
        """What a router on the way or this machine's own routes said last against a request."""
        self._family = address.family
        self._address = address.host
        self._token = os.urandom(_TOKEN_BYTES)
        self._sent_at: dict[int, float] = {}
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._all_sent = False
        self._settled = asyncio.Event()
        self._fault: OSError | None = None
        self._socket, self._raw = _open(address.family)

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()

    async def exchange(self, count: int, gap_s: float, until: float) -> None:
        """Send `count` requests `gap_s` apart and wait for their replies, at most until `until` (time.monotonic())."""
        loop = asyncio.get_running_loop()
        begin = time.monotonic()
        if not self._connected():
            return
        loop.add_reader(self._socket, self._readable)
        try:
            for sequence in range(count):
                await asyncio.sleep(begin + sequence * gap_s - time.monotonic())
                self._send(sequence)
            self._all_sent = True
            self._take_stock()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), until - time.monotonic())
        finally:
            loop.remove_reader(self._socket)
        if self._fault is not None:
            raise self._fault

    def _connected(self) -> bool:
        try:
            self._socket.connect((self._address, 0))
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            self.refusal = _REFUSALS[error.errno]
            return False
        return True

    def _send(self, sequence: int) -> None:
        body = self._token.ljust(_PAYLOAD_BYTES, b".")
        packet = _HEADER.pack(_REQUEST[self._family], 0, 0, self._identifier, sequence) + body
        if self._raw and self._family == socket.AF_INET:
            # For the other sockets the kernel does it.
            packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
        self._sent_at[sequence] = time.monotonic()
        try:
            self._socket.send(packet)
        except OSError as error:
            # It may tell of an earlier request; this one was not sent either way.
            del self._sent_at[sequence]
            self._met(error)

    def _readable(self) -> None:
        now = time.monotonic()
        try:
            while True:
                self._heard(self._socket.recv(_MOST_BYTES), now)
        except BlockingIOError:
            pass
        except OSError as error:
            self._met(error)
        self._take_stock()

    def _heard(self, packet: bytes, now: float) -> None:
        sequence = self._sequence_of(packet)
        sent_at = self._sent_at.pop(sequence, None) if sequence is not None else None
        if sent_at is not None:
            self.rtts_ms.append((now - sent_at) * 1_000)

    def _take_stock(self) -> None:
        if self._fault is not None or (self._all_sent and not self._sent_at):
            self._settled.set()

    def _met(self, error: OSError) -> None:
        """Notes what routers or routes said; an error that none of them makes is this machine's own fault."""
        self._read_errors()
        if error.errno not in _REFUSALS:
            self._fault = error
        elif not self.refusal:
            self.refusal = _REFUSALS[error.errno]

    def _read_errors(self) -> None:
        """Empties the queue of ICMP errors, without which the socket would be readable for ever."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, about, _, _ = self._socket.recvmsg(_MOST_BYTES, _ABOUT_BYTES, socket.MSG_ERRQUEUE)
                if about and len(packet) >= _HEADER.size:
                    self._refused(packet, about[0][2])

    def _refused(self, packet: bytes, about: bytes) -> None:
        """Some routers quote no more than the header of a packet: there is no token to know it by."""
        *_, identifier, sequence = _HEADER.unpack_from(packet)
        # A raw socket hears of other programs' packets too; with the other kind the kernel sets the identifier.
        if identifier == self._identifier or not self._raw:
            self._sent_at.pop(sequence, None)
            self.refusal = _told(about)

    def _sequence_of(self, packet: bytes) -> int | None:
        """The sequence number, if this is a reply to one of this socket's own requests."""
        if self._raw and self._family == socket.AF_INET and packet:
            packet = packet[(packet[0] & 0x0F) * 4 :]
        if len(packet) < _HEADER.size + _TOKEN_BYTES:
            return None
        kind, _, _, _, sequence = _HEADER.unpack_from(packet)
        if kind != _REPLY[self._family] or packet[_HEADER.size :][:_TOKEN_BYTES] != self._token:
            return None
        return int(sequence)


def _told(about: bytes) -> str:
    """Who refused and why, from a struct sock_extended_err and the address behind it (ip(7))."""
    number, origin, _, _, _, _ = _EXTENDED_ERROR.unpack_from(about)
    words = _REFUSALS.get(number, os.strerror(number))
    host = about[_EXTENDED_ERROR.size :]
    if origin not in _FROM_ICMP or len(host) < _ADDRESS_AT[socket.AF_INET][1]:
        return words
    family = socket.AF_INET if origin == _FROM_ICMP[0] else socket.AF_INET6
    begin, end = _ADDRESS_AT[family]
    return f"{words}, says {socket.inet_ntop(family, host[begin:end])}"


def _open(family: socket.AddressFamily) -> tuple[socket.socket, bool]:
    """A socket, and whether it is the raw one: that needs CAP_NET_RAW, and the other only a group that may."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            opened = socket.socket(family, kind, _PROTOCOL[family])
        except PermissionError:
            continue
        raw = kind == socket.SOCK_RAW
        opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        # Else the kernel keeps to itself what routers say.
        opened.setsockopt(*_RECEIVE_ERRORS[family], 1)
        if raw:
            _hear_replies_only(opened)
        return opened, raw
    raise CouldNotCheckError(NO_RIGHT)


def _hear_replies_only(opened: socket.socket) -> None:
    """A raw socket gets a copy of everything; a set bit keeps that type away."""
    if opened.family == socket.AF_INET:
        opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << _REPLY[socket.AF_INET]) & 0xFFFF_FFFF))
        return
    blocked = [0xFFFF_FFFF] * 8
    kind = _REPLY[socket.AF_INET6]
    blocked[kind // 32] &= ~(1 << kind % 32)
    opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *blocked))


def checksum(packet: bytes) -> int:
    """The internet checksum (RFC 1071), of a packet with an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total
