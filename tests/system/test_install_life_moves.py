"""The life of an installation goes on: upgrades under load, ways back, another machine, and mails that cron sends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from booted_tree import HOME, Machine, Wire, until, whole_tree, wire
from packaged import (
    AT_NIGHT,
    COLLECTOR,
    URL,
    Installed,
    block,
    blocks,
    bring,
    installed_by_the_document,
    later,
    package,
)

pytestmark = AT_NIGHT

LOAD = tuple(f"load-{number}" for number in range(1, 6))
BACKUP = "/var/backups/detak-before.tar.gz"
LATER_SCHEMA = "9999_later"


LOAD_SERVICE = (
    '\n[[service]]\nid = "load"\nname = "Load"\ncriticality = "rendah"\n[[service.group]]\nname = "load"\n'
    f'category = "application"\nrule = "any_down"\nmembers = {json.dumps([f"{name}/jobs" for name in LOAD])}\n'
)
MAIL = """\
[mail]
server = "127.0.0.1:2525"
security = "none"
sender = "Detak <detak@example.go.id>"

[[mail.recipient]]
address = "kepala@example.go.id"
summaries = ["daily"]
"""


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Wire]:
    with wire(tmp_path, whole_tree()) as made:
        yield made


def put_under_load(installed: Installed) -> None:
    """Five more agents on the node's machine, each with a beat ten times a second."""
    line = installed.line("--count", str(len(LOAD))).strip()
    for name in LOAD:
        text = (
            f'node = "{name}"\nstate_directory = "/var/lib/{name}"\ntick_ms = 100\nbeat_ms = 100\n'
            f'[[collector]]\nurl = "{URL}"\n'
            '[[check]]\nname = "jobs"\nkind = "process"\nprocess_name = "cron"\ninterval_ms = 1000\n'
        )
        installed.node.path(f"{HOME}/{name}.toml").write_text(text)
        installed.node.does(f"{line} --config {HOME}/{name}.toml")
        installed.node.does(f"systemd-run --quiet --unit={name} detak-agent run --config {HOME}/{name}.toml")
    until("the load is heard", lambda: all(installed.is_heard(name) for name in LOAD))


def upgraded(machine: Machine, to: Path, block_of: str) -> None:
    """By docs/upgrading.md, from what runs; the program is another process afterwards."""
    program = to.name.partition("_")[0]
    former = machine.main_pid(program)
    bring(machine, to)
    machine.does(block("upgrading.md", block_of).replace("detak-agent status\n", ""))
    until(f"{program} was restarted", lambda: machine.main_pid(program) not in {0, former})
    until(f"{program} is active", lambda: machine.state(program) == "active")


def test_an_upgrade_under_load_loses_no_evidence_and_counts_nothing(cable: Wire, tmp_path: Path) -> None:
    installed = installed_by_the_document(cable, LOAD_SERVICE)
    put_under_load(installed)
    time.sleep(3)
    begin = time.time()
    upgraded(installed.collector, later(package("detak-collector"), tmp_path), "detak-collector_*.deb")
    until("the load is heard again", lambda: all(installed.is_heard(name) for name in LOAD))
    time.sleep(10)
    end = time.time() - 5
    told = installed.report("load", begin, end)
    assert (told["counted_ms"], told["possible_ms"], told["unobserved_ms"]) == (0, 0, 0), told
    upgraded(installed.node, later(package("detak-agent"), tmp_path), "detak-agent_*.deb")
    until("the node is heard again", installed.is_heard)
    time.sleep(10)
    told = installed.report("portal", begin, time.time() - 5)
    assert (told["counted_ms"], told["certain_ms"]) == (0, 0), told
    assert told["unobserved_ms"] < 30_000, told
    assert installed.collector.does("detak-collector verify").startswith("intact: ")


def test_an_older_version_refuses_a_newer_store_and_the_newer_one_or_a_backup_brings_it_back(
    cable: Wire, tmp_path: Path
) -> None:
    installed = installed_by_the_document(cable)
    collector = installed.collector
    newer = later(package("detak-collector"), tmp_path, migration=LATER_SCHEMA)
    upgraded(collector, newer, "detak-collector_*.deb")
    until("the node is heard by the newer one", installed.is_heard)
    bring(collector, package("detak-collector"))
    collector.does("dpkg -i detak-collector_*.deb")
    refusal = f"written by a newer Detak (schema {LATER_SCHEMA}"
    until("it is refused", lambda: refusal in collector.says("systemctl status --no-pager --full detak-collector").out)
    said = collector.says("detak-collector status")
    assert (said.code, refusal in said.err) == (3, True)
    bring(collector, newer)
    collector.does("dpkg -i detak-collector_*.deb")
    until("the newer one goes on", installed.is_heard)
    bring(collector, package("detak-collector"))
    collector.does("dpkg -i detak-collector_*.deb")
    collector.does(block("upgrading.md", "restore --force"))
    until("the older one goes on from the backup", installed.is_heard)


def test_a_backup_is_restored_on_another_machine_which_serves_from_then_on(cable: Wire) -> None:
    installed = installed_by_the_document(cable)
    old, new = installed.collector, cable.boot("detak-new")
    old.does(f"detak-collector backup {BACKUP}")
    shutil.copy(old.path(BACKUP), new.path(BACKUP))
    bring(new, package("detak-collector"))
    new.does("dpkg -i detak-collector_*.deb")
    begin = time.time()
    old.does("systemctl disable --now detak-collector")
    (restore,) = (one for one in blocks("upgrading.md") if one.text.startswith("detak-collector restore"))
    new.does(restore.text)
    cable.name(COLLECTOR, new.address)
    moved = Installed(cable, new, installed.node)
    until("the node is heard on the new machine", moved.is_heard)
    heard = time.time()
    until("what it kept meanwhile has come", lambda: not moved.report("portal", begin, heard)["unobserved_ms"])
    assert "Public portal" in moved.page()


def test_the_summary_goes_out_by_cron_as_it_is_shipped(cable: Wire, tmp_path: Path) -> None:
    collector = installed_by_the_document(cable).collector
    with collector.path("/etc/detak/collector.toml").open("a") as file:
        file.write(MAIL)
    collector.does("detak-collector config-check && systemctl reload detak-collector")
    shipped = collector.path("/etc/cron.d/detak-collector").read_text()
    # Nobody waits until six in the morning: the day's line is tried each minute, and is the shipped one otherwise.
    (daily,) = re.findall(r"(?m)^5 6 \* \* \*( .*)$", shipped)
    head = "".join(f"{line}\n" for line in shipped.splitlines() if re.match(r"\w+=", line))
    with mailbox(collector, tmp_path / "mails") as mails:
        collector.path("/etc/cron.d/detak-each-minute").write_text(f"{head}* * * * *{daily}\n")
        until("the summary has come", lambda: any((mails / "new").glob("*")), 150)
        time.sleep(65)
        (mail,) = (mails / "new").glob("*")
    assert "To: kepala@example.go.id" in mail.read_text()
    assert "sent" in collector.does("detak-collector mail list")


@contextmanager
def mailbox(machine: Machine, folder: Path) -> Iterator[Path]:
    """A mail server on a machine's own loopback; it puts what it takes into a folder as Maildir does."""
    words = [
        sys.executable,
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        "127.0.0.1:2525",
        "-c",
        "aiosmtpd.handlers.Mailbox",
        str(folder),
    ]
    process = subprocess.Popen(machine.command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        process.terminate()
        process.wait(10)
