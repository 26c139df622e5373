"""One conversation with an SNMP agent over one UDP socket. It knows no version and judges nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

from detak_agent.checks.addresses import Address
from detak_agent.checks.kinds.snmp.ber import Absent, NotSnmpError, Value
from detak_agent.checks.kinds.snmp.message import (
    AUTHORIZATION_ERROR,
    GENERAL_ERROR,
    REPORT,
    TOO_BIG,
    Answer,
    Envelope,
    get,
    get_bulk,
)

_MOST_BYTES = 65_507
_ROWS_AT_ONCE = 25
MOST_ROWS = 4_096
_MOST_QUESTIONS = 4

_STATUS_WORDS = {
    TOO_BIG: "cannot put so many values into one answer: ask for fewer",
    GENERAL_ERROR: "could not read one of the values itself (genErr)",
    AUTHORIZATION_ERROR: "does not let this user or community read the values (authorizationError)",
}


class RefusedError(Exception):
    """The agent answers, but not with what was asked for: words that follow its name."""


class Session:
    """Asks one agent. Whoever opens it closes it, and limits the time."""

    def __init__(self, address: Address, envelope: Envelope) -> None:
        """OSError where there is no way to the address."""
        self._envelope = envelope
        self._socket = socket.socket(address.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        try:
            self._socket.connect((address.host, address.port))
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Nothing can be asked any more."""
        self._socket.close()

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """The values of these variables, each of which is there."""
        answer = await self._ask(lambda request: get(request, oids))
        found = dict(answer.bindings)
        return {oid: found.get(oid, Absent.OBJECT) for oid in oids}

    async def column(self, root: str) -> dict[int, Value]:
        """A column of a table with one number as its index; no more than MOST_ROWS of it."""
        found: dict[int, Value] = {}
        last = 0
        while len(found) < MOST_ROWS:
            rows = await self._rows_after(f"{root}.{last}" if found else root)
            for oid, value in rows:
                index = oid[len(root) + 1 :]
                if not oid.startswith(f"{root}.") or not index.isdecimal() or isinstance(value, Absent):
                    return found
                if found and int(index) <= last:
                    raise RefusedError("has a table of interfaces that runs in circles")
                last = int(index)
                found[last] = value
            if not rows:
                return found
        return found

    async def _rows_after(self, oid: str) -> Sequence[tuple[str, Value]]:
        return (await self._ask(lambda request: get_bulk(request, oid, _ROWS_AT_ONCE))).bindings

    async def _ask(self, pdu: Callable[[int], bytes]) -> Answer:
        """The answer, asked for again where a report told what was missing (who the agent is, its time)."""
        for _ in range(_MOST_QUESTIONS):
            answer = await self._exchange(pdu)
            if answer.kind != REPORT:
                return _good(answer)
            if not self._envelope.learned(answer):
                break
        raise RefusedError(self._envelope.refusal(answer))

    async def _exchange(self, pdu: Callable[[int], bytes]) -> Answer:
        message = int.from_bytes(os.urandom(4), "big") >> 1
        loop = asyncio.get_running_loop()
        self._socket.send(self._envelope.wrap(message, pdu(message)))
        while True:
            datagram = await loop.sock_recv(self._socket, _MOST_BYTES)
            try:
                return self._envelope.unwrap(message, datagram)
            except NotSnmpError:
                # Whoever can send datagrams here must not be able to end the wait.
                continue


def _good(answer: Answer) -> Answer:
    if answer.status:
        raise RefusedError(_STATUS_WORDS.get(answer.status, f"answers with error {answer.status} of RFC 3416"))
    return answer
