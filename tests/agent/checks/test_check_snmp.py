import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import ask, probe_of, problems_of, settings_of
from agent.checks.snmp_datagrams import answered
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.snmp.ber import OCTETS, Absent, Value, element, integer, object_of, outermost
from detak_agent.checks.kinds.snmp.health import IF_COLUMNS, Facts, Interface, interface_of, judge, number_of, text_of
from detak_agent.checks.kinds.snmp.kind import SnmpSettings
from detak_agent.checks.registry import REGISTRY

Reply = Callable[[bytes], list[bytes]]
LEAST = {"host": "10.0.0.5", "community": "x"}


@contextlib.asynccontextmanager
async def agent(reply: Reply) -> AsyncIterator[int]:
    """A UDP server that sends these datagrams for each that it gets."""

    class Replying(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            for datagram in reply(data):
                self.transport.sendto(datagram, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Replying, ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0.01)


async def sample(port: int, within_ms: int = 2_000, **keys: Any) -> Outcome:
    return await ask("snmp", within_ms, **{"host": "127.0.0.1", "port": port, "community": "x", **keys})


def request_in(datagram: bytes) -> int:
    pdu = outermost(datagram).parts()[2]
    return pdu.parts(pdu.tag)[0].integer()


@pytest.mark.asyncio
async def test_what_others_send_in_between_is_passed_over() -> None:
    def reply(asked: bytes) -> list[bytes]:
        request = request_in(asked)
        return [b"", b"\xff" * 50, answered(request + 1, []), answered(request, [("1.3.6.1.2.1.1.3.0", integer(200))])]

    async with agent(reply) as port:
        outcome = await sample(port)
    assert (outcome.state, outcome.values["uptime_s"]) == ("up", 2.0)


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "words"), [(1, "ask for fewer"), (5, "genErr"), (16, "authorizationError"),
                                               (13, "error 13 of RFC 3416")])  # fmt: skip
async def test_an_error_that_the_device_answers_is_unknown(status: int, words: str) -> None:
    async with agent(lambda asked: [answered(request_in(asked), [], status=status)]) as port:
        with pytest.raises(CouldNotCheckError, match=words):
            await sample(port)


@pytest.mark.asyncio
async def test_a_table_that_runs_in_circles_ends() -> None:
    def reply(asked: bytes) -> list[bytes]:
        names = [(f"{IF_COLUMNS[0]}.{index}", element(OCTETS, b"a")) for index in (5, 6)]
        return [answered(request_in(asked), names)]

    async with agent(reply) as port:
        with pytest.raises(CouldNotCheckError, match="runs in circles"):
            await sample(port, interface="b")


@pytest.mark.asyncio
async def test_an_interface_that_goes_is_down_and_one_that_gets_another_index_is_found_again() -> None:
    names = {3: b"Gi0/3", 4: b"Gi0/4"}

    def value(oid: str) -> bytes:
        column, _, index = oid.rpartition(".")
        if column not in IF_COLUMNS or int(index) not in names:
            return element(Absent.INSTANCE.value)
        place = IF_COLUMNS.index(column)
        return element(OCTETS, names[int(index)]) if place < 2 else (element(OCTETS) if place == 2 else integer(1))

    def reply(asked: bytes) -> list[bytes]:
        pdu = outermost(asked).parts()[2]
        oids = [object_of(part.parts()[0]) for part in pdu.parts(pdu.tag)[3].parts()]
        if pdu.tag == 0xA5:
            root = oids[0] if oids[0] in IF_COLUMNS else oids[0].rpartition(".")[0]
            after = 0 if root == oids[0] else int(oids[0].rpartition(".")[2])
            oids = [f"{root}.{index}" for index in sorted(names) if index > after]
        return [answered(request_in(asked), [(oid, value(oid)) for oid in oids])]

    async with agent(reply) as port:
        probe = probe_of("snmp", host="127.0.0.1", port=port, community="x", interface="Gi0/4")
        assert (await probe.sample(2_000)).message.startswith("interface Gi0/4 is up")
        names.update({4: b"Gi0/3", 5: b"Gi0/4"})
        assert (await probe.sample(2_000)).message.startswith("interface Gi0/4 is up")
        del names[5]
        gone = await probe.sample(2_000)
    assert (gone.state, gone.message) == (
        "down", "interface Gi0/4 is gone: the device does not list it any more",
    )  # fmt: skip


@pytest.mark.asyncio
async def test_secrets_come_from_files_and_are_named_where_they_cannot(tmp_path: Path) -> None:
    file = tmp_path / "community"
    file.write_text("x\n")
    async with agent(lambda asked: [answered(request_in(asked), [])]) as port:
        assert (await sample(port, community="", community_file=str(file))).state == "up"
        file.unlink()
        with pytest.raises(CouldNotCheckError, match=r"^community_file .*/community cannot be read: No such file"):
            await sample(port, community="", community_file=str(file))
        file.write_text("short\n")
        with pytest.raises(CouldNotCheckError, match="password must have at least 8 characters"):
            await sample(port, community="", version="3", user="user", password_file=str(file))


def facts(**more: Any) -> Facts:
    return Facts(**{"uptime_s": 200.0, "started": "77", "boots": 2, "latency_ms": 3.0, **more})


def settings(**keys: Any) -> SnmpSettings:
    made = settings_of("snmp", **LEAST, **keys)
    assert isinstance(made, SnmpSettings)
    return made


def test_a_healthy_interface_says_how_people_call_it_and_marks_its_last_change() -> None:
    interface = Interface(("Gi0/1", "GigabitEthernet0/1"), "uplink DRC", 1, 1, 4_711)
    outcome = judge(facts(interface=interface), settings())
    assert outcome.message == "interface Gi0/1 (uplink DRC) is up, answered in 3 ms, running for 3 minutes"
    assert outcome.marks == {"started": "77", "engine_boots": "2", "interface_changed": "4711"}


def test_an_interface_is_read_from_what_the_device_says_of_its_index() -> None:
    told: dict[str, Value] = dict(
        zip([f"{column}.7" for column in IF_COLUMNS], [b"Gi0/7", b"Gigabit", b"", 1, 2, 0], strict=True)
    )
    assert interface_of(7, told) == Interface(("Gi0/7", "Gigabit"), "", 1, 2, 0)
    assert interface_of(8, told) is None


def test_a_device_that_does_not_tell_its_uptime_has_no_mark_of_its_start() -> None:
    outcome = judge(facts(uptime_s=None, started="", boots=None), settings())
    assert (outcome.marks, outcome.message) == ({}, "answered in 3 ms")


OID = "1.3.6.1.4.1.1.1.0"


@pytest.mark.parametrize(
    ("wanted", "value", "state", "message"),
    [
        ({"expect": [1, 2]}, 2, "up", None),
        ({"expect": [1, 2]}, 3, "down", "sensor is '3' (expected 1 or 2)"),
        ({"expect": ["on"]}, b"on\0", "up", None),
        ({"degraded_above": 30, "down_above": 40}, 29, "up", None),
        ({"degraded_above": 30, "down_above": 40}, b"30.0", "degraded", "sensor 30.0 (limit 30)"),
        ({"degraded_above": 30, "down_above": 40}, 40, "down", "sensor 40.0 (limit 40)"),
        ({"degraded_below": 50, "down_below": 10}, 51, "up", None),
        ({"degraded_below": 50, "down_below": 10}, 50, "degraded", "sensor 50.0 (limit 50)"),
        ({"degraded_below": 50, "down_below": 10}, 10.0, "down", "sensor 10.0 (limit 10)"),
    ],
)
def test_a_value_is_judged_by_what_is_expected_of_it(
    wanted: dict[str, Any], value: Value, state: str, message: str | None
) -> None:
    outcome = judge(facts(values={OID: value}), settings(values=[{"name": "sensor", "oid": OID, **wanted}]))
    assert outcome.state == state
    assert message is None or outcome.message == message


def test_a_value_that_is_no_number_is_unknown_but_hides_no_failure() -> None:
    limited = {"name": "sensor", "oid": OID, "down_above": 40}
    other = {"name": "fan", "oid": OID, "expect": ["ok"]}
    with pytest.raises(CouldNotCheckError, match="sensor: 'hot' is no number"):
        judge(facts(values={OID: b"hot"}), settings(values=[limited]))
    assert judge(facts(values={OID: b"hot"}), settings(values=[limited, other])).state == "down"


def test_a_slow_answer_is_degraded() -> None:
    assert judge(facts(latency_ms=900.0), settings(slow_ms=500)).state == "degraded"


@pytest.mark.parametrize(("value", "text"), [(b"ruang server", "ruang server"), (b"\x00\x1b\xff", "0x001bff"),
                                             (7, "7"), (b"a" * 99, "a" * 59 + "…")])  # fmt: skip
def test_values_are_shown_as_text_where_they_are_text(value: Value, text: str) -> None:
    assert text_of(value) == text


def test_numbers_are_taken_from_text_too() -> None:
    assert (number_of(b" 12.5 "), number_of(7), number_of(b"x"), number_of(None)) == (12.5, 7.0, None, None)


def test_a_target_says_what_is_looked_at_and_no_community() -> None:
    wanted = [{"name": "temperature", "oid": OID, "down_above": 40}]
    assert REGISTRY["snmp"].target(settings(interface="Gi0/1", values=wanted)) == (
        "10.0.0.5:161: interface Gi0/1, temperature"
    )
    assert REGISTRY["snmp"].remote(settings())


V3 = {"host": "h", "version": "3", "user": "u"}


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"host": "h"}, ["community"]),
        ({"host": "/run/x", "community": "x"}, ["host"]),
        ({"host": "h", "community": "x", "user": "u", "password": "12345678"}, ["user", "password"]),
        ({"host": "h", "community": "x", "community_file": "y"}, ["community_file"]),
        ({"host": "h", "version": "3"}, ["user"]),
        ({**V3, "community": "x"}, ["community"]),
        ({**V3, "password": "1234567"}, ["password"]),
        ({**V3, "privacy_password": "12345678"}, ["privacy_password"]),
        ({**V3, "password": "12345678", "privacy_password": "1234567"}, ["privacy_password"]),
        ({**LEAST, "slow_ms": 4_000}, ["slow_ms"]),
        ({**LEAST, "values": [{"name": "a", "oid": "sysName.0", "expect": ["x"]}]}, ["values"]),
        ({**LEAST, "values": [{"name": "a", "oid": "1.40.1", "expect": ["x"]}]}, ["values"]),
        ({**LEAST, "values": [{"name": "a", "oid": OID}]}, ["values"]),
        ({**LEAST, "values": [{"name": "a", "oid": OID, "expect": [1], "down_above": 2}]}, ["values"]),
        ({**LEAST, "values": [{"name": "a", "oid": OID, "degraded_above": 3, "down_above": 2}]}, ["values"]),
        ({**LEAST, "values": [{"name": "a", "oid": OID, "degraded_below": 2, "down_below": 3}]}, ["values"]),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], wrong: list[str]) -> None:
    assert [key for key, _ in problems_of("snmp", **keys)] == wrong
