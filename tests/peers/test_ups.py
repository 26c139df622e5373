from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.ups_server import DRIVER, UPSD, Upsd, running

pytestmark = pytest.mark.peers(UPSD, DRIVER, "env")


@pytest.fixture(scope="module")
def shared() -> Iterator[Upsd]:
    with running() as one:
        yield one


@pytest.fixture
def server(shared: Upsd) -> Upsd:
    shared.tell()
    return shared


async def sample(server: Upsd, **keys: Any) -> Outcome:
    return await ask("ups", **{**server.keys, **keys})


@pytest.mark.asyncio
async def test_a_ups_on_mains_power_is_up(server: Upsd) -> None:
    outcome = await sample(server)
    assert outcome.state == "up"
    assert outcome.message == "on mains power, battery charging, battery 93 %, lasts 1800 s"
    assert outcome.values == {"battery_charge_percent": 93, "battery_runtime_s": 1_800, "input_voltage_v": 231.4}


@pytest.mark.asyncio
async def test_a_ups_on_battery_is_degraded_or_down_as_wanted(server: Upsd) -> None:
    server.tell(ups__status="OB DISCHRG", input__voltage="0")
    degraded = await sample(server)
    assert (degraded.state, degraded.message) == ("degraded", "on battery: mains 0 V (OB)")
    assert (await sample(server, on_battery="down")).state == "down"


@pytest.mark.asyncio
async def test_a_ups_whose_battery_is_nearly_empty_is_down(server: Upsd) -> None:
    server.tell(ups__status="OB LB", battery__charge="7", battery__runtime="60")
    outcome = await sample(server)
    assert outcome.state == "down"
    assert outcome.message == "on battery, which is nearly empty: the power goes any moment (OB LB)"


@pytest.mark.asyncio
async def test_charge_and_runtime_have_limits(server: Upsd) -> None:
    server.tell(ups__status="OB", battery__charge="40", battery__runtime="500")
    keys = {"charge_degraded_percent": 50, "charge_down_percent": 30}
    assert "battery charged to 40.0 % (limit 50 %)" in (await sample(server, **keys)).message
    assert (await sample(server, runtime_down_s=600)).state == "down"


@pytest.mark.asyncio
async def test_a_mark_follows_the_uptime_that_the_device_tells(server: Upsd) -> None:
    server.tell(device__uptime="90000")
    probe = probe_of("ups", **server.keys)
    first = (await probe.sample(4_000)).marks
    server.tell(device__uptime="90001")
    assert first == (await probe.sample(4_000)).marks
    server.tell(device__uptime="1")
    assert first != (await probe.sample(4_000)).marks


@pytest.mark.asyncio
async def test_a_ups_that_its_driver_has_lost_is_unknown_or_down_as_wanted(server: Upsd) -> None:
    with server.deaf():
        outcome = await sample(server)
        down = await sample(server, no_data="down")
    assert (outcome.state, down.state) == ("unknown", "down")
    assert outcome.message.startswith("upsd has lost the UPS: its driver gets no data any more")
    driverless = await sample(server, ups="driverless")
    assert driverless.state == "unknown"
    assert driverless.message.startswith("the driver of the UPS does not run")


@pytest.mark.asyncio
async def test_a_ups_that_upsd_does_not_have_is_unknown_and_the_others_are_named(server: Upsd) -> None:
    with pytest.raises(CouldNotCheckError, match="has no UPS 'two'; it has one, driverless"):
        await sample(server, ups="two")


@pytest.mark.asyncio
async def test_a_user_and_a_password_are_taken(server: Upsd) -> None:
    assert (await sample(server, user="detak", password='s3k"ret')).state == "up"


@pytest.mark.asyncio
async def test_an_upsd_that_is_frozen_or_stopped_says_nothing_of_the_power(server: Upsd) -> None:
    where = f"127.0.0.1:{server.port}"
    probe = probe_of("ups", **server.keys)
    await probe.sample(4_000)
    with server.server.frozen():
        frozen = await probe.sample(300)
    server.server.stop()
    try:
        stopped = await sample(server)
        down = await sample(server, no_data="down")
    finally:
        server.server.start()
    assert (frozen.state, frozen.message) == (
        "unknown",
        f"{where} took the connection, but did not answer within 300 ms",
    )
    assert (stopped.state, stopped.message) == ("unknown", f"connection refused by {where}")
    assert down.state == "down"


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors_open(server: Upsd) -> None:
    probe = probe_of("ups", **server.keys)
    await probe.sample(4_000)
    before = open_files_at_first()
    for _ in range(50):
        await probe.sample(4_000)
    assert open_files() == before
