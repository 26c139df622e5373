"""What discovery reads of a real, booted systemd: which unit a process belongs to, and which units are its own."""

import os

import pytest

from detak_agent.discovery.reading import read_facts
from peers.systemd_container import booted

pytestmark = [
    pytest.mark.peers("systemd-nspawn", "debootstrap", "nsenter"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can boot a container"),
]

_SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n"
_TIMER = "[Timer]\nOnCalendar=yearly\n[Install]\nWantedBy=timers.target\n"


def test_a_process_has_its_unit_and_what_was_written_here_is_told_from_what_a_package_brought() -> None:
    with booted() as container:
        folder = container.root / "etc/systemd/system"
        units = {
            "declarations.service": _SERVICE,
            "worker@.service": _SERVICE,
            "backup.service": _SERVICE,
            "backup.timer": _TIMER,
            "stopped.service": _SERVICE,
        }
        for name, text in units.items():
            (folder / name).write_text(text)
        container.systemctl("daemon-reload")
        started = ("declarations.service", "worker@1.service", "backup.timer")
        container.systemctl("start", *started[:2])
        container.systemctl("enable", "--now", started[2])
        for name in started:
            container.reached(name, "active")
        facts = read_facts(container.root)
    names = {process.unit: process.name for process in facts.processes if process.unit}
    assert (names["declarations.service"], names["worker@1.service"]) == ("sleep", "sleep")
    assert names["systemd-journald.service"] == "systemd-journal"
    assert facts.own_units == ("backup.timer", "declarations.service", "worker@1.service")
    assert (facts.systemd, facts.machine) == (True, "container")
