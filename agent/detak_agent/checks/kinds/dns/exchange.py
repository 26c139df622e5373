"""One question to one name server: over UDP, asked again when a packet is lost, and over TCP where it does not fit.

Our own connected socket hears at once that nobody listens, which the library's asynchronous one does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import dns.exception
import dns.flags
import dns.message

from detak_agent.checks.addresses import Address
from detak_agent.checks.connecting import Caller
from detak_agent.checks.kinds.tls.connection import Connection, PeerError

MOST_UDP_BYTES = 65_535
TRANSMISSIONS = 3
_LENGTH = struct.Struct("!H")


async def exchange(
    question: dns.message.Message, address: Address, transport: str, until: float
) -> dns.message.Message:
    """The server's answer, at the latest at `until` in the loop's time; then asyncio.TimeoutError.

    OSError where the server cannot be reached, PeerError with words where what it says is not an answer.
    """
    if transport == "udp":
        answer = await _over_udp(question, address, until)
        if not answer.flags & dns.flags.TC:
            return answer
    return await _over_tcp(question, address, until)


async def _over_udp(question: dns.message.Message, address: Address, until: float) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    wire = question.to_wire()
    with socket.socket(address.family, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        asking.connect((address.host, address.port))
        for left in range(TRANSMISSIONS, 0, -1):
            asking.send(wire)
            with contextlib.suppress(asyncio.TimeoutError):
                return await asyncio.wait_for(_heard(question, asking), (until - loop.time()) / left)
    raise asyncio.TimeoutError


async def _heard(question: dns.message.Message, asking: socket.socket) -> dns.message.Message:
    while True:
        answer = _message(await asyncio.get_running_loop().sock_recv(asking, MOST_UDP_BYTES))
        if question.is_response(answer):
            return answer


async def _over_tcp(question: dns.message.Message, address: Address, until: float) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(_converse(question, address, until), max(0.0, until - loop.time()))


async def _converse(question: dns.message.Message, address: Address, until: float) -> dns.message.Message:
    wire = question.to_wire()
    with contextlib.closing(Connection(await Caller(address.host, address.port).connected(until))) as connection:
        connection.awaited = "did not answer over TCP"
        await connection.send(_LENGTH.pack(len(wire)) + wire)
        (length,) = _LENGTH.unpack(await connection.exactly(_LENGTH.size))
        answer = _message(await connection.exactly(length))
    if not question.is_response(answer):
        raise PeerError("answered another question than was asked")
    return answer


def _message(wire: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        raise PeerError("answered something that is not DNS") from None
