"""The kind `systemd` against a real one, booted in a container and asked from outside over its bus."""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import DEADLINE_MS, ask, probe_of
from detak_agent.checks.base import Outcome, Probe
from peers.systemd_container import LASTING, PATIENCE_S, Container, booted

pytestmark = [
    pytest.mark.peers("systemd-nspawn", "debootstrap", "nsenter"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can boot a container"),
]


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    with booted() as one:
        yield one


async def look(container: Container, *units: str, **keys: Any) -> Outcome:
    return await ask("systemd", root=container.root, units=units, **keys)


async def become(probe: Probe, state: str) -> Outcome:
    """What the check says once it says `state`; what it said last if it never does."""
    until = time.monotonic() + PATIENCE_S
    outcome = await probe.sample(DEADLINE_MS)
    while outcome.state != state and time.monotonic() < until:
        await asyncio.sleep(0.05)
        outcome = await probe.sample(DEADLINE_MS)
    return outcome


@pytest.mark.asyncio
async def test_a_service_that_runs_is_up_and_a_restart_changes_its_mark(container: Container) -> None:
    unit = container.running("lasting.service")
    probe = probe_of("systemd", container.root, units=["lasting"])
    first = await probe.sample(DEADLINE_MS)
    assert (first.state, first.message) == ("up", "lasting.service is active (running)")
    assert re.fullmatch(r"[0-9a-f]{32}", first.marks["invocation"])
    assert (await probe.sample(DEADLINE_MS)).marks == first.marks
    container.systemctl("restart", unit)
    again = await probe.sample(DEADLINE_MS)
    assert again.state == "up"
    assert again.marks != first.marks


@pytest.mark.asyncio
async def test_a_kill_between_two_samples_shows_and_forgetting_it_does_not(container: Container) -> None:
    unit = container.running("killed.service", f"{LASTING}Restart=always\nRestartSec=0\n")
    probe = probe_of("systemd", container.root, units=[unit])
    before = await probe.sample(DEADLINE_MS)
    container.systemctl("kill", "--signal=KILL", unit)
    # It runs on for a moment, and then does not for another.
    until = time.monotonic() + PATIENCE_S
    after = before
    while (after.state != "up" or after.marks == before.marks) and time.monotonic() < until:
        after = await probe.sample(DEADLINE_MS)
    assert after.state == "up"
    restarts = container.systemctl("show", "--value", "--property=NRestarts", unit).stdout
    container.systemctl("reset-failed")
    assert (restarts, container.systemctl("show", "--value", "--property=NRestarts", unit).stdout) == ("1\n", "0\n")
    assert (await probe.sample(DEADLINE_MS)).marks == after.marks


@pytest.mark.asyncio
async def test_a_service_that_reloads_is_up(container: Container) -> None:
    unit = container.running("reloading.service", f"{LASTING}ExecReload=/bin/sleep infinity\n")
    container.systemctl("reload", "--no-block", unit)
    assert (await look(container, unit)).message == "reloading.service is reloading (reload)"


@pytest.mark.asyncio
async def test_a_stopped_service_is_down(container: Container) -> None:
    unit = container.running("stopped.service")
    container.systemctl("stop", unit)
    outcome = await look(container, unit)
    assert (outcome.state, outcome.marks) == ("down", {})
    assert outcome.message == "stopped.service is not running: see systemctl status stopped.service"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("exits", "ExecStart=/bin/sh -c 'exit 7'", "its main process exited with status 7"),
        ("aborts", "ExecStart=/bin/sh -c 'kill -ABRT $$$$'", "its main process was killed by SIGABRT"),
        ("absent", "ExecStart=/usr/bin/nothing", "its main process exited with status 203: its program could not be"),
        ("before", "ExecStartPre=/bin/false\nExecStart=/bin/true", "a command beside its main process failed"),
        ("silent", "Type=notify\nExecStart=/bin/sleep 60\nTimeoutStartSec=200ms", "it took longer than its time-out"),
        ("bitten", "WatchdogSec=200ms\nExecStart=/bin/sleep 60", "it gave its watchdog no sign of life"),
        ("missed", "User=nobody-such\nExecStart=/bin/true", "exited with status 217: its user does not exist"),
    ],
)
async def test_a_failed_service_says_why(container: Container, name: str, text: str, why: str) -> None:
    unit = f"{name}.service"
    container.install(unit, f"[Service]\n{text}\n")
    container.systemctl("start", unit)
    container.reached(unit, "failed")
    outcome = await look(container, unit)
    assert outcome.state == "down"
    assert outcome.message.startswith(f"{unit} failed: ")
    assert why in outcome.message


@pytest.mark.asyncio
async def test_a_service_that_is_started_again_and_again_is_down_and_in_the_end_given_up(container: Container) -> None:
    text = "[Service]\nExecStart=/bin/sh -c 'exit 9'\nRestart=always\nRestartSec={}\n"
    waiting = "waiting.service"
    container.install(waiting, text.format("60s"))
    container.systemctl("start", waiting)
    probe = probe_of("systemd", container.root, units=[waiting], activating="degraded")
    assert (await become(probe, "down")).message == (
        "waiting.service fails and is started again: its main process exited with status 9"
    )
    container.install("hasty.service", text.format("0"))
    container.systemctl("start", "hasty.service")
    container.reached("hasty.service", "failed")
    assert (await look(container, "hasty")).message.startswith("hasty.service failed: ")


@pytest.mark.asyncio
async def test_a_service_that_is_still_starting_is_down_or_as_the_settings_say(container: Container) -> None:
    script = "until test -e /run/slow-is-ready; do sleep 0.05; done; systemd-notify --ready; exec sleep infinity"
    container.install("slow.service", f"[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c '{script}'\n")
    container.systemctl("start", "--no-block", "slow.service")
    container.reached("slow.service", "activating")
    outcome = await look(container, "slow")
    assert (outcome.state, outcome.message) == ("down", "slow.service is still starting (start)")
    starting = await look(container, "slow", activating="degraded")
    (container.root / "run/slow-is-ready").touch()
    container.reached("slow.service", "active")
    assert (starting.state, starting.marks) == ("degraded", (await look(container, "slow")).marks)
    assert starting.marks


@pytest.mark.asyncio
async def test_a_unit_that_cannot_be_is_down_with_the_reason(container: Container) -> None:
    container.install("wrong.service", "[Service]\nRestart=always\n")
    (container.root / "run/systemd/system/hidden.service").symlink_to("/dev/null")
    container.systemctl("daemon-reload")
    messages = [(await look(container, name)).message for name in ("nothing", "hidden", "wrong")]
    assert messages == [
        "there is no unit nothing.service: is the name right, and its package installed?",
        "hidden.service is masked: systemctl unmask hidden.service lets it start",
        "the file of wrong.service has an error (bad-setting): see systemctl status wrong.service",
    ]


@pytest.mark.asyncio
async def test_a_service_whose_file_is_gone_is_degraded_while_it_runs(container: Container) -> None:
    unit = container.running("orphan.service")
    (container.root / "run/systemd/system" / unit).unlink()
    container.systemctl("daemon-reload")
    outcome = await look(container, unit)
    assert outcome.state == "degraded"
    assert "it runs, but could not start again: there is no unit orphan.service" in outcome.message


@pytest.mark.asyncio
async def test_of_several_units_as_many_as_needed_must_run(container: Container) -> None:
    one, two = container.running("worker@1.service"), container.running("worker@2.service")
    all_needed = await look(container, one, two)
    assert (all_needed.state, all_needed.values) == ("up", {"units": 2.0})
    assert len(all_needed.marks) == 1
    assert (await look(container, one, two, at_least=1)).marks == {}
    container.systemctl("restart", two)
    assert (await look(container, one, two)).marks != all_needed.marks
    container.systemctl("stop", two)
    spared = await look(container, one, two, at_least=1)
    assert (spared.state, spared.message) == (
        "degraded",
        "worker@2.service is not running: see systemctl status worker@2.service",
    )
    missed = await look(container, one, two)
    assert missed.state == "down"
    assert missed.message.startswith("1 of the 2 units that are needed run: worker@2.service is not running")


@pytest.mark.asyncio
async def test_an_alias_and_other_kinds_of_units_are_found(container: Container) -> None:
    unit = container.running("named.service")
    (container.root / "run/systemd/system/called.service").symlink_to(unit)
    container.systemctl("daemon-reload")
    assert (await look(container, "called")).message == "named.service is active (running)"
    assert (await look(container, "dbus.socket", "-.mount", "basic.target", "system.slice")).state == "up"


@pytest.mark.asyncio
async def test_a_oneshot_service_that_remains_is_up_after_its_run_and_down_without(container: Container) -> None:
    text = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
    unit = container.running("remaining.service", text)
    assert (await look(container, unit)).message == "remaining.service is active (exited)"
    container.systemctl("stop", unit)
    assert (await look(container, unit)).state == "down"


@pytest.mark.asyncio
async def test_a_job_is_judged_by_its_last_run_also_while_the_next_one_is_under_way(container: Container) -> None:
    script = "test ! -e /run/job-fails && test ! -e /run/job-waits || { test ! -e /run/job-fails && sleep 600; }"
    container.install("job.service", f"[Service]\nType=oneshot\nExecStart=/bin/sh -c '{script}'\n")
    container.install("job.timer", "[Timer]\nOnCalendar=2000-01-01\nUnit=job.service\n[Install]\n")
    fails, waits = container.root / "run/job-fails", container.root / "run/job-waits"
    container.systemctl("start", "job.timer")
    by_itself = probe_of("systemd", container.root, units=["job"])
    by_timer = probe_of("systemd", container.root, units=["job.timer"])

    async def both() -> list[str]:
        return [(await probe.sample(DEADLINE_MS)).state for probe in (by_itself, by_timer)]

    assert await both() == ["up", "up"]
    fails.touch()
    container.systemctl("start", "job.service")
    assert await both() == ["down", "down"]
    assert (await by_timer.sample(DEADLINE_MS)).message == (
        "the last run of job.service (of job.timer) failed: its main process exited with status 1"
    )
    fails.unlink()
    waits.touch()
    container.systemctl("start", "--no-block", "job.service")
    container.reached("job.service", "activating")
    assert await both() == ["down", "down"]
    assert (await look(container, "job.timer")).message == "job.service (of job.timer) is under way (start)"
    waits.unlink()
    container.systemctl("restart", "job.service")
    assert await both() == ["up", "up"]
    container.systemctl("stop", "job.timer")
    assert await both() == ["up", "down"]
