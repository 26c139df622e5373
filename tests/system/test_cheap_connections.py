"""What connections cost a real collector that serves TLS, and how many of them somebody without a key may have."""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hostile_client import Target, answer_to, beat, get, post
from installation import service_of, until
from own_authority import OwnAuthority

from detak_collector.channel import limits

pytestmark = pytest.mark.system

WARM = 100
MEASURED = 300
MOST_KIB = 40
"""Of an idle connection. 33 were measured, 49 with a buffer of one record for each, 286 with those of asyncio."""
MOST_AFTER_MORE_KIB = 46
"""Of one that has said more at once."""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[OwnAuthority]:
    one = OwnAuthority(tmp_path)
    try:
        one.configure(service_of("n/alive"))
        one.start_collector()
        yield one
    finally:
        one.close()


def secured(made: OwnAuthority) -> ssl.SSLSocket:
    return ssl._create_unverified_context().wrap_socket(socket.create_connection((made.host, made.port), timeout=60))


def resident_kib(made: OwnAuthority) -> int:
    status = Path(f"/proc/{made.processes['collector'].pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])


def refused(made: OwnAuthority, reason: str) -> int:
    found = re.search(rf'^detak_refusals_total{{reason="{reason}"}} (\d+)', made.get("/metrics"), re.MULTILINE)
    return int(found[1]) if found else 0


def is_open(end: socket.socket) -> bool:
    """Whether the other side has not ended it; what it said is read away."""
    end.setblocking(False)
    with suppress(ssl.SSLWantReadError, BlockingIOError):
        try:
            while end.recv(65_536):
                pass
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
            pass
        return False
    return True


@pytest.mark.parametrize(("size", "most_kib"), [(700, MOST_KIB), (8_000, MOST_AFTER_MORE_KIB)])
def test_a_resting_connection_over_tls_takes_little_memory(made: OwnAuthority, size: int, most_kib: int) -> None:
    ends = []

    def opened(number: int) -> int:
        for _ in range(number):
            ends.append(secured(made))
            # As large as a beat, or as what a node of many checks says when its agent begins.
            assert answer_to(ends[-1], post("/api/v1/evidence", b"x" * size)).status == 401
        return resident_kib(made)

    before = opened(WARM)
    each = (opened(MEASURED) - before) / MEASURED
    for end in ends:
        end.close()
    assert 5 < each <= most_kib, f"{each:.1f} KiB"


def test_a_body_of_many_records_arrives_whole_while_others_write_into_the_same_room(made: OwnAuthority) -> None:
    target = Target(made)
    context = ssl._create_unverified_context()
    key = made.collector_says("enroll", "n").split("--token ")[1].split()[0]
    with secured(made) as end:
        words = b'{"protocol": 1, "node": "n", "token": "' + key.encode() + b'"}'
        target.keys["n"] = answer_to(end, post("/api/v1/enrol", words)).json()["key"]
    said = post("/api/v1/evidence", beat("n") + b" " * 200_000, target.keys["n"])
    ends = [context.wrap_socket(socket.create_connection((made.host, made.port), timeout=60)) for _ in range(8)]
    for at in range(0, len(said), 5_000):
        for end in ends:
            end.sendall(said[at : at + 5_000])
    assert [answer_to(end, b"").status for end in ends] == [200] * len(ends)
    for end in ends:
        end.close()


def test_one_address_without_a_key_cannot_watch_for_everybody_nor_stand_at_the_door_in_thousands(
    made: OwnAuthority,
) -> None:
    watchers = [secured(made) for _ in range(limits.STRANGER_WATCHERS + 20)]
    for end in watchers:
        end.sendall(get("/live"))
    statuses = [end.recv(20).split()[1] for end in watchers]
    assert statuses.count(b"200") == limits.STRANGER_WATCHERS
    assert refused(made, "watchers") == statuses.count(b"503") == 20
    for end in watchers:
        end.close()

    silent = [socket.create_connection((made.host, made.port), timeout=60) for _ in range(300)]
    until("they are let go", lambda: refused(made, "tls") >= len(silent), 60)
    assert not any(is_open(one) for one in silent)
    for one in silent:
        one.close()


def test_strangers_who_were_answered_may_not_all_stay_while_whoever_showed_a_key_does(made: OwnAuthority) -> None:
    made.collector_says("enroll", "n")
    token = made.collector_says("enroll", "n").split("--token ")[1].split()[0]
    agent = secured(made)
    words = b'{"protocol": 1, "node": "n", "token": "' + token.encode() + b'"}'
    key = answer_to(agent, post("/api/v1/enrol", words)).json()["key"]
    assert answer_to(agent, post("/api/v1/evidence", beat("n"), key)).status == 200
    strangers = []
    for _ in range(limits.STRANGERS_RESTING + 30):
        strangers.append(secured(made))
        assert answer_to(strangers[-1], get("/api/v1/authority")).status == 200
    until("those beyond are let go", lambda: refused(made, "resting") >= 30)
    until("they are closed", lambda: not any(is_open(end) for end in strangers[:30]))
    assert all(is_open(end) for end in strangers[60:])
    assert answer_to(agent, post("/api/v1/evidence", beat("n"), key)).status == 200
    for end in (agent, *strangers):
        end.close()


def test_no_answer_tells_what_the_collector_is_made_with(made: OwnAuthority) -> None:
    asked = [get("/"), get("/nowhere"), get("/metrics"), post("/api/v1/evidence", b"{}"), b"no HTTP\r\n\r\n"]
    for raw in asked:
        with secured(made) as end:
            end.sendall(raw)
            ready, _, _ = select.select([end], [], [], 60)
            assert ready
            head = end.recv(65_536).partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nserver: detak" in head, raw
        assert b"python" not in head
        assert b"aiohttp" not in head
