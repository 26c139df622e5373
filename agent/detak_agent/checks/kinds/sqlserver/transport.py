"""What the SQL Server driver takes for its socket: one connection, in TLS where wanted, that ends when it is told to.

SQL Server does the TLS handshake inside its own packets (MS-TDS, 2.2.6.5 and 3.2.5.1). The driver could do it with a
further library only, and compares names loosely; here the standard library does it, before any password is sent.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeVar

_PRELOGIN, _REPLY = 0x12, 0x04
_LAST = 0x01
_HEADER = struct.Struct(">BBHHBB")
_OPTION = struct.Struct(">BHH")
_ENCRYPTION, _TERMINATOR = 0x01, 0xFF
_ENCRYPT_ON, _ENCRYPT_NOT_SUPPORTED, _ENCRYPT_REQUIRED = 1, 2, 3
_PART_BYTES = 16_384

T = TypeVar("T")


class LostError(Exception):
    """The connection is gone, with the system's error if there was one. No OSError, at which the driver would retry."""

    def __init__(self, error: OSError | None = None) -> None:
        super().__init__(str(error or "closed"))
        self.error = error


class NotSqlServerError(Exception):
    """What came is no answer of a SQL Server; in words that follow its name."""


class UntrustedError(Exception):
    """TLS failed; `error` says how. Not itself an OSError, at which the driver would retry."""

    def __init__(self, error: ssl.SSLError) -> None:
        super().__init__(str(error))
        self.error = error


class Transport:
    """A connected, blocking socket as the driver wants it; `hang_up` from another thread ends whatever it waits for."""

    def __init__(self, connected: socket.socket, context: ssl.SSLContext | None, server_name: str) -> None:
        self._socket = connected
        self._context = context
        self._server_name = server_name
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._ready = b""
        """What was received and is still to be handed to the driver: the answer that has been looked into."""

    def hang_up(self) -> None:
        """End the connection for both sides."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def setsockopt(self, *option: int) -> None:
        """As a socket does."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(*option)

    def settimeout(self, _seconds: float | None) -> None:
        """Whoever began the sample hangs up in time: no single read needs a limit."""

    def gettimeout(self) -> None:
        """There is none."""

    def sendall(self, data: bytes, _flags: int = 0) -> None:
        """As a socket does; the driver's first message asks for encryption, where it is wanted."""
        data = bytes(data)
        if self._tls is not None:
            self._tls.write(data)
            self._flush()
        elif self._context is not None and data[:1] == bytes([_PRELOGIN]):
            self._send(with_encryption(data, _ENCRYPT_ON))
            self._ready = self._encrypted(self._packet(), self._context)
        else:
            self._send(data)

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, _flags: int = 0) -> int:
        """As a socket does."""
        part = self.recv(size or len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def recv(self, size: int, _flags: int = 0) -> bytes:
        """As a socket does; LostError at the end."""
        if self._ready:
            part, self._ready = self._ready[:size], self._ready[size:]
            return part
        if self._tls is None:
            return self._receive(size)
        tls = self._tls
        part = self._driven(lambda: tls.read(size), self._from_the_network)
        if not part:
            raise LostError
        return part

    def _encrypted(self, answer: bytes, context: ssl.SSLContext) -> bytes:
        """Do the handshake as the server's answer says; what is returned tells the driver to leave that to us."""
        if encryption_of(answer) not in {_ENCRYPT_ON, _ENCRYPT_REQUIRED}:
            raise NotSqlServerError("offers no TLS, and tls = true asks for it")
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=self._server_name)
        self._driven(tls.do_handshake, self._from_packets, self._to_packets)
        self._tls = tls
        return with_encryption(answer, _ENCRYPT_NOT_SUPPORTED)

    def _driven(self, step: Callable[[], T], fetch: Callable[[], None], flush: Callable[[], None] | None = None) -> T:
        flush = flush or self._flush
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:  # noqa: PERF203 - the loop is the protocol
                flush()
                fetch()
            except ssl.SSLError as error:
                # The server learns why from the alert that is left to send.
                with contextlib.suppress(LostError):
                    flush()
                raise UntrustedError(error) from None
            else:
                flush()
                return done

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read())

    def _to_packets(self) -> None:
        if self._outgoing.pending:
            payload = self._outgoing.read()
            self._send(_HEADER.pack(_PRELOGIN, _LAST, _HEADER.size + len(payload), 0, 0, 0) + payload)

    def _from_the_network(self) -> None:
        self._incoming.write(self._receive(_PART_BYTES))

    def _from_packets(self) -> None:
        self._incoming.write(self._packet()[_HEADER.size :])

    def _packet(self) -> bytes:
        """One whole packet of the handshake."""
        header = self._exactly(_HEADER.size)
        kind, _, length, *_ = _HEADER.unpack(header)
        if kind not in {_PRELOGIN, _REPLY} or length <= _HEADER.size:
            raise NotSqlServerError("does not speak SQL Server's protocol")
        return header + self._exactly(length - _HEADER.size)

    def _exactly(self, length: int) -> bytes:
        heard = b""
        while len(heard) < length:
            heard += self._receive(length - len(heard))
        return heard

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LostError(error) from error

    def _receive(self, size: int) -> bytes:
        try:
            part = self._socket.recv(size)
        except OSError as error:
            raise LostError(error) from error
        if not part:
            raise LostError
        return part


def encryption_of(packet: bytes) -> int:
    """What a PRELOGIN packet says of encryption; NotSqlServerError if it is none."""
    return packet[_place_of_encryption(packet)]


def with_encryption(packet: bytes, value: int) -> bytes:
    """The same packet, saying something else of encryption."""
    place = _place_of_encryption(packet)
    return packet[:place] + bytes([value]) + packet[place + 1 :]


def _place_of_encryption(packet: bytes) -> int:
    """Where it stands: the options are a table of kind, offset and length, after the header of the packet."""
    at = _HEADER.size
    while at + _OPTION.size <= len(packet) and packet[at] != _TERMINATOR:
        kind, offset, length = _OPTION.unpack_from(packet, at)
        place = _HEADER.size + offset
        if kind == _ENCRYPTION and length and place < len(packet):
            return int(place)
        at += _OPTION.size
    raise NotSqlServerError("does not speak SQL Server's protocol")
