"""The kind `ipmi` with the real ipmitool against a simulated controller."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.ipmi_server import FAN, PASSWORD, SUPPLY, TEMPERATURE, USER, Controller, simulated_controller
from peers.server_process import free_port, freeze

pytestmark = pytest.mark.peers("ipmi_sim", "ipmitool")


@pytest.fixture
def controller() -> Iterator[Controller]:
    with simulated_controller() as one:
        yield one


def keys_of(controller: Controller, **keys: Any) -> dict[str, Any]:
    # It does not tell its cipher suites, and has but this one.
    suite = {} if keys.get("interface") == "lan" else {"cipher_suite": 3}
    return {"host": "127.0.0.1", "port": controller.port, "user": USER, "password": PASSWORD, **suite, **keys}


async def look(controller: Controller, deadline_ms: int = 10_000, **keys: Any) -> Outcome:
    return await ask("ipmi", deadline_ms, **keys_of(controller, **keys))


@pytest.mark.asyncio
@pytest.mark.parametrize("interface", ["lanplus", "lan"])
async def test_a_machine_that_is_on_and_well_is_up(controller: Controller, interface: str) -> None:
    outcome = await look(controller, interface=interface)
    assert (outcome.state, outcome.message) == ("up", "the machine is on, and 3 sensors are well")
    assert outcome.values == {"sensors": 3.0, "temperature_max_celsius": 45.0}


@pytest.mark.asyncio
async def test_a_machine_that_is_switched_off_is_down(controller: Controller) -> None:
    controller.switch(on=False)
    outcome = await look(controller)
    assert (outcome.state, outcome.message) == ("down", "the machine is switched off (System Power: off)")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sensor", "count", "state", "message"),
    [
        (TEMPERATURE, 85, "degraded", "CPU Temp is at 85 degrees C, above its warning limit"),
        (TEMPERATURE, 95, "down", "CPU Temp is at 95 degrees C, above its critical limit"),
        (TEMPERATURE, 105, "down", "CPU Temp is at 105 degrees C, above its non-recoverable limit"),
        (FAN, 30, "degraded", "Fan 1 is at 30 RPM, below its warning limit"),
        (FAN, 15, "down", "Fan 1 is at 15 RPM, below its critical limit"),
    ],
)
async def test_a_sensor_beyond_a_limit_says_which_one(
    controller: Controller, sensor: int, count: int, state: str, message: str
) -> None:
    controller.measure(sensor, count)
    outcome = await look(controller)
    assert (outcome.state, outcome.message) == (state, message)


@pytest.mark.asyncio
async def test_what_a_critical_sensor_means_and_which_ones_count_is_for_the_settings_to_say(
    controller: Controller,
) -> None:
    controller.measure(TEMPERATURE, 95)
    assert (await look(controller, critical="degraded")).state == "degraded"
    ignored = await look(controller, ignore=["CPU Temp"])
    assert (ignored.state, ignored.values) == ("up", {"sensors": 2.0})
    assert (await look(controller, sensors=False)).message == "the machine is on"


@pytest.mark.asyncio
async def test_a_failed_power_supply_is_degraded(controller: Controller) -> None:
    controller.say(SUPPLY, 1, on=True)
    outcome = await look(controller)
    assert (outcome.state, outcome.message) == ("degraded", "PS1 Status: Presence detected, Failure detected")
    controller.say(SUPPLY, 1, on=False)
    assert (await look(controller)).state == "up"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"password": "another one"}, r"127\.0\.0\.1:\d+ does not accept the password of the user monitor"),
        ({"user": "nobody"}, r"127\.0\.0\.1:\d+ does not know the user nobody"),
        ({"cipher_suite": 17}, r"127\.0\.0\.1:\d+ does not take the cipher suite: set cipher_suite"),
        ({"user": "nobody", "interface": "lan"}, r"127\.0\.0\.1:\d+ does not know the user nobody"),
    ],
)
async def test_a_controller_that_refuses_the_agent_is_unknown(
    controller: Controller, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(CouldNotCheckError, match=message) as refused:
        await look(controller, **keys)
    assert "another one" not in str(refused.value)


@pytest.mark.asyncio
async def test_the_password_may_lie_in_a_file(controller: Controller, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    outcome = await look(controller, password="", password_file=str(tmp_path / "password"))
    assert outcome.state == "up"


@pytest.mark.asyncio
async def test_a_controller_that_hangs_is_down_or_as_the_settings_say(controller: Controller) -> None:
    freeze(controller.process.pid)
    outcome = await look(controller, 1_000)
    assert outcome.state == "down"
    assert outcome.message.endswith("did not answer over IPMI in time: nothing is known of the machine itself")
    assert (await look(controller, 1_000, unreachable="unknown")).state == "unknown"
    controller.process.send_signal(signal.SIGCONT)
    assert (await look(controller)).state == "up"


@pytest.mark.asyncio
async def test_a_host_without_a_controller_is_down() -> None:
    outcome = await ask("ipmi", 1_000, host="127.0.0.1", port=free_port(), user=USER, cipher_suite=3)
    assert outcome.state == "down"
    assert outcome.message.endswith("did not answer over IPMI in time: nothing is known of the machine itself")


@pytest.mark.asyncio
async def test_a_name_without_an_address_is_down() -> None:
    outcome = await ask("ipmi", host="controller.invalid", user=USER, cipher_suite=3)
    assert (outcome.state, outcome.message) == ("down", "the name controller.invalid does not resolve")


@pytest.mark.asyncio
async def test_samples_leave_no_file_open(controller: Controller) -> None:
    probe = probe_of("ipmi", **keys_of(controller))
    await probe.sample(10_000)
    before = open_files_at_first()
    for _ in range(20):
        assert (await probe.sample(10_000)).state == "up"
    assert open_files() == before
