"""What is wrong with one name server's answer, in words. Pure; it needs the library for the message's parts."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT
import dns.rrset

from detak_agent.checks.kinds.dns.kind import DnsSettings, canonical

SHOWN_VALUES = 4

_RCODES = {
    dns.rcode.NXDOMAIN: "says that {0} does not exist (NXDOMAIN)",
    dns.rcode.SERVFAIL: "found no answer (SERVFAIL): it cannot use the zone, or reach the servers that have it",
    dns.rcode.REFUSED: "refuses to answer (REFUSED): it does not serve this name, or not to this node",
    dns.rcode.NOTIMP: "does not know this kind of question (NOTIMP)",
    dns.rcode.FORMERR: "does not understand the question (FORMERR)",
}


def fault(answer: dns.message.Message, settings: DnsSettings) -> str:
    """What is wrong, as words that follow the server's name, or nothing."""
    rcode = answer.rcode()
    if rcode != dns.rcode.NOERROR:
        words = _RCODES.get(rcode, f"answered with the error {dns.rcode.to_text(rcode)}")
        return words.format(settings.query)
    try:
        values = values_of(answer, settings)
    except (dns.exception.DNSException, ValueError):
        return "gave an answer that contradicts itself"
    if not values:
        return _empty(answer, settings)
    if (settings.authoritative or settings.serial_equal) and not answer.flags & dns.flags.AA:
        return "answers without authority: it does not serve the zone itself"
    return _unexpected(values, settings)


def values_of(answer: dns.message.Message, settings: DnsSettings) -> set[str]:
    """The records that answer the question, aliases followed, in canonical form."""
    records = _records(answer)
    return set() if records is None else {canonical(settings.type, _text(record)) for record in records}


def serial_of(answer: dns.message.Message) -> int:
    """The serial in an answer that `fault` found right for a question of type SOA."""
    for record in _records(answer) or ():
        if isinstance(record, dns.rdtypes.ANY.SOA.SOA):
            return int(record.serial)
    raise ValueError("no SOA record")


def _records(answer: dns.message.Message) -> dns.rrset.RRset | None:
    if not isinstance(answer, dns.message.QueryMessage):
        return None
    found = answer.resolve_chaining().answer
    return found if isinstance(found, dns.rrset.RRset) else None


def _text(record: object) -> str:
    if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(record.strings).decode(errors="replace")
    return str(record)


def _empty(answer: dns.message.Message, settings: DnsSettings) -> str:
    referred = [records for records in answer.authority if records.rdtype == dns.rdatatype.NS]
    if referred and not answer.flags & dns.flags.AA:
        zone = str(referred[0].name).rstrip(".")
        return f"does not answer but refers to the servers of {zone}: it does not serve the zone"
    if answer.answer:
        return f"leads from {settings.query} to {_alias(answer)}, and gives no {settings.type} record of that"
    return f"has no {settings.type} record for {settings.query}"


def _alias(answer: dns.message.Message) -> str:
    assert isinstance(answer, dns.message.QueryMessage)
    return str(answer.resolve_chaining().canonical_name).rstrip(".")


def _unexpected(values: set[str], settings: DnsSettings) -> str:
    wanted = {canonical(settings.type, text) for text in settings.expect}
    among = {canonical(settings.type, text) for text in settings.expect_among}
    if wanted and values != wanted:
        return f"answered {shown(values)} (wanted {shown(wanted)})"
    if not among <= values:
        return f"answered {shown(values)}, without {shown(among - values)}"
    return ""


def shown(values: set[str]) -> str:
    """The first few, for people."""
    first = ", ".join(sorted(values)[:SHOWN_VALUES])
    return f"{first} and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else first
