"""The units in booted systems: the ways down, a disk that stands still, processes that are hidden.

Being killed or frozen is in test_install_life.py, every kind of check in test_units_and_checks.py.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from booted_tree import Machine, Wire, until, whole_tree, wire
from packaged import AT_NIGHT, AUTHORITY, URL, Installed, bring, installed_by_the_document, package
from test_units import MOST_EXPOSED

from conftest import program_path

pytestmark = AT_NIGHT

PROGRAMS = {"detak-collector": "collector", "detak-agent": "node"}
NETWORK = """\
[Unit]
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c "for one in /sys/class/net/*; do ip link set $$(basename $$one) down; done"
"""
"""What takes the network away when the machine goes down, as those that manage it may."""

STALLED_S = 45


@pytest.fixture(scope="module")
def cable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wire(tmp_path_factory.mktemp("wire"), whole_tree()) as made:
        yield made


@pytest.fixture(scope="module")
def installed(cable: Wire) -> Installed:
    return installed_by_the_document(cable)


def another_node(installed: Installed, name: str) -> Machine:
    """One more node, enrolled, whose network goes when it does."""
    machine = installed.wire.boot(name)
    bring(machine, package("detak-agent"))
    machine.install("away.service", NETWORK)
    machine.does("systemctl start away && dpkg -i detak-agent_*.deb")
    machine.does(installed.line(name))
    machine.does("systemctl enable --now detak-agent")
    until(f"{name} is heard", lambda: installed.is_heard(name))
    return machine


def standing(installed: Installed, node: str) -> str:
    """How the collector has the node."""
    found = re.search(rf"(?m)^{re.escape(node)} +(.+?)  ", installed.collector.says("detak-collector nodes").out)
    return "" if found is None else found[1].strip()


@pytest.mark.parametrize("command", ["systemctl poweroff", "systemctl reboot", "shutdown -h now", "systemctl halt"])
def test_a_machine_that_goes_down_says_so_before_its_network_is_gone(installed: Installed, command: str) -> None:
    name = f"down-by-{command.replace(' ', '-')}"
    machine = another_node(installed, name)
    machine.says(command)
    until("the collector is told", lambda: standing(installed, name) == "shut down", 20)


def test_an_agent_that_is_stopped_alone_says_so_even_while_a_shutdown_is_waiting(installed: Installed) -> None:
    machine = another_node(installed, "stopped")
    machine.does("shutdown +30")
    machine.does("systemctl stop detak-agent")
    until("the collector is told", lambda: standing(installed, "stopped") == "stopped", 20)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_is_shut_in_as_far_where_it_runs(installed: Installed, program: str) -> None:
    told = installed.machine(PROGRAMS[program]).does(f"systemd-analyze security --no-pager {program}")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED[program]


def mounts(mountinfo: str) -> dict[str, bool]:
    """Each mount point, and whether it is read-only."""
    rows = [line.split() for line in mountinfo.splitlines()]
    return {row[4]: "ro" in row[5].split(",") for row in rows}


def test_the_agent_sees_the_file_systems_of_its_machine_also_those_that_are_mounted_later(
    installed: Installed,
) -> None:
    node = installed.node
    node.does("mkdir -p /srv/late && mount -t tmpfs -o size=1m late /srv/late")
    pid = node.main_pid("detak-agent")
    own, seen = (mounts(node.does(f"cat /proc/{one}/mountinfo")) for one in (1, pid))
    data = {path for path in own if not path.startswith(("/proc", "/sys", "/dev", "/run"))}
    assert "/srv/late" in data
    assert {path: seen.get(path) for path in data} == {path: own[path] for path in data}
    node.does("umount /srv/late")


def test_hidden_processes_are_unknown_and_never_down_and_nothing_need_be_executed_in_tmp(installed: Installed) -> None:
    machine = another_node(installed, "hardened")
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        machine.does(f"mount -t tmpfs -o noexec,nosuid,nodev none {folder}")
    check = '[[check]]\nname = "cron"\nkind = "process"\nprocess_name = "cron"\ninterval_ms = 1000\n'
    with machine.path("/etc/detak/agent.toml").open("a") as file:
        file.write(check)
    machine.does("mount -o remount,hidepid=2 /proc && systemctl restart detak-agent")
    until("it is heard", lambda: installed.is_heard("hardened"))
    time.sleep(3)
    assert "check cron:" not in machine.log("detak-agent")
    drop_in = machine.path("/etc/systemd/system/detak-agent.service.d")
    drop_in.mkdir(parents=True)
    (drop_in / "hidden.conf").write_text("[Service]\nProtectProc=invisible\n")
    machine.does("systemctl daemon-reload && systemctl restart detak-agent")
    until("it is unknown", lambda: "check cron: unknown: the kernel hides" in machine.log("detak-agent"))
    assert "check cron: down" not in machine.log("detak-agent")
    assert installed.is_heard("hardened")


@contextmanager
def on_its_own_disk(machine: Machine, program: str, folder: Path) -> Iterator[Path]:
    """The state of a program on a file system of its own, which the test may freeze."""
    image, place = folder / "disk", f"/var/lib/{program}"
    with image.open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    subprocess.run([program_path("mkfs.ext4"), "-q", str(image)], check=True)
    inside = ["nsenter", "-t", str(machine.leader), "-m", "--"]
    device = subprocess.run(
        [program_path("losetup"), "--find", "--show", str(image)], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        machine.does(f"systemctl stop {program} && cp -a {place} /srv/state")
        number = device.removeprefix("/dev/loop")
        subprocess.run([*inside, "mknod", "/dev/disk-of-test", "b", "7", number], check=True)
        subprocess.run([*inside, "mount", "/dev/disk-of-test", place], check=True)
        machine.does(f"cp -a /srv/state/. {place}/ && systemctl start {program}")
        yield machine.path(place)
        machine.does(f"systemctl stop {program}")
    finally:
        subprocess.run([*inside, "umount", place], check=False)
        subprocess.run([*inside, "rm", "-f", "/dev/disk-of-test"], check=False)
        subprocess.run([program_path("losetup"), "--detach", device], check=False)


def is_noticed(installed: Installed, program: str) -> bool:
    """Whether the collector says that its store takes nothing, or that the node sends nothing."""
    if program == "detak-agent":
        return not installed.is_heard()
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}}' --cacert {AUTHORITY} {URL}/readyz"
    return installed.collector.says(ask).out == "503"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_disk_that_stands_still_ends_neither_program_and_costs_no_evidence(program: str, tmp_path: Path) -> None:
    with wire(tmp_path, whole_tree()) as cable:
        installed = installed_by_the_document(cable)
        machine = installed.machine(PROGRAMS[program])
        with on_its_own_disk(machine, program, tmp_path) as place:
            until("the node is heard", installed.is_heard)
            until("the service is up", lambda: re.search(r"Public portal +.*\bup\b", installed.condition()))
            pid, begin = machine.main_pid(program), time.time()
            subprocess.run([program_path("fsfreeze"), "--freeze", str(place)], check=True)
            try:
                time.sleep(STALLED_S)
                assert is_noticed(installed, program)
                assert machine.main_pid(program) == pid
            finally:
                subprocess.run([program_path("fsfreeze"), "--unfreeze", str(place)], check=True)
            end = time.time()
            until("the node is heard again", installed.is_heard)
            time.sleep(10)
            assert machine.main_pid(program) == pid
            assert "Watchdog timeout" not in machine.log(program)
            found = installed.report("portal", begin, end)
            assert (found["counted_ms"], found["unobserved_ms"]) == (0, 0)
