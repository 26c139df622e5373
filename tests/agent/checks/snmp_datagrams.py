"""Datagrams as an SNMP agent sends them."""

from detak_agent.checks.kinds.snmp.ber import OCTETS, SEQUENCE, element, integer, object_identifier
from detak_agent.checks.kinds.snmp.message import RESPONSE


def answered(
    request: int, values: list[tuple[str, bytes]], community: bytes = b"x", status: int = 0, kind: int = RESPONSE
) -> bytes:
    bindings = [element(SEQUENCE, object_identifier(oid), value) for oid, value in values]
    pdu = element(kind, integer(request), integer(status), integer(0), element(SEQUENCE, *bindings))
    return element(SEQUENCE, integer(1), element(OCTETS, community), pdu)
