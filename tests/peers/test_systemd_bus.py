"""What becomes of the kind `systemd` when the bus, or systemd itself, does not answer."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.checks.check_stage import DEADLINE_MS, ask, open_files, open_files_at_first, probe_of
from detak_agent.checks.base import CouldNotCheckError, Outcome, Probe
from peers.server_process import freeze
from peers.systemd_container import PATIENCE_S, Container, booted

pytestmark = [
    pytest.mark.peers("systemd-nspawn", "debootstrap", "nsenter"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can boot a container"),
]


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    with booted() as one:
        yield one


async def answered(probe: Probe) -> Outcome:
    """The first outcome that is one: after a restart of the bus systemd itself needs a moment to be on it again."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with contextlib.suppress(CouldNotCheckError):
            return await probe.sample(DEADLINE_MS)
        await asyncio.sleep(0.05)
    raise AssertionError("systemd did not come back to the bus")


@contextlib.contextmanager
def without_bus(container: Container) -> Iterator[None]:
    container.systemctl("stop", "dbus.socket", "dbus.service")
    try:
        yield
    finally:
        container.systemctl("start", "dbus.socket", "dbus.service")


@pytest.mark.asyncio
async def test_a_restarted_bus_is_found_again_and_without_one_nothing_is_known(container: Container) -> None:
    container.running("busless.service")
    probe = probe_of("systemd", container.root, units=["busless"])
    before = await answered(probe)
    with (
        without_bus(container),
        pytest.raises(CouldNotCheckError, match=r"no system bus at .*: install and start"),
    ):
        await probe.sample(DEADLINE_MS)
    after = await answered(probe)
    assert (after.state, after.marks) == ("up", before.marks)
    assert after.marks


@pytest.mark.asyncio
async def test_a_bus_that_was_killed_between_two_samples_does_not_show(container: Container) -> None:
    container.running("unimpressed.service")
    probe = probe_of("systemd", container.root, units=["unimpressed"])
    before = await answered(probe)
    container.systemctl("kill", "--signal=KILL", "dbus.service")
    assert await answered(probe) == before


@pytest.mark.asyncio
async def test_a_systemd_that_hangs_is_unknown_and_afterwards_up(container: Container) -> None:
    container.running("patient.service")
    before = open_files_at_first()
    probe = probe_of("systemd", container.root, units=["patient"])
    assert (await answered(probe)).state == "up"
    freeze(container.leader)
    try:
        with pytest.raises(CouldNotCheckError, match="systemd did not answer on the system bus within 300 ms"):
            await probe.sample(300)
        await asyncio.sleep(0.05)
        assert open_files() == before
    finally:
        os.kill(container.leader, signal.SIGCONT)
    assert (await probe.sample(DEADLINE_MS)).state == "up"


def sockets() -> set[str]:
    """The sockets of this process, by their numbers in the kernel."""
    names = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(str(descriptor.readlink()))
    return {name for name in names if name.startswith("socket:")}


@pytest.mark.asyncio
async def test_samples_leave_no_file_open_and_a_dropped_check_closes_its_connection(container: Container) -> None:
    container.running("counted.service")
    before = open_files_at_first()
    probe = probe_of("systemd", container.root, units=["counted", "nothing"], at_least=1)
    await probe.sample(DEADLINE_MS)
    kept = sockets()
    assert open_files() == before + 1
    for _ in range(50):
        await probe.sample(DEADLINE_MS)
    assert (open_files(), sockets()) == (before + 1, kept)
    del probe
    await asyncio.sleep(0.05)
    assert open_files() == before


CONFIGURATION = """<busconfig>
  <listen>unix:path={root}/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{root}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
ACTIVATION = "[D-BUS Service]\nName=org.freedesktop.systemd1\nExec=/bin/false\n"


@contextlib.contextmanager
def bus_without_systemd(services: dict[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "run/dbus").mkdir(parents=True)
        (root / "services").mkdir()
        for name, text in services.items():
            (root / "services" / name).write_text(text)
        (root / "bus.conf").write_text(CONFIGURATION.format(root=root))
        command = ["dbus-daemon", f"--config-file={root}/bus.conf", "--nofork", "--print-address"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
            try:
                assert daemon.stdout is not None
                assert daemon.stdout.readline()
                yield root
            finally:
                daemon.kill()


@pytest.mark.asyncio
@pytest.mark.peers("dbus-daemon")
@pytest.mark.parametrize("services", [{}, {"org.freedesktop.systemd1.service": ACTIVATION}])
async def test_a_machine_with_another_init_is_unknown(services: dict[str, str]) -> None:
    with (
        bus_without_systemd(services) as root,
        pytest.raises(CouldNotCheckError, match="systemd is not on the system bus"),
    ):
        await ask("systemd", root=root, units=["nginx"])
