"""The check kind `dns` against real BIND name servers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import Outcome
from peers.bind_server import ZONE, NameServer, primary, secondary

pytestmark = pytest.mark.peers("named")

PORTAL = f"portal.{ZONE}"


@pytest.fixture(scope="module")
def first() -> Iterator[NameServer]:
    with primary(program_path("named"), 2026010101) as server:
        yield server


@pytest.fixture(scope="module")
def second(first: NameServer) -> Iterator[NameServer]:
    with secondary(program_path("named"), first) as server:
        yield server


async def answer(server: NameServer, query: str, kind: str = "A", **keys: Any) -> Outcome:
    return await ask("dns", query=query, type=kind, servers=[server.endpoint], **keys)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "kind", "values"),
    [
        (PORTAL, "A", ["10.0.0.8", "10.0.0.7"]),
        (f"WWW.{ZONE}.", "A", ["10.0.0.7", "10.0.0.8"]),
        (PORTAL, "AAAA", ["FD00::0007"]),
        (f"www.{ZONE}", "CNAME", [PORTAL]),
        (ZONE, "MX", [f"10 MAIL.{ZONE}."]),
        (ZONE, "NS", [f"ns.{ZONE}"]),
        (ZONE, "TXT", ["v=spf1 -all"]),
        ("10.0.0.7", "PTR", [PORTAL]),
    ],
)
async def test_what_bind_has_is_what_is_expected(first: NameServer, query: str, kind: str, values: list[str]) -> None:
    outcome = await answer(first, query, kind, expect=values, authoritative=True)
    assert outcome.state == "up", outcome.message
    over_tcp = await answer(first, query, kind, expect=values, transport="tcp")
    assert over_tcp.state == "up", over_tcp.message


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "kind", "words"),
    [
        (f"nothing.{ZONE}", "A", f"says that nothing.{ZONE} does not exist (NXDOMAIN)"),
        (PORTAL, "MX", f"has no MX record for {PORTAL}"),
        ("elsewhere.test", "A", "refuses to answer (REFUSED): it does not serve this name, or not to this node"),
        (f"host.branch.{ZONE}", "A", f"does not answer but refers to the servers of branch.{ZONE}: it does not serve"),
    ],
)
async def test_what_bind_does_not_have_is_down_and_says_why(
    first: NameServer, query: str, kind: str, words: str
) -> None:
    outcome = await answer(first, query, kind)
    assert outcome.state == "down"
    assert outcome.message.startswith(f"{first.endpoint} {words}")


@pytest.mark.asyncio
async def test_a_secondary_that_never_got_its_zone_fails(second: NameServer) -> None:
    outcome = await answer(second, "lost.test", "SOA")
    assert outcome.state == "down"
    assert outcome.message.startswith(f"{second.endpoint} found no answer (SERVFAIL)")


@pytest.mark.asyncio
async def test_an_answer_too_large_for_udp_is_complete(first: NameServer) -> None:
    expected = [f"{number:03d} {'x' * 200}" for number in range(20)]
    assert (await answer(first, f"large.{ZONE}", "TXT", expect=expected)).state == "up"


@pytest.mark.asyncio
async def test_a_secondary_that_misses_a_version_is_behind_until_it_transfers_it(
    first: NameServer, second: NameServer
) -> None:
    keys: dict[str, Any] = {
        "query": ZONE, "type": "SOA", "servers": [first.endpoint, second.endpoint], "serial_equal": True,
    }  # fmt: skip
    patient = probe_of("dns", **keys)
    strict = probe_of("dns", **keys, serial_grace_ms=0)
    strictest = probe_of("dns", **keys, serial_grace_ms=0, at_least=2)
    first.publish(2026020201)
    second.transfer_anew()
    in_step = await patient.sample(4_000)
    assert (in_step.state, in_step.message[:31]) == ("up", "serial 2026020201 from 2 server")

    first.publish(2026030301)
    found = [await probe.sample(4_000) for probe in (patient, strict, strictest)]
    assert [outcome.state for outcome in found] == ["up", "degraded", "down"]
    behind = f"{second.endpoint} has serial 2026020201 while another has 2026030301, for 0 s"
    assert behind in found[0].message
    assert found[1].message == f"1 of 2 servers fail: {behind} (limit 0 s)"

    second.transfer_anew()
    assert [(await probe.sample(4_000)).state for probe in (patient, strict, strictest)] == ["up"] * 3


@pytest.mark.asyncio
async def test_a_server_that_is_frozen_or_ended_is_told_from_the_one_that_answers(
    first: NameServer, second: NameServer
) -> None:
    probe = probe_of("dns", query=PORTAL, servers=[first.endpoint, second.endpoint])
    assert (await probe.sample(4_000)).state == "up"
    with second.process.frozen():
        frozen = await probe.sample(400)
    second.process.stop()
    ended = await probe.sample(4_000)
    second.process.start()
    assert (frozen.state, ended.state) == ("degraded", "degraded")
    assert frozen.message == f"1 of 2 servers fail: {second.endpoint} did not answer within 400 ms"
    assert ended.message == f"1 of 2 servers fail: connection refused by {second.endpoint}"
    up = await probe.sample(4_000)
    assert re.fullmatch(r"10\.0\.0\.7, 10\.0\.0\.8 from 2 servers in \d+ ms", up.message)


@pytest.mark.asyncio
async def test_many_samples_leave_no_file_open(first: NameServer) -> None:
    probes = [
        probe_of("dns", query=PORTAL, servers=[first.endpoint, "127.0.0.1:1"], transport=transport)
        for transport in ("udp", "tcp")
    ]
    for probe in probes:
        await probe.sample(4_000)
    before = open_files_at_first()
    states = {(await probe.sample(4_000)).state for probe in probes for _ in range(50)}
    assert (states, open_files()) == ({"degraded"}, before)
