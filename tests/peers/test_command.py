"""The plug-ins of the Monitoring Plugins as Debian installs them."""

import socket
from pathlib import Path

import pytest

from agent.checks.check_stage import ask, probe_of, serve
from agent.checks.test_check_tcp import silent

FOLDER = "/usr/lib/nagios/plugins"

pytestmark = pytest.mark.peers(
    *(f"{FOLDER}/check_{name}" for name in ("dummy", "load", "tcp", "disk", "file_age", "procs"))
)


@pytest.mark.parametrize(("status", "state"), [("0", "up"), ("1", "degraded"), ("2", "down"), ("3", "unknown")])
@pytest.mark.asyncio
async def test_each_state_of_a_plug_in_is_one_of_ours(status: str, state: str) -> None:
    outcome = await ask("command", command=[f"{FOLDER}/check_dummy", status, "as it was told"])
    assert outcome.state == state
    assert outcome.message.endswith(": as it was told")


@pytest.mark.asyncio
async def test_a_status_that_no_plug_in_has_is_unknown() -> None:
    assert (await ask("command", command=[f"{FOLDER}/check_dummy", "7"])).state == "unknown"


@pytest.mark.asyncio
async def test_load_is_measured_and_judged_by_the_plug_in_s_own_limits() -> None:
    load = f"{FOLDER}/check_load"
    outcome = await ask("command", command=[load, "-w", "9999,9999,9999", "-c", "9999,9999,9999"])
    assert outcome.state == "up"
    assert outcome.message.startswith("LOAD OK - ")
    assert set(outcome.values) >= {"load1", "load5", "load15"}


@pytest.mark.asyncio
async def test_disks_and_processes_are_measured() -> None:
    outcome = await ask("command", command=[f"{FOLDER}/check_disk", "-w", "1%", "-c", "1%", "-p", "/"])
    assert outcome.state in {"up", "degraded", "down"}
    assert outcome.values
    outcome = await ask("command", command=[f"{FOLDER}/check_procs", "-c", "1:"])
    assert (outcome.state, outcome.values["procs"] > 0) == ("up", True)


@pytest.mark.asyncio
async def test_a_port_is_up_while_it_listens_and_down_afterwards() -> None:
    async with serve(silent) as port:
        probe = probe_of("command", command=[f"{FOLDER}/check_tcp", "-H", "127.0.0.1", "-p", str(port), "-t", "3"])
        outcome = await probe.sample(4_000)
        assert outcome.state == "up"
        assert outcome.values["time_s"] >= 0
    outcome = await probe.sample(4_000)
    assert outcome.state == "down"
    assert "Connection refused" in outcome.message


@pytest.mark.asyncio
async def test_a_plug_in_with_a_limit_of_its_own_says_down_before_it_is_killed() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        try:
            command = [f"{FOLDER}/check_tcp", "-H", "127.0.0.1", "-p", str(port)]
            assert (await ask("command", command=[*command, "-t", "1"])).state == "down"
            assert (await ask("command", 500, command=[*command, "-t", "9"])).state == "unknown"
        finally:
            for one in waiting:
                one.close()


@pytest.mark.asyncio
async def test_a_plug_in_in_perl_finds_its_modules(tmp_path: Path) -> None:
    (tmp_path / "dump").write_text("x")
    command = [f"{FOLDER}/check_file_age", "-w", "100", "-c", "200", "-f", str(tmp_path / "dump")]
    outcome = await ask("command", command=command)
    assert (outcome.state, outcome.values["size_bytes"]) == ("up", 1)


@pytest.mark.asyncio
async def test_wrong_arguments_of_a_plug_in_are_unknown_in_its_own_words() -> None:
    outcome = await ask("command", command=[f"{FOLDER}/check_load", "--nonsense"])
    assert outcome.state == "unknown"
    assert outcome.message == f"{FOLDER}/check_load: unrecognized option '--nonsense'"
