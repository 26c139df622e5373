"""The life of an installation, from its packages on, in freshly booted systems. `make test-install` runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from booted_tree import RELEASES, Machine, Wire, until, whole_tree, wire
from packaged import (
    AT_NIGHT,
    AUTHORITY,
    COLLECTOR,
    NODE,
    Installed,
    block,
    bring,
    installed_by_the_document,
    package,
)

pytestmark = AT_NIGHT

PROGRAMS = {"detak-collector": "collector", "detak-agent": "node"}
RESTARTED_WITHIN_S = 10
THAWED_WITHIN_S = 40
CERTIFICATE_FOR_A_MONTH = f"""\
umask 077
authority=/var/lib/detak-collector/ca/authority
openssl req -new -newkey rsa:2048 -nodes -subj /CN={COLLECTOR} -keyout key -out asked
echo subjectAltName=DNS:{COLLECTOR} > names
openssl x509 -req -days 30 -CA $authority.pem -CAkey $authority.key -extfile names -in asked -out got
cat got key > /var/lib/detak-collector/tls/server.pem
"""
"""Puts one of the authority's in place that ends soon, as if nobody had been there to renew it."""

TROUBLE = re.compile(r"(?m)^(?:ERROR|WARNING|Traceback).*")


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Wire]:
    with wire(tmp_path, whole_tree()) as made:
        yield made


@pytest.fixture
def installed(cable: Wire) -> Installed:
    return installed_by_the_document(cable)


@pytest.mark.parametrize("release", RELEASES)
def test_five_minutes_lead_from_the_packages_to_a_service_on_the_page(release: str, tmp_path: Path) -> None:
    with wire(tmp_path, whole_tree(release)) as cable:
        installed = installed_by_the_document(cable)
        assert "Public portal" in installed.page()
        for program, where in PROGRAMS.items():
            machine = installed.machine(where)
            status = machine.does(f"systemctl status --no-pager --full {program}")
            assert "active (running)" in status
            assert not TROUBLE.findall(machine.log(program)), machine.log(program)
            assert "0 loaded units" in machine.does("systemctl --no-pager --failed")
        installed.node.does("systemctl stop cron")
        until("status says down", lambda: re.search(r"\bdown\b", installed.condition()))
        installed.node.does("systemctl start cron")
        until("status says up again", lambda: not re.search(r"\bdown\b", installed.condition()))


def is_another(machine: Machine, program: str, former: str) -> bool:
    """Whether the program runs, and says that it is ready, in another process than the former one."""
    told = machine.systemctl("show", "--value", "--property=MainPID,ActiveState", program).stdout.split()
    return former not in told and "0" not in told and "active" in told


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_killed_or_frozen_is_there_again_soon(installed: Installed, program: str) -> None:
    machine = installed.machine(PROGRAMS[program])
    for signal, within_s in (("KILL", RESTARTED_WITHIN_S), ("STOP", THAWED_WITHIN_S)):
        former = str(machine.main_pid(program))
        machine.does(f"kill -{signal} {former}")
        until(f"{program} is back after {signal}", partial(is_another, machine, program, former), within_s)
    until("the node is heard", installed.is_heard)


def test_a_reload_takes_a_right_file_and_refuses_a_wrong_one(installed: Installed) -> None:
    node = installed.node
    node.does("cp --preserve /etc/detak/agent.toml right.toml; echo 'intervall = 1' >> /etc/detak/agent.toml")
    assert "intervall" in node.says("detak-agent config-check").err
    for file, is_refused in (("", True), ("cp right.toml /etc/detak/agent.toml; ", False)):
        node.does(f"{file}systemctl reload detak-agent")
        until(f"refused: {is_refused}", partial(says_refused, node, is_refused=is_refused))
        assert installed.is_heard()


def says_refused(machine: Machine, *, is_refused: bool) -> bool:
    """Whether `systemctl status` says so of the file, or says nothing of it."""
    told = machine.systemctl("show", "--value", "--property=StatusText", "detak-agent").stdout
    return ("is refused: agent.toml: check[1].intervall" in told) is is_refused


def test_the_certificate_is_renewed_by_hand_and_by_itself_while_nodes_go_on(installed: Installed) -> None:
    collector = installed.collector
    first = installed.served()
    collector.does("detak-collector certificate renew")
    until("the renewed certificate is served", lambda: installed.served() != first)
    collector.does(CERTIFICATE_FOR_A_MONTH)
    collector.does("systemctl restart detak-collector")
    until("it is good for a year again", lambda: installed.days_left() > 300)
    assert collector.does("stat --format=%U:%a /var/lib/detak-collector/tls/server.pem") == "detak-collector:600\n"
    until("the node is heard", installed.is_heard)


def test_what_was_recorded_outlives_removal_and_purge_and_a_new_installation_goes_on_with_it(
    installed: Installed,
) -> None:
    node, collector = installed.node, installed.collector
    node.does(block("installing.md", "dpkg --remove detak-agent"))
    assert node.state("detak-agent") in {"inactive", "failed"}
    assert node.says("command -v detak-agent").code != 0
    until("the node is missed", lambda: not installed.is_heard())
    collector.does("dpkg --remove detak-collector")
    for machine, program in ((node, "detak-agent"), (collector, "detak-collector")):
        machine.does(f"dpkg --purge {program}")
        assert machine.does(f"dpkg --listfiles {program} 2>&1 || true").count("\n") <= 2
        assert list(machine.path(f"/var/lib/{program}").iterdir())
        machine.does(f"dpkg -i {program}_*.deb && systemctl enable --now {program}")
    until("the node is heard without being enrolled again", installed.is_heard)
    assert collector.does("detak-collector verify").startswith("intact: ")
    node.does("touch /etc/detak/remove-data-on-purge && dpkg --purge detak-agent")
    assert not [one for one in ("/var/lib/detak-agent", "/etc/detak") if node.path(one).exists()]


def test_the_other_kind_of_package_installs_runs_and_goes(cable: Wire) -> None:
    machine = cable.boot(NODE)
    for program in PROGRAMS:
        built = package(program, "rpm")
        bring(machine, built)
        machine.does(f"rpm -i --nodeps --force-debian {built.name}")
        assert machine.does(f"{program} --version").startswith(program)
        assert machine.does(f"stat --format=%U:%a /var/lib/{program}") == f"{program}:700\n"
        machine.does(f"rpm -e --nodeps --force-debian {program}")
        assert machine.says(f"command -v {program}").code != 0
        assert machine.path(f"/var/lib/{program}").is_dir()
    assert not machine.path(AUTHORITY).exists()
