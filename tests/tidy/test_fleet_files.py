"""The Ansible roles and the user data hold what the programs understand, and nothing that is not used."""

import argparse
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from detak_agent.checks.registry import REGISTRY
from detak_agent.cli_identity import add_enroll_arguments
from detak_agent.config import parse
from detak_agent.enrol_line import with_line

PACKAGING = Path(__file__).parents[2] / "packaging"
ROLES = sorted((PACKAGING / "ansible" / "roles").iterdir())
USER_DATA = PACKAGING / "cloud-init" / "detak-agent.yaml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_describes_and_uses_every_variable_that_it_takes(role: Path) -> None:
    described = read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(read(role / "defaults" / "main.yml")) == set(described)
    texts = [path.read_text() for folder in ("tasks", "templates") for path in (role / folder).glob("*")]
    used = set(re.findall(rf"\b{role.name}_\w+", "\n".join(texts)))
    assert set(described) <= used


def test_the_line_and_the_piece_of_the_user_data_are_understood(tmp_path: Path) -> None:
    assert USER_DATA.read_text().startswith("#cloud-config\n")
    files = {one["path"]: one["content"] for one in read(USER_DATA)["write_files"]}
    line = re.search("^LINE='(.+)'$", files["/run/detak/values"], re.MULTILINE)
    assert line is not None
    (tmp_path / "line").write_text(line[1])
    given = dict.fromkeys(("collector", "node", "token", "fingerprint")) | {"ca_key": [], "line": tmp_path / "line"}
    assert with_line(argparse.Namespace(**given), add_enroll_arguments).collector.startswith("https://")
    piece = files["/etc/detak/agent.d/10-machine.toml"]
    assert parse(f'node = "n"\n[[collector]]\nurl = "https://x"\n{piece}', REGISTRY).checks
    script = files["/run/detak/install"]
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
