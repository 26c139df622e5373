"""How a connection in plain text is asked to go on in TLS, protocol by protocol. It never signs in.

MySQL is missing on purpose: its servers count a connection that is given up after the handshake as a fault of the host,
and lock a host out that made too many of them (`max_connect_errors`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from detak_agent.checks.certificates import elements
from detak_agent.checks.kinds.tls.connection import Connection, PeerError

MOST_LINES = 100
SHOWN_CHARACTERS = 120

_LDAP_START = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"  # RFC 4511, 4.14
_LDAP_EXTENDED_RESPONSE = 0x78
_POSTGRESQL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # protocol-message-formats: SSLRequest

_GREETING = "took the connection, but did not greet"
_NO_ANSWER = "did not answer to STARTTLS"


async def _smtp(connection: Connection) -> None:
    """RFC 3207."""
    await _replied(connection, "220", "greeted")
    own = connection.own_host
    connection.awaited = "greeted, but did not answer to EHLO"
    await connection.send(f"EHLO [{'IPv6:' if ':' in own else ''}{own}]\r\n".encode())
    offered = await _replied(connection, "250", "answered to EHLO")
    if not any(line[4:].strip().upper() == "STARTTLS" for line in offered):
        raise PeerError("does not offer STARTTLS")
    await _asked(connection, "STARTTLS")
    await _replied(connection, "220", "answered to STARTTLS")


async def _ftp(connection: Connection) -> None:
    """RFC 4217."""
    await _replied(connection, "220", "greeted")
    await _asked(connection, "AUTH TLS")
    await _replied(connection, "234", "answered to AUTH TLS")


async def _replied(connection: Connection, code: str, what: str) -> list[str]:
    """The lines of a reply with three digits, which must be `code`: `250-first`, `250 last`."""
    lines: list[str] = []
    while len(lines) < MOST_LINES:
        lines.append(await connection.line())
        if lines[-1][:3] != code and (len(lines) == 1 or lines[-1][:3].isdigit()):
            raise _unwanted(what, lines[-1])
        if lines[-1][:4].rstrip() == code:
            return lines
    raise PeerError(f"{what} with more than {MOST_LINES} lines")


async def _imap(connection: Connection) -> None:
    """RFC 3501, 6.2.1."""
    greeting = await connection.line()
    if not greeting.upper().startswith("* OK"):
        raise _unwanted("greeted", greeting)
    await _asked(connection, "detak STARTTLS")
    for _ in range(MOST_LINES):
        line = await connection.line()
        if line.startswith("detak "):
            if line.upper().startswith("DETAK OK"):
                return
            raise _unwanted("answered to STARTTLS", line)
    raise PeerError(f"answered to STARTTLS with more than {MOST_LINES} lines")


async def _pop3(connection: Connection) -> None:
    """RFC 2595, 4."""
    greeting = await connection.line()
    if not greeting.startswith("+OK"):
        raise _unwanted("greeted", greeting)
    await _asked(connection, "STLS")
    answer = await connection.line()
    if not answer.startswith("+OK"):
        raise _unwanted("answered to STLS", answer)


async def _ldap(connection: Connection) -> None:
    """RFC 4511, 4.14.1: an extended request, whose response must have the result code 0."""
    connection.awaited = _NO_ANSWER
    await connection.send(_LDAP_START)
    head = await connection.exactly(2)
    if head[0] != 0x30 or head[1] >= 0x80:
        raise PeerError(f"answered to STARTTLS with something that is not LDAP: {head!r}")
    try:
        _, (tag, response) = elements(await connection.exactly(head[1]))
        code = next(elements(response))[1]
    except (ValueError, IndexError, StopIteration):
        raise PeerError("answered to STARTTLS with something that is not LDAP") from None
    if tag != _LDAP_EXTENDED_RESPONSE or code != b"\x00":
        raise PeerError(f"refuses STARTTLS with LDAP result code {int.from_bytes(code, 'big')}")


async def _postgresql(connection: Connection) -> None:
    """SSLRequest: one letter comes back."""
    connection.awaited = "took the connection, but did not answer to the request for TLS"
    await connection.send(_POSTGRESQL_REQUEST)
    answer = await connection.exactly(1)
    if answer == b"N":
        raise PeerError("does not offer TLS (PostgreSQL's setting ssl is off)")
    if answer != b"S":
        raise PeerError(f"answered to the request for TLS with {answer!r}, as PostgreSQL does not")


async def _asked(connection: Connection, words: str) -> None:
    connection.awaited = _NO_ANSWER
    await connection.send(f"{words}\r\n".encode())


def _unwanted(what: str, line: str) -> PeerError:
    return PeerError(f"{what} with {line[:SHOWN_CHARACTERS]!r}")


_UPGRADES: Mapping[str, Callable[[Connection], Awaitable[None]]] = MappingProxyType(
    {"smtp": _smtp, "imap": _imap, "pop3": _pop3, "ftp": _ftp, "ldap": _ldap, "postgresql": _postgresql}
)


async def upgrade(connection: Connection, protocol: str) -> None:
    """Agree with the server to go on in TLS; PeerError says how it refused."""
    connection.awaited = _GREETING
    await _UPGRADES[protocol](connection)
