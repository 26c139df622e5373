"""Whether a thing works, asked as its users would, in a few milliseconds: for what the laboratory knows to be true."""

from __future__ import annotations

import http.client
import socket
import ssl

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

_WITHIN_S = 0.8


def takes_connections(host: str, port: int) -> bool:
    """TCP."""
    try:
        socket.create_connection((host, port), _WITHIN_S).close()
    except OSError:
        return False
    return True


def serves(host: str, port: int, holds: str, authority: str | None = None) -> bool:
    """HTTP, with TLS where an authority is named: a good page that holds this."""
    context = ssl.create_default_context(cafile=authority) if authority else None
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_WITHIN_S, context=context)
        if context
        else http.client.HTTPConnection(host, port, timeout=_WITHIN_S)
    )
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status == 200 and holds in answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def shakes_hands(host: str, port: int, authority: str) -> bool:
    """TLS with a certificate that is good now and for this host."""
    context = ssl.create_default_context(cafile=authority)
    try:
        with (
            socket.create_connection((host, port), _WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def pongs(host: str, port: int) -> bool:
    """Redis."""
    try:
        with socket.create_connection((host, port), _WITHIN_S) as one:
            one.sendall(b"PING\r\n")
            return one.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def resolves(server: str, name: str, address: str) -> bool:
    """DNS: exactly this address."""
    try:
        answer = dns.query.udp(dns.message.make_query(name, dns.rdatatype.A), server, timeout=_WITHIN_S)
    except (OSError, dns.exception.DNSException):
        return False
    return [str(one) for records in answer.answer for one in records] == [address]
