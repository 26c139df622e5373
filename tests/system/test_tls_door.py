"""What comes to a TLS port and is no agent: counted, let go in time, and in nobody's way."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from installation import service_of, until
from own_authority import OwnAuthority

pytestmark = pytest.mark.system


@pytest.fixture
def made(tmp_path: Path) -> Iterator[OwnAuthority]:
    one = OwnAuthority(tmp_path)
    try:
        one.configure(service_of("n/alive"))
        one.start_collector()
        yield one
    finally:
        one.close()


def refusals(made: OwnAuthority, reason: str) -> int:
    found = re.search(rf'^detak_refusals_total{{reason="{reason}"}} (\d+)', made.get("/metrics"), re.MULTILINE)
    return int(found[1]) if found else 0


def connected(made: OwnAuthority) -> socket.socket:
    return socket.create_connection((made.host, made.port), timeout=30)


def say_nothing(made: OwnAuthority) -> bytes:
    with connected(made) as end:
        return end.recv(100)


def speak_plainly(made: OwnAuthority) -> bytes:
    with connected(made) as end:
        end.sendall(b"GET / HTTP/1.1\r\nHost: detak\r\n\r\n")
        return end.recv(1_000)


def speak_an_old_version(made: OwnAuthority) -> bytes:
    context = ssl._create_unverified_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    try:
        with context.wrap_socket(connected(made)):
            return b"agreed"
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_who_does_not_speak_tls_is_let_go_in_time_and_counted(made: OwnAuthority) -> None:
    for attempt in (speak_plainly, speak_an_old_version, say_nothing):
        with suppress(ConnectionError):
            assert b"HTTP" not in attempt(made)
    until("all are counted", lambda: refusals(made, "tls") == 3)
    assert "Traceback" not in made.log("collector")


def test_a_stranger_who_refuses_the_certificate_is_counted_and_makes_nobody_silent(made: OwnAuthority) -> None:
    for _ in range(5):
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connected(made), server_hostname="localhost")
    until("they are counted", lambda: refusals(made, "certificate") == 5)
    told = made.collector_says_all("certificate", "show")
    assert "refused by" not in told
    assert "the certificate is refused" not in made.log("collector")


def test_a_collector_takes_all_the_open_files_that_it_is_granted(tmp_path: Path, require: Callable[[str], str]) -> None:
    one = OwnAuthority(tmp_path, prefix={"collector": [require("prlimit"), "--nofile=60:3000"]})
    try:
        one.configure(service_of("n/alive"))
        one.start_collector()
        ends = [connected(one) for _ in range(150)]
        assert '"status":"ok"' in one.get("/healthz")
        for end in ends:
            end.close()
    finally:
        one.close()
