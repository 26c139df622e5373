import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import ask, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.ipmi.output import (
    Login,
    NoAnswerError,
    Sensor,
    chassis_findings,
    failure,
    power,
    sensor_finding,
    sensors,
    values,
)
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.registry import REGISTRY

HOST: dict[str, Any] = {"host": "192.0.2.9", "user": "monitor", "password": "not-a-word"}
LOGIN = Login("192.0.2.9:623", "monitor", "USER")
CHASSIS = """System Power         : on
Power Overload       : false
Main Power Fault     : true
Power Restore Policy : always-off
Chassis Intrusion    : active
Drive Fault          : false
Cooling/Fan Fault    : true
"""
LISTED = """CPU Temp         | 01h | ok  |  3.1 | 45 degrees C
Inlet Temp       | 04h | ok  |  7.1 | 21.50 degrees C
FAN 1            | 02h | lcr | 29.1 | 100 RPM
FAN 2            | 05h | ns  | 29.2 | No Reading
PS1 Status       | 03h | ok  | 10.1 | Presence detected
"""


def tool(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ipmitool of our own, before any other one."""
    (folder / "ipmitool").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ipmitool").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


async def look(deadline_ms: int = 4_000, root: Path = Path("/"), **keys: Any) -> Outcome:
    return await ask("ipmi", deadline_ms, root, **keys)


async def become(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not become true")


async def gone(pid: int) -> None:
    """Until the process has ended; whoever has to may not have waited for it yet."""
    status = Path(f"/proc/{pid}/status")
    await become(lambda: not status.exists() or "State:\tZ" in status.read_text())


def answering(chassis: str, listed: str) -> str:
    return f'case "$*" in *chassis*) cat <<END\n{chassis}END\n;; *) cat <<END\n{listed}END\nesac'


@pytest.mark.asyncio
async def test_the_password_is_in_the_environment_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    script = f'echo "$@" >> {said}.arguments; /usr/bin/env > {said}.environment; echo "System Power : on"'
    tool(tmp_path, script, monkeypatch)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/detak-agent")
    outcome = await look(**HOST, cipher_suite=17, sensors=False)
    assert outcome.message == "the machine is on"
    assert (tmp_path / "said.arguments").read_text() == (
        "-I lanplus -H 192.0.2.9 -p 623 -C 17 -U monitor -E -L USER -v chassis status\n"
    )
    environment = (tmp_path / "said.environment").read_text()
    assert "IPMI_PASSWORD=not-a-word" in environment
    assert "CREDENTIALS_DIRECTORY" not in environment


@pytest.mark.asyncio
async def test_the_worst_finding_decides_and_all_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "PATH=/bin:/usr/bin; " + answering(CHASSIS, LISTED), monkeypatch)
    outcome = await look(**HOST)
    assert outcome == Outcome(
        "down",
        "FAN 1 is at 100 RPM, below its critical limit; the main power has a fault (Main Power Fault); "
        "the cooling has a fault (Cooling/Fan Fault)",
        {},
        {"sensors": 4.0, "temperature_max_celsius": 45.0},
    )


@pytest.mark.asyncio
async def test_without_ipmitool_it_is_unknown_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotCheckError, match="ipmitool is not installed: install the package ipmitool"):
        await look(**HOST)


@pytest.mark.asyncio
async def test_a_tool_that_hangs_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, f"/bin/sleep 60 & echo $! > {tmp_path}/child; wait", monkeypatch)
    begin = time.monotonic()
    outcome = await look(500, **HOST)
    assert time.monotonic() - begin < 0.55
    assert (outcome.state, outcome.message) == (
        "down",
        "192.0.2.9:623 did not answer over IPMI in time: nothing is known of the machine itself",
    )
    await gone(int((tmp_path / "child").read_text()))


@pytest.mark.asyncio
async def test_a_sample_that_is_given_up_ends_its_tool_and_starts_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    tool(tmp_path, f"echo $$ >> {started}; exec /bin/sleep 60", monkeypatch)
    sample = asyncio.ensure_future(look(60_000, **HOST))
    await become(lambda: started.exists() and bool(started.read_text()))
    sample.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sample
    pid = int(started.read_text())
    await gone(pid)
    assert started.read_text() == f"{pid}\n"


@pytest.mark.asyncio
async def test_sensors_that_are_not_listed_in_time_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'case "$*" in *chassis*) echo "System Power : on" ;; *) exec /bin/sleep 60 ;; esac'
    tool(tmp_path, script, monkeypatch)
    with pytest.raises(CouldNotCheckError, match="the machine is on, but its sensors were not read in time"):
        await look(500, **HOST)


@pytest.mark.asyncio
async def test_an_answer_without_the_power_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "echo something else", monkeypatch)
    with pytest.raises(CouldNotCheckError, match=r"192\.0\.2\.9:623 did not tell whether the machine is on"):
        await look(**HOST)


@pytest.mark.asyncio
async def test_the_own_controller_needs_its_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, 'echo "System Power : on"; echo "$@" > ' + f"{tmp_path}/arguments", monkeypatch)
    with pytest.raises(CouldNotCheckError, match=r"this machine has no /dev/ipmi0: if it has a controller, load"):
        await look(root=tmp_path, sensors=False)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/ipmi0").touch()
    assert (await look(root=tmp_path, sensors=False)).state == "up"
    assert (tmp_path / "arguments").read_text() == "-I open -v chassis status\n"


@pytest.mark.asyncio
async def test_a_device_that_is_not_for_the_agent_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "exit 0", monkeypatch)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/ipmi0").touch()
    # The tests run as root, who may use everything.
    monkeypatch.setattr("os.access", lambda *_about: False)
    with pytest.raises(CouldNotCheckError, match=r"the agent may not use .*/dev/ipmi0: give its group read and write"):
        await look(root=tmp_path)


@pytest.mark.parametrize(
    ("errors", "kind", "words"),
    [
        (
            "Address lookup for bmc.invalid failed\nCould not open",
            NoAnswerError,
            "the name bmc.invalid does not resolve",
        ),
        ("Get Auth Capabilities error\nError: Unable to establish IPMI v2", NoAnswerError, "does not answer over IPMI"),
        (
            "> RAKP 2 HMAC is invalid\nError: Unable to establish",
            CouldNotCheckError,
            "not accept the password of the user",
        ),
        ("RAKP 2 message indicates an error : unauthorized name", CouldNotCheckError, "does not know the user monitor"),
        (
            "RAKP 2 message indicates an error : unauthorized role or privilege level requested",
            CouldNotCheckError,
            "does not let the user monitor read this with privilege USER",
        ),
        ("Get SDR failed: Insufficient privilege level", CouldNotCheckError, "with privilege USER: raise either"),
        (
            "Error in open session response message : no cipher suite match with proposed security algorithms",
            CouldNotCheckError,
            "does not take the cipher suite",
        ),
        (
            "Error in open session response message : insufficient resources to create a session",
            CouldNotCheckError,
            "has no session left",
        ),
        (
            "RAKP 2 message indicates an error : unauthorized GUID\nError: Unable to establish IPMI v2 / RMCP+ session",
            CouldNotCheckError,
            "192.0.2.9:623 refused the session: unauthorized GUID",
        ),
        (
            "Activate Session command failed\nError: Unable to establish LAN",
            CouldNotCheckError,
            "refused the session of",
        ),
        ("Get HPM.x Capabilities request failed\nSegfault\n", CouldNotCheckError, "ipmitool failed: Segfault"),
        ("", CouldNotCheckError, "ipmitool failed: it does not say why"),
    ],
)
def test_a_failure_is_told_by_what_ipmitool_prints(errors: str, kind: type[Exception], words: str) -> None:
    error = failure(errors, LOGIN)
    assert type(error) is kind
    assert words in str(error)


def test_the_chassis_tells_power_and_faults() -> None:
    assert (power(CHASSIS), power("System Power : off\n"), power("")) == ("on", "off", None)
    assert chassis_findings(CHASSIS) == [
        Finding("degraded", "the main power has a fault (Main Power Fault)"),
        Finding("degraded", "the cooling has a fault (Cooling/Fan Fault)"),
    ]


def test_sensors_without_a_reading_and_lines_that_are_none_are_passed_over() -> None:
    found = sensors(f"Get HPM.x Capabilities request failed\n{LISTED}")
    assert [(sensor.name, sensor.status) for sensor in found] == [
        ("CPU Temp", "ok"),
        ("Inlet Temp", "ok"),
        ("FAN 1", "lcr"),
        ("PS1 Status", "ok"),
    ]
    assert values(found) == {"sensors": 4.0, "temperature_max_celsius": 45.0}
    assert values([]) == {"sensors": 0.0}


@pytest.mark.parametrize(
    ("status", "reading", "state"),
    [
        ("ok", "45 degrees C", None),
        ("lnc", "5 Volts", "degraded"),
        ("unc", "5 Volts", "degraded"),
        ("nc", "5 Volts", "degraded"),
        ("lcr", "5 Volts", "down"),
        ("ucr", "5 Volts", "down"),
        ("cr", "5 Volts", "down"),
        ("lnr", "5 Volts", "down"),
        ("unr", "5 Volts", "down"),
        ("ok", "Fully Redundant", None),
        ("ok", "Drive Present", None),
        ("ok", "Presence detected, Power Supply AC lost", "degraded"),
        ("ok", "Redundancy Lost", "degraded"),
        ("ok", "Drive Present, Drive Fault", "degraded"),
        ("ok", "Correctable ECC", None),
        ("ok", "Uncorrectable ECC", "degraded"),
        ("ok", "IERR", "degraded"),
        ("ok", "Transition to Critical from less severe", "degraded"),
    ],
)
def test_the_state_of_a_sensor_follows_from_its_limits_or_its_words(
    status: str, reading: str, state: str | None
) -> None:
    finding = sensor_finding(Sensor("tested", status, reading), "down")
    assert (finding.state if finding is not None else None) == state


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("ipmi", host="-H x", password="a", password_file="b", interface="lan", cipher_suite=3) == [
        ("password_file", "may not stand beside password: which of them counts?"),
        ("host", "must be a host name or an address, without port, brackets or spaces"),
        ("user", "is needed beside host"),
        ("cipher_suite", 'has no effect with interface = "lan"'),
    ]
    assert problems_of("ipmi", user="monitor", port=624, sensors=False, ignore=["Fan 1"]) == [
        ("port", "has no effect without host"),
        ("user", "has no effect without host"),
        ("ignore", "has no effect with sensors = false"),
    ]


def test_the_own_controller_is_local_and_another_one_remote() -> None:
    remote, target = REGISTRY["ipmi"].remote, REGISTRY["ipmi"].target
    own, other = settings_of("ipmi"), settings_of("ipmi", **HOST)
    assert (remote(own), target(own)) == (False, "this machine's own management controller")
    assert (remote(other), target(other)) == (True, "192.0.2.9:623 by IPMI")
