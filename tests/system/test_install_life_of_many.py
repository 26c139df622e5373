"""Many nodes at once: the Ansible roles and the user data of cloud-init, on booted machines, from built packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from booted_tree import Machine, Wire, until, whole_tree, wire
from packaged import AT_NIGHT, COLLECTOR, ROOT, URL, Installed, installed_by_the_document, package

pytestmark = AT_NIGHT

ANSIBLE = ROOT / "packaging" / "ansible"
USER_DATA = ROOT / "packaging" / "cloud-init" / "detak-agent.yaml"
OF_APT = ("python3-apt", "python-apt-common", "distro-info-data", "lsb-release", "iso-codes")
"""What Ansible needs of Debian to install a .deb; every server has it that was not made by hand."""

INVENTORY = f"""
detak_collectors:
  hosts:
    detak-dc:
  vars:
    detak_collector_package: files/collector.deb
    detak_collector_names: [{COLLECTOR}]
detak_nodes:
  hosts:
    app-01:
      detak_agent_host_pieces:
        20-port.toml: |
          # as secret as a password
          [[check]]
          name = "port"
          kind = "tcp"
          host = "127.0.0.1"
          port = 8443
  vars:
    detak_agent_package: files/agent.deb
    detak_agent_pieces_only: true
    detak_agent_settings: {{beat_ms: 2000}}
    detak_agent_collectors:
      - url: {URL}
        host: detak-dc
    detak_agent_pieces:
      10-machine.toml: |
        [[check]]
        name = "os"
        kind = "os"
all:
  vars:
    ansible_connection: local
"""


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Wire]:
    with wire(tmp_path, whole_tree()) as made:
        yield made


@pytest.fixture
def installed(cable: Wire) -> Installed:
    return installed_by_the_document(cable)


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ansible for the machine's own Python, and what it needs of Debian."""
    folder = tmp_path_factory.mktemp("brought")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--python-version", "3.11"]
    locked = ["--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements" / "fleet.txt")]
    subprocess.run([*pip, *locked, "--target", str(folder / "ansible")], check=True)
    (folder / "apt").mkdir()
    subprocess.run(["apt-get", "download", "--quiet", *OF_APT], cwd=folder / "apt", check=True, capture_output=True)
    return folder


def played(machine: Machine, brought: Path) -> None:
    """The playbook and all that it needs, as on an administrator's machine."""
    shutil.copytree(ANSIBLE, machine.path("/opt/play"))
    shutil.copytree(brought / "ansible", machine.path("/opt/ansible"))
    shutil.copytree(brought / "apt", machine.path("/opt/apt"))
    files = machine.path("/opt/play/files")
    files.mkdir()
    for name in ("agent", "collector"):
        shutil.copy(package(f"detak-{name}"), files / f"{name}.deb")
    machine.path("/opt/play/hosts.yml").write_text(INVENTORY)
    machine.does("dpkg -i /opt/apt/*.deb")


def play(machine: Machine, *more: str, code: int = 0) -> tuple[str, dict[str, dict[str, int]]]:
    """What the playbook printed, and its recap by host; it has to end with this code."""
    script = f"cd /opt/play; PYTHONPATH=/opt/ansible python3 -m ansible playbook -i hosts.yml site.yml {' '.join(more)}"
    told = machine.does(script, code=code, patience_s=300)
    lines = re.findall(r"^(\S+) +: (ok=.+)$", told, re.MULTILINE)
    return told, {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", of)} for host, of in lines}


def is_heard(machine: Machine, node: str) -> bool:
    return re.search(rf"(?m)^{node} +heard ", machine.says("detak-collector nodes").out) is not None


def test_the_roles_install_and_enrol_once_and_change_nothing_again(cable: Wire, brought: Path) -> None:
    machine = cable.boot(COLLECTOR)
    played(machine, brought)
    told, recap = play(machine, "-vvv")
    assert {host: (one["failed"], one["changed"] > 0) for host, one in recap.items()} == {
        "detak-dc": (0, True),
        "app-01": (0, True),
    }, told
    until("app-01 is heard", lambda: is_heard(machine, "app-01"))
    for text in (told, machine.does("journalctl --no-pager")):
        assert "--token" not in text
        assert "as secret as a password" not in text
    listed = machine.does("detak-collector nodes --json")
    assert all(f'"{check}":"' in listed for check in ("os", "port", "alive"))
    for more in ((), ("--check",)):
        _, again = play(machine, *more)
        assert {host: (one["failed"], one["changed"]) for host, one in again.items()} == {
            "detak-dc": (0, 0),
            "app-01": (0, 0),
        }
    hosts = machine.path("/opt/play/hosts.yml")
    hosts.write_text(hosts.read_text().replace("20-port.toml", "30-port.toml"))
    _, changed = play(machine)
    assert changed["app-01"]["changed"] >= 2
    assert sorted(one.name for one in machine.path("/etc/detak/agent.d").iterdir()) == [
        "10-machine.toml",
        "30-port.toml",
    ]


def test_a_line_out_of_a_vault_enrols_and_is_shown_nowhere(cable: Wire, brought: Path) -> None:
    machine = cable.boot(COLLECTOR)
    played(machine, brought)
    play(machine, "--limit", "detak_collectors")
    line = machine.does("detak-collector enroll --count 2 2>/dev/null").strip()
    token = line.split()[line.split().index("--token") + 1]
    variables = json.dumps({"detak_agent_collectors": [{"url": URL, "line": line}]})
    machine.path("/opt/play/clear.json").write_text(variables)
    machine.path("/opt/play/password").write_text("in the administrator's head")
    encrypt = "ansible vault encrypt --vault-password-file password --output vault.json clear.json"
    machine.does(f"cd /opt/play && PYTHONPATH=/opt/ansible python3 -m {encrypt} && rm clear.json")
    words = ("-vvv", "--limit", "detak_nodes", "-e", "@vault.json", "--vault-password-file", "password")
    told, _ = play(machine, *words)
    until("app-01 is heard", lambda: is_heard(machine, "app-01"))
    machine.does("rm /var/lib/detak-agent/keys/*")
    refused, _ = play(machine, *words, code=2)
    assert f"detak-agent enroll: {URL}: the collector refuses the enrolment: " in refused
    for text in (told, refused, machine.does("journalctl --no-pager")):
        assert token not in text


@pytest.mark.parametrize("way", ["LINE", "LINE_FROM"])
def test_the_user_data_installs_and_enrols_a_new_machine_under_its_own_name(installed: Installed, way: str) -> None:
    files = {one["path"]: one["content"] for one in yaml.safe_load(USER_DATA.read_text())["write_files"]}
    new = installed.wire.boot("app-07")
    deb = package("detak-agent")
    shutil.copy(deb, new.path("/opt/agent.deb"))
    line = installed.line("--count", "2", "--expires", "1h").strip()
    new.path("/opt/line").write_text(line)
    handed = {"LINE": f"'{line}'", "LINE_FROM": "'cat /opt/line'"}[way]
    told = {"PACKAGE": "file:///opt/agent.deb", "SHA256": sha256(deb.read_bytes()).hexdigest(), way: handed}
    files["/run/detak/values"] = "".join(f"{key}={value}\n" for key, value in told.items())
    for path, text in files.items():
        new.path(path).parent.mkdir(parents=True, exist_ok=True)
        new.path(path).write_text(text)
    new.does("sh /run/detak/install")
    until("app-07 is heard", lambda: installed.is_heard("app-07"))
    assert not new.path("/run/detak/values").exists()
    assert "--token" not in new.does("journalctl --no-pager")
    assert "agent.d/10-machine.toml" in new.does("detak-agent config-check")
