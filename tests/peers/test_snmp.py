import asyncio
import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.server_process import free_port
from peers.snmp_server import HASHES, IF_ADMIN, IF_OPER, PRIVACY_PASSWORD, Snmpd, running

pytestmark = pytest.mark.peers("snmpd", "env")

LOAD = "1.3.6.1.4.1.2021.10.1.6.1"
NAME = "1.3.6.1.2.1.1.5.0"
PROCESSES = "1.3.6.1.2.1.25.1.6.0"


@pytest.fixture(scope="module")
def server() -> Iterator[Snmpd]:
    with running() as one:
        yield one


async def sample(server: Snmpd, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    return await ask("snmp", deadline_ms, **{**server.keys, **keys})


async def refused(**keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await ask("snmp", 600, **keys)
    return str(caught.value)


@pytest.mark.asyncio
async def test_a_device_that_answers_is_up_and_tells_when_it_started(server: Snmpd) -> None:
    outcome = await sample(server)
    assert outcome.state == "up"
    assert outcome.message.startswith("answered in ")
    assert outcome.marks.keys() == {"started", "engine_boots"}
    assert outcome.values["latency_ms"] > 0
    assert outcome.values["uptime_s"] >= 0


@pytest.mark.asyncio
@pytest.mark.parametrize("name", HASHES)
async def test_v3_works_with_each_hash_signed_and_encrypted(server: Snmpd, name: str) -> None:
    assert (await ask("snmp", **server.secured(name))).state == "up"
    assert (await ask("snmp", **server.secured(name, privacy_password=PRIVACY_PASSWORD))).state == "up"


@pytest.mark.asyncio
async def test_v3_works_without_a_password(server: Snmpd) -> None:
    assert (await ask("snmp", host="127.0.0.1", port=server.port, version="3", user="open")).state == "up"


@pytest.mark.asyncio
async def test_a_wrong_community_is_silence_and_the_message_says_so(server: Snmpd) -> None:
    outcome = await sample(server, 300, community="another")
    words = rf"127.0.0.1:{server.port} did not answer within \d+ ms \(a wrong community looks the same\)"
    assert outcome.state == "down"
    assert re.fullmatch(words, outcome.message)


@pytest.mark.asyncio
async def test_what_v3_refuses_is_unknown_and_says_what_is_wrong(server: Snmpd) -> None:
    where, keys = f"127.0.0.1:{server.port}", server.secured("SHA-256")
    hides = server.secured("SHA-256", privacy_password=PRIVACY_PASSWORD)
    wrong = f"{where} refuses user signs-SHA-256: password or authentication is wrong"
    assert await refused(**{**keys, "user": "nobody"}) == f"{where} does not know user nobody"
    assert await refused(**{**keys, "password": "another-word"}) == wrong
    assert await refused(**{**keys, "authentication": "SHA"}) == wrong
    assert "refuses user signs-SHA-256 at this level of security" in await refused(
        **keys, privacy_password=PRIVACY_PASSWORD
    )
    assert "(authorizationError)" in await refused(**{**keys, "user": "hides-SHA-256"})
    assert "answers, but not to what is encrypted for user hides-SHA-256" in await refused(
        **{**hides, "privacy_password": "another-word"}
    )


@pytest.mark.asyncio
async def test_a_port_where_nobody_listens_is_refused(server: Snmpd) -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{port}"):
        await sample(server, port=port)


@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["2c", "3"])
async def test_a_frozen_device_is_down(server: Snmpd, version: str) -> None:
    keys = server.keys if version == "2c" else server.secured("SHA")
    probe = probe_of("snmp", **keys)
    await probe.sample(4_000)
    with server.server.frozen():
        outcome = await probe.sample(300)
    assert outcome.state == "down"
    assert "did not answer within 300 ms" in outcome.message


@pytest.mark.asyncio
async def test_an_interface_is_found_by_its_name_and_by_its_index(server: Snmpd) -> None:
    for interface in ("lo", 1):
        probe = probe_of("snmp", **server.keys, interface=interface)
        for _ in range(2):
            outcome = await probe.sample(4_000)
            assert (outcome.state, outcome.message[:18]) == ("up", "interface lo is up")
            assert "interface_changed" in outcome.marks


@pytest.mark.asyncio
async def test_an_interface_that_is_not_there_is_unknown_and_the_others_are_named(server: Snmpd) -> None:
    assert "has no interface 'lol'; it has lo" in await refused(**server.keys, interface="lol")
    assert "has no interface with index 4711" in await refused(**server.keys, interface=4_711)
    poor = {**server.keys, "community": "poor"}
    assert "shows no interfaces: may this user or community read IF-MIB?" in await refused(**poor, interface="lo")


@contextlib.contextmanager
def overridden(server: Snmpd, *lines: str) -> Iterator[None]:
    server.restart(*lines)
    try:
        yield
    finally:
        server.restart()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("admin", "operation", "words"),
    [
        (1, 2, "interface lo is down"),
        (2, 2, "interface lo was switched off by an administrator (ifAdminStatus down)"),
        (1, 7, "interface lo is down because what it rests on is down"),
    ],
)
async def test_an_interface_that_is_not_up_is_down_and_says_why(
    server: Snmpd, admin: int, operation: int, words: str
) -> None:
    with overridden(server, f"{IF_ADMIN} integer {admin}", f"{IF_OPER} integer {operation}"):
        outcome = await sample(server, interface="lo")
    assert (outcome.state, outcome.message) == ("down", words)


@pytest.mark.asyncio
async def test_an_interface_of_which_the_device_does_not_know_is_unknown(server: Snmpd) -> None:
    with overridden(server, f"{IF_OPER} integer 4"):
        assert "does not know whether interface lo is up" in await refused(**server.keys, interface="lo")


@pytest.mark.asyncio
async def test_values_are_compared_with_what_is_expected_and_with_limits(server: Snmpd) -> None:
    name = {"name": "sysName", "oid": NAME}
    processes = {"name": "processes", "oid": PROCESSES}
    load = {"name": "load", "oid": LOAD, "degraded_above": 100_000}
    good = await sample(server, values=[{**name, "expect": ["tested"]}, {**processes, "down_below": 1}, load])
    assert good.state == "up"
    assert good.values["processes"] > 1
    assert good.values["load"] >= 0
    other = await sample(server, values=[{**name, "expect": ["another"]}, {**processes, "degraded_above": 1}])
    assert other.state == "down"
    assert other.message.startswith("sysName is 'tested' (expected 'another'); processes ")
    assert (await sample(server, values=[{**processes, "degraded_above": 1}])).state == "degraded"


@pytest.mark.asyncio
async def test_a_value_that_is_not_there_is_unknown(server: Snmpd) -> None:
    absent = {"name": "temperature", "oid": "1.3.6.1.4.1.99999.1.0", "down_above": 40}
    assert (await refused(**server.keys, values=[absent])).startswith("temperature: there is nothing at 1.3.6.1.4.1")


@pytest.mark.asyncio
async def test_a_restart_changes_the_marks_and_nothing_else_does(server: Snmpd) -> None:
    probe = probe_of("snmp", **server.keys)
    first = await probe.sample(4_000)
    await asyncio.sleep(1.2)
    assert (await probe.sample(4_000)).marks == first.marks
    # What runs for less than three seconds can hardly be told from what was started anew.
    await asyncio.sleep(max(0.0, 5.0 - first.values["uptime_s"]))
    await probe.sample(4_000)
    server.restart()
    second = await probe.sample(4_000)
    assert second.marks["started"] != first.marks["started"]
    assert int(second.marks["engine_boots"]) == int(first.marks["engine_boots"]) + 1


@pytest.mark.asyncio
async def test_a_device_that_comes_back_as_another_is_heard_at_once_by_the_same_check(server: Snmpd) -> None:
    probe = probe_of("snmp", **server.secured("SHA-256", privacy_password=PRIVACY_PASSWORD))
    assert (await probe.sample(4_000)).state == "up"
    server.restart(forget=True)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors_open(server: Snmpd) -> None:
    good = probe_of("snmp", **server.secured("SHA"))
    silent = probe_of("snmp", **{**server.keys, "community": "another"})
    await good.sample(4_000)
    await silent.sample(10)
    before = open_files_at_first()
    for _ in range(50):
        await good.sample(4_000)
        await silent.sample(10)
    assert open_files() == before
