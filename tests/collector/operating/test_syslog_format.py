"""Messages as RFC 5424 wants them."""

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.operating.events import Event
from detak_collector.operating.syslog_format import (
    BYTE_ORDER_MARK,
    DATAGRAM_BYTES,
    MESSAGE_BYTES,
    Destination,
    address_of,
    framed,
    written,
)

UDP = Destination("udp", "siem", 514)
TCP = Destination("tcp", "siem", 601)

# The grammar of RFC 5424, section 6, as far as it is used here.
MESSAGE = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<host>[\x21-\x7e]{1,255}) "
    rb"(?P<program>[\x21-\x7e]{1,48}) (?P<process>[\x21-\x7e]{1,128}) (?P<kind>[\x21-\x7e]{1,32}) "
    rb'(?P<data>\[[\x21-\x7e]+@\d+(?: [\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\]) '
    rb"\xef\xbb\xbf(?P<text>.*)",
    re.DOTALL,
)


def event(text: str = "it is up", **told: str | int) -> Event:
    return Event("outage", "outage-ended", 1_795_826_898_270, text, logging.WARNING, told)


def test_a_message_has_its_priority_time_source_kind_and_fields() -> None:
    message = written(event(service="impor", counted_ms=60_000), "detak-01", 42, UDP)
    assert message == (
        b"<28>1 2026-11-28T00:48:18.270Z detak-01 detak-collector 42 outage "
        b'[detak@32473 event="outage-ended" service="impor" counted_ms="60000"] ' + BYTE_ORDER_MARK + b"it is up"
    )


@pytest.mark.parametrize(("level", "severity"), [("ERROR", 3), ("WARNING", 4), ("INFO", 6), ("DEBUG", 7)])
def test_facility_and_severity_make_the_priority(level: str, severity: int) -> None:
    one = Event("alarm", "a", 0, "t", logging.getLevelNamesMapping()[level])
    assert written(one, "h", 1, Destination("udp", "h", 1, facility=16)).startswith(b"<%d>1 " % (128 + severity))


def test_an_organisation_may_use_its_own_enterprise_number() -> None:
    assert b"[detak@4711 " in written(event(), "h", 1, Destination("udp", "h", 1, enterprise=4711))


def test_what_a_check_said_can_end_neither_field_nor_line() -> None:
    message = written(event("a\nb\x00c", said='x" ] \\ y\n<13>1 forged'), "h", 1, TCP)
    assert b'said="x\\" \\] \\\\ y <13>1 forged"' in message
    assert message.endswith(b"a b c")
    assert b"\n" not in message


@given(
    st.text(), st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers()), st.sampled_from([UDP, TCP])
)
def test_every_message_is_well_formed_and_fits_its_transport(
    text: str, host: str, told: dict[str, str | int], to: Destination
) -> None:
    message = written(Event("audit", "a", 0, text, logging.INFO, dict(list(told.items())[:3])), host, 1, to)
    match = MESSAGE.fullmatch(message)
    assert match, message
    match["text"].decode()
    assert len(message) <= MESSAGE_BYTES


def test_a_long_text_is_cut_between_characters() -> None:
    message = written(event("é" * 5_000), "h", 1, UDP)
    assert DATAGRAM_BYTES - 1 <= len(message) <= DATAGRAM_BYTES
    message.decode()


def test_in_a_stream_the_length_comes_first() -> None:
    assert framed("é".encode()) == b"2 \xc3\xa9"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("udp://siem.example", ("udp", "siem.example", 514)),
        ("tcp://10.0.0.1:5140", ("tcp", "10.0.0.1", 5140)),
        ("tls://[2001:db8::1]", ("tls", "2001:db8::1", 6514)),
        ("tls://siem/", ("tls", "siem", 6514)),
        ("siem", None),
        ("http://siem", None),
        ("tcp://", None),
        ("tcp://siem:port", None),
        ("tcp://siem:99999", None),
        ("tcp://siem/path", None),
        ("tcp://user@siem", None),
        ("tcp://siem:1\n", None),
    ],
)
def test_an_address_is_a_transport_a_host_and_a_port(text: str, address: tuple[str, str, int] | None) -> None:
    assert address_of(text) == address
