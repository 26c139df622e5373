import asyncio
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, probe_of, problems_of, serve, settings_of
from agent.checks.redfish_stage import CHASSIS, SYSTEM, Controller, controller, reference, status
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.registry import REGISTRY

THERMAL, POWER = f"{CHASSIS}/Thermal", f"{CHASSIS}/Power"


async def look(one: Controller, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    return await ask("redfish", deadline_ms, **one.keys(**keys))


@pytest.mark.asyncio
async def test_a_machine_that_is_on_and_well_is_up() -> None:
    async with controller() as one:
        outcome = await look(one)
    assert (outcome.state, outcome.message) == ("up", "the machine is on, and it and 5 parts are well")
    assert outcome.marks == {"last_reset": "2026-10-05T08:00:00Z"}
    assert {key: value for key, value in outcome.values.items() if key != "latency_ms"} == {
        "temperature_max_celsius": 61.5,
        "power_watts": 312.0,
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("power", ["Off", "PoweringOn", "PoweringOff", "Paused"])
async def test_a_machine_that_is_not_on_is_down(power: str) -> None:
    async with controller() as one:
        one.resources[SYSTEM]["PowerState"] = power
        outcome = await look(one)
    assert (outcome.state, outcome.message) == ("down", f"the machine is not on (PowerState {power})")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "told", "state", "message"),
    [
        (SYSTEM, status("Warning"), "degraded", "the controller calls the health of the system Warning"),
        (SYSTEM, status("Critical"), "down", "the controller calls the health of the system Critical"),
        (SYSTEM, status("OK", "Critical"), "down", "the controller calls the health of the system Critical"),
        (CHASSIS, status("Warning"), "degraded", "the controller calls the health of the chassis Warning"),
        (CHASSIS, status("Critical", "OK"), "down", "the controller calls the health of the chassis Critical"),
    ],
)
async def test_the_health_of_the_whole_decides(path: str, told: dict[str, Any], state: str, message: str) -> None:
    async with controller() as one:
        one.resources[path] |= told
        outcome = await look(one)
        spared = await look(one, critical="degraded")
    assert (outcome.state, outcome.message) == (state, message)
    assert spared.state == "degraded"


@pytest.mark.asyncio
async def test_an_older_spelling_of_the_health_of_all_parts_is_read() -> None:
    async with controller() as one:
        one.resources[SYSTEM]["Status"] = {"Health": "OK", "HealthRollUp": "Critical"}
        assert (await look(one)).state == "down"


def temperature(reading: object, **limits: float) -> dict[str, Any]:
    thresholds = {f"{key}": value for key, value in limits.items()}
    return {"Temperatures": [{"Name": "CPU", "ReadingCelsius": reading, **thresholds, **status("OK")}]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("thermal", "state", "message"),
    [
        (temperature(80, UpperThresholdNonCritical=80), "degraded", "CPU is at 80 °C, above its warning limit"),
        (temperature(95, UpperThresholdCritical=90), "down", "CPU is at 95 °C, above its critical limit"),
        (temperature(105, UpperThresholdFatal=100), "down", "CPU is at 105 °C, above its critical limit"),
        (temperature(2.5, LowerThresholdCritical=5), "down", "CPU is at 2.5 °C, below its critical limit"),
        (
            {"Fans": [{"Name": "Fan 1", "Reading": 0, "ReadingUnits": "RPM", **status("Critical")}]},
            "down",
            "Fan 1 is Critical (at 0 RPM)",
        ),
        ({"Fans": [{"MemberId": "7", **status("Warning")}]}, "degraded", "7 is Warning"),
        ({"Fans": [{**status("OK", "Warning")}]}, "degraded", "a part without a name is Warning"),
    ],
)
async def test_a_part_that_is_not_well_is_named(thermal: dict[str, Any], state: str, message: str) -> None:
    async with controller() as one:
        del one.resources[SYSTEM]["Status"]["HealthRollup"]
        one.resources[THERMAL] = thermal
        outcome = await look(one)
    assert (outcome.state, outcome.message) == (state, message)


@pytest.mark.asyncio
async def test_a_critical_part_is_degraded_while_the_controller_finds_the_whole_better() -> None:
    async with controller() as one:
        one.resources[POWER]["PowerSupplies"][1] |= status("Critical")
        borne = await look(one)
        one.resources[SYSTEM] |= status("OK", "Warning")
        also_borne = await look(one)
        one.resources[SYSTEM] |= status("OK", "Critical")
        not_borne = await look(one)
    assert (borne.state, borne.message) == ("degraded", "PSU 2 is Critical")
    assert also_borne.state == "degraded"
    assert (not_borne.state, not_borne.message) == (
        "down",
        "the controller calls the health of the system Critical; PSU 2 is Critical",
    )


@pytest.mark.asyncio
async def test_parts_may_be_passed_over() -> None:
    async with controller() as one:
        one.resources[THERMAL] = temperature(95, UpperThresholdCritical=90)
        assert (await look(one, ignore=["CPU"])).state == "up"
        one.requests.clear()
        assert (await look(one, parts=False)).state == "up"
    assert one.requests == ["/redfish/v1/", "/redfish/v1/Systems", SYSTEM, CHASSIS]


@pytest.mark.asyncio
async def test_the_newer_resources_are_judged_by_their_own_status() -> None:
    async with controller() as one:
        one.resources[CHASSIS] = {
            "ThermalSubsystem": reference(f"{CHASSIS}/ThermalSubsystem"),
            "PowerSubsystem": reference(f"{CHASSIS}/PowerSubsystem"),
        }
        one.resources[f"{CHASSIS}/ThermalSubsystem"] = {"Name": "Cooling", **status("OK")}
        one.resources[f"{CHASSIS}/PowerSubsystem"] = {"Name": "Power", **status("OK", "Warning")}
        outcome = await look(one)
    assert (outcome.state, outcome.message) == ("degraded", "Power is Warning")


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [404, 500, 503])
async def test_parts_that_cannot_be_read_do_not_hide_that_the_machine_is_well(code: int) -> None:
    async with controller() as one:
        one.resources[POWER] = code
        outcome = await look(one)
    assert (outcome.state, outcome.message) == (
        "up",
        f"the machine is on, and it and 3 parts are well; not readable: Power (status {code})",
    )


@pytest.mark.asyncio
async def test_little_that_is_told_is_enough_and_nothing_is_unknown() -> None:
    async with controller() as one:
        one.resources[SYSTEM] = {"PowerState": "On"}
        assert (await look(one)).message == "the machine is on, and it and 0 parts are well"
        one.resources[SYSTEM] = status("OK")
        assert (await look(one)).state == "up"
        one.resources[SYSTEM] = {"PowerState": None, "Status": None, "Links": "none"}
        with pytest.raises(CouldNotCheckError, match="the controller tells neither power nor health of the system"):
            await look(one)


@pytest.mark.asyncio
async def test_readings_that_are_none_are_passed_over() -> None:
    async with controller() as one:
        one.resources[THERMAL] = temperature("N/A", UpperThresholdCritical=90)
        one.resources[POWER] = {"PowerSupplies": {"Name": "PSU"}, "PowerControl": [{"PowerConsumedWatts": None}]}
        assert (await look(one)).state == "up"


@pytest.mark.asyncio
async def test_a_system_and_a_chassis_are_found_by_their_names() -> None:
    async with controller() as one:
        assert (await look(one, system="2")).message == "the machine is not on (PowerState Off)"
        assert (await look(one, chassis="2")).message == "the controller calls the health of the chassis Warning"
        with pytest.raises(CouldNotCheckError, match=r"has no Systems 3; it has 1, 2"):
            await look(one, system="3")
        with pytest.raises(CouldNotCheckError, match=r"has no Chassis 3; it has 1, 2"):
            await look(one, chassis="3")
        one.resources["/redfish/v1/Systems"] = {"Members": []}
        with pytest.raises(CouldNotCheckError, match=r"has no Systems at all; it has none"):
            await look(one)


@pytest.mark.asyncio
async def test_the_way_to_the_system_is_looked_for_once_and_anew_when_it_is_gone() -> None:
    async with controller() as one:
        probe = probe_of("redfish", **one.keys())
        await probe.sample(4_000)
        one.requests.clear()
        await probe.sample(4_000)
        assert one.requests == [SYSTEM, CHASSIS, THERMAL, POWER]
        of_another_chassis = probe_of("redfish", **one.keys(chassis="2"))
        await of_another_chassis.sample(4_000)
        one.requests.clear()
        await of_another_chassis.sample(4_000)
        assert one.requests == [SYSTEM, "/redfish/v1/Chassis/2/"]
        one.resources["/redfish/v1/Systems/Self"] = one.resources.pop(SYSTEM)
        one.resources["/redfish/v1/Systems"]["Members"][0] = reference("/redfish/v1/Systems/Self")
        with pytest.raises(CouldNotCheckError, match=r"has no /redfish/v1/Systems/1"):
            await probe.sample(4_000)
        assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("keys", "answer", "message"),
    [
        ({"password": "another"}, {}, "refuses the user monitor: is the password right, and basic authentication"),
        ({"user": "", "password": ""}, {}, "wants a user and a password"),
        ({}, {SYSTEM: 403}, "does not let the user monitor read /redfish/v1/Systems/1: give it the role ReadOnly"),
        ({}, {"/redfish/v1/": 404}, "has no /redfish/v1/: is it a Redfish controller?"),
        ({}, {SYSTEM: 308}, "answers /redfish/v1/Systems/1 with status 308"),
        ({}, {SYSTEM: b"<html>"}, "/redfish/v1/Systems/1 of the controller is not JSON"),
        ({}, {SYSTEM: []}, "/redfish/v1/Systems/1 of the controller is no resource of Redfish"),
        ({}, {SYSTEM: b" " * 1_100_000}, "sends more than 1048576 bytes for /redfish/v1/Systems/1"),
        ({}, {"/redfish/v1/": {"Systems": reference("http://elsewhere/")}}, "has no Systems at all"),
    ],
)
async def test_an_answer_in_which_the_check_sees_nothing_is_unknown(
    keys: dict[str, Any], answer: dict[str, Any], message: str
) -> None:
    async with controller() as one:
        one.resources |= answer
        with pytest.raises(CouldNotCheckError) as refused:
            await look(one, **keys)
    assert message in str(refused.value)
    assert "another" not in str(refused.value)


@pytest.mark.asyncio
async def test_a_controller_in_trouble_of_its_own_is_down_or_as_the_settings_say() -> None:
    async with controller() as one:
        one.resources[SYSTEM] = 503
        with pytest.raises(OSError, match="in trouble itself: it answers /redfish/v1/Systems/1 with status 503"):
            await look(one)
        with pytest.raises(CouldNotCheckError, match="status 503: nothing is known of the machine itself"):
            await look(one, unreachable="unknown")


@pytest.mark.asyncio
async def test_a_controller_that_refuses_the_connection_is_down_or_as_the_settings_say() -> None:
    async with controller() as one:
        keys = one.keys()
    with pytest.raises(ConnectionRefusedError, match=r"refused by 127\.0\.0\.1:\d+: nothing is known of the machine"):
        await ask("redfish", **keys)
    with pytest.raises(CouldNotCheckError, match=r"connection refused by 127\.0\.0\.1:\d+: nothing is known"):
        await ask("redfish", **keys, unreachable="unknown")


@pytest.mark.asyncio
async def test_a_controller_that_hangs_is_down_or_as_the_settings_say() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serve(silent) as port:
        keys: dict[str, Any] = {"host": "127.0.0.1", "port": port, "tls": False}
        outcome = await ask("redfish", 200, **keys)
        unknown = await ask("redfish", 200, **keys, unreachable="unknown")
    assert outcome.state == "down"
    assert outcome.message.startswith(f"127.0.0.1:{port} took the connection, but did not answer within ")
    assert unknown.state == "unknown"


@pytest.mark.asyncio
async def test_what_does_not_speak_http_is_down() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        await writer.drain()

    async with serve(greet) as port:
        with pytest.raises(OSError, match="something that is not HTTP: nothing is known of the machine itself"):
            await ask("redfish", host="127.0.0.1", port=port, tls=False)


@pytest.mark.asyncio
async def test_a_certificate_must_be_trusted_unless_the_settings_say_otherwise(certificates: Certificates) -> None:
    async with controller(certificates.context("good")) as one:
        assert (await look(one, tls=True, ca_file=certificates.authority)).state == "up"
        assert (await look(one, tls=True, verify_tls=False)).state == "up"
        with pytest.raises(CouldNotCheckError, match=r"authority that this node does not know.*verify_tls = false"):
            await look(one, tls=True)
    async with controller(certificates.context("other-name")) as one:
        with pytest.raises(CouldNotCheckError, match=r"is for another (?:name|address) \(verify_tls = false takes any"):
            await look(one, tls=True, ca_file=certificates.authority)


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("redfish", host="a b", password="x", password_file="y", ca_file="z", verify_tls=False) == [
        ("password_file", "may not stand beside password: which of them counts?"),
        ("host", "must be a host name or an address, without port, brackets or spaces"),
        ("user", "is needed beside a password"),
        ("ca_file", "has no effect with verify_tls = false"),
    ]
    assert problems_of("redfish", host="[::1]", user="a:b", tls=False, parts=False, ignore=["Fan 1"]) == [
        ("host", "must be a host name or an address, without port, brackets or spaces"),
        ("user", "may not hold a colon, which ends it in HTTP"),
        ("ignore", "has no effect with parts = false"),
    ]


def test_the_target_names_the_controller_and_the_system() -> None:
    kind = REGISTRY["redfish"]
    settings = settings_of("redfish", host="192.0.2.9", user="monitor", password="not-a-word", system="2")
    assert (kind.target(settings), kind.remote(settings)) == ("192.0.2.9:443 by Redfish, system 2", True)
