"""What is asked and answered in SNMP, whatever a version wraps around it (RFC 3416), and what v2c does. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from detak_agent.checks.kinds.snmp.ber import (
    NULL,
    OCTETS,
    SEQUENCE,
    Element,
    NotSnmpError,
    Value,
    element,
    integer,
    object_identifier,
    object_of,
    outermost,
    value_of,
)

GET, RESPONSE, GET_BULK, REPORT = 0xA0, 0xA2, 0xA5, 0xA8
_VERSION_2C = 1

TOO_BIG, GENERAL_ERROR, AUTHORIZATION_ERROR = 1, 5, 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A PDU that came back. `status` is 0 where nothing is wrong."""

    kind: int
    request: int
    status: int
    bindings: tuple[tuple[str, Value], ...]


class Envelope(Protocol):
    """What a version of SNMP wraps around a PDU, for one conversation."""

    def wrap(self, message: int, pdu: bytes) -> bytes:
        """A message that carries the PDU; `message` is its number."""
        ...

    def unwrap(self, message: int, datagram: bytes) -> Answer:
        """What the answer to that message carries; NotSnmpError if it is no answer to it that can be trusted."""
        ...

    def learned(self, report: Answer) -> bool:
        """Whether a report told something that makes it worth asking again."""
        ...

    def refusal(self, report: Answer) -> str:
        """Why the agent reports instead of answering, as words that follow its name."""
        ...


class Community:
    """The envelope of v2c."""

    def __init__(self, community: str) -> None:
        self._community = community.encode()

    def wrap(self, _message: int, pdu: bytes) -> bytes:
        return element(SEQUENCE, integer(_VERSION_2C), element(OCTETS, self._community), pdu)

    def unwrap(self, message: int, datagram: bytes) -> Answer:
        parts = outermost(datagram).parts()
        if len(parts) != 3 or parts[0].integer() != _VERSION_2C or parts[1].octets() != self._community:
            raise NotSnmpError
        answer = answer_of(parts[2])
        if answer.request != message:
            raise NotSnmpError
        return answer

    def learned(self, _report: Answer) -> bool:
        return False

    def refusal(self, _report: Answer) -> str:
        return "answers with a report, which v2c does not have"


def get(request: int, oids: Iterable[str]) -> bytes:
    """The PDU that asks for these variables."""
    return _pdu(GET, request, 0, 0, oids)


def get_bulk(request: int, after: str, most: int) -> bytes:
    """The PDU that asks for the next variables, at most so many."""
    return _pdu(GET_BULK, request, 0, most, [after])


def _pdu(kind: int, request: int, first: int, second: int, oids: Iterable[str]) -> bytes:
    bindings = [element(SEQUENCE, object_identifier(oid), element(NULL)) for oid in oids]
    return element(kind, integer(request), integer(first), integer(second), element(SEQUENCE, *bindings))


def answer_of(pdu: Element) -> Answer:
    """The PDU of an answer; NotSnmpError if it is none."""
    if pdu.tag not in {RESPONSE, REPORT}:
        raise NotSnmpError
    parts = pdu.parts(pdu.tag)
    if len(parts) != 4:
        raise NotSnmpError
    bindings = tuple(_binding(part) for part in parts[3].parts())
    return Answer(pdu.tag, parts[0].integer(), parts[1].integer(), bindings)


def _binding(part: Element) -> tuple[str, Value]:
    pair = part.parts()
    if len(pair) != 2:
        raise NotSnmpError
    return object_of(pair[0]), value_of(pair[1])
