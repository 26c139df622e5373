"""The kind `redfish` against the emulator of sushy-tools."""

from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.redfish_server import OFF_ID, ON_ID, PASSWORD, USER, Emulator, emulated_controller

pytestmark = pytest.mark.peers("openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def controller(certificates: Certificates) -> Iterator[Emulator]:
    with emulated_controller(certificates) as one:
        yield one


def keys_of(one: Emulator, **keys: Any) -> dict[str, Any]:
    least = {"host": "127.0.0.1", "port": one.port, "user": USER, "password": PASSWORD}
    return {**least, "ca_file": one.authority, "system": ON_ID, **keys}


async def look(one: Emulator, **keys: Any) -> Outcome:
    return await ask("redfish", 10_000, **keys_of(one, **keys))


@pytest.mark.asyncio
async def test_the_emulated_machine_is_on_and_its_fans_and_temperatures_are_well(controller: Emulator) -> None:
    outcome = await look(controller)
    assert (outcome.state, outcome.message) == ("up", "the machine is on, and it and 5 parts are well")
    assert outcome.values["temperature_max_celsius"] == 41.0
    assert (await look(controller, parts=False)).state == "up"


@pytest.mark.asyncio
async def test_a_machine_that_is_switched_off_is_down(controller: Emulator) -> None:
    outcome = await look(controller, system=OFF_ID)
    assert (outcome.state, outcome.message) == ("down", "the machine is not on (PowerState Off)")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"password": "another"}, "refuses the user monitor: is the password right"),
        ({"user": "nobody"}, "refuses the user nobody: is the password right"),
        ({"system": "unheard-of"}, f"has no Systems unheard-of; it has {ON_ID}, {OFF_ID}"),
        ({"ca_file": ""}, "comes from an authority that this node does not know"),
        ({"ca_file": "", "host": "localhost"}, "(verify_tls = false takes any)"),
    ],
)
async def test_what_the_check_may_not_see_is_unknown(controller: Emulator, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(CouldNotCheckError) as refused:
        await look(controller, **keys)
    assert message in str(refused.value)


@pytest.mark.asyncio
async def test_a_controller_that_hangs_is_down_and_one_that_comes_back_up(controller: Emulator) -> None:
    with controller.server.frozen():
        outcome = await ask("redfish", 400, **keys_of(controller))
    assert outcome.state == "down"
    assert "took the connection, but did not answer within" in outcome.message
    assert (await look(controller)).state == "up"


@pytest.mark.asyncio
async def test_a_controller_that_is_gone_is_down(certificates: Certificates) -> None:
    with emulated_controller(certificates) as one:
        probe = probe_of("redfish", **keys_of(one))
        assert (await probe.sample(10_000)).state == "up"
        one.server.stop()
        with pytest.raises(ConnectionRefusedError, match="nothing is known of the machine itself"):
            await probe.sample(10_000)
        one.server.start()
        assert (await probe.sample(10_000)).state == "up"


@pytest.mark.asyncio
async def test_samples_leave_no_connection_open(controller: Emulator) -> None:
    probe = probe_of("redfish", **keys_of(controller))
    await probe.sample(10_000)
    before = open_files_at_first()
    for _ in range(20):
        assert (await probe.sample(10_000)).state == "up"
    assert open_files() == before
