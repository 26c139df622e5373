"""Every kind of check does under the agent's unit what it does without: the tests of the kinds run there."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import pytest
from booted_tree import until, whole_tree
from packaged import AT_NIGHT

from peers.systemd_container import booted

pytestmark = AT_NIGHT

ROOT = Path(__file__).parents[2]
OF_THE_AGENT_ALONE = re.compile(r"(?m)^(?:Type|Exec\w+|Restart\w*|WatchdogSec|Timeout\w+)=.*\n")
PYTEST = (
    "/usr/bin/python3 -m pytest -c /opt/pyproject.toml --rootdir=/opt -o cache_dir=/var/lib/detak-agent/cache -n 0 -q "
    "--tb=short --ignore=/opt/tests/agent/checks/test_checks_documentation.py /opt/tests/agent/checks"
)
NO_TESTS = 5
TESTS = f"""
Type=oneshot
WorkingDirectory=/var/lib/detak-agent
Environment=PYTHONPATH=/opt/tests PYTHONDONTWRITEBYTECODE=1 HOME=/var/lib/detak-agent
ExecStart=-{PYTEST}
ExecStart={PYTEST} --last-failed --last-failed-no-failures=none
SuccessExitStatus={NO_TESTS}
StandardOutput=append:/said
StandardError=inherit
"""
"""What failed is tried once more: on a busy machine a deadline of milliseconds may be missed."""


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the tree has Python 3.11, these libraries another one")
def test_every_kind_of_check_works_under_the_agents_unit() -> None:
    unit = (ROOT / "packaging/systemd/detak-agent.service").read_text()
    service = unit[unit.index("[Service]") : unit.index("[Install]")]
    places = {name: f"/opt/{name}" for name in ("agent", "wire", "tests", "pyproject.toml")}
    binds = [f"--bind-ro={ROOT / here}:{there}" for here, there in places.items()]
    binds.append(f"--bind-ro={sysconfig.get_path('purelib')}:/opt/library")
    with booted(whole_tree(), ["--private-network", *binds]) as container:
        etc = container.root / "etc"
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (container.root / "usr/lib/python3/dist-packages/detak.pth").write_text("/opt/library\n/opt/agent\n/opt/wire\n")
        (etc / "sysusers.d").mkdir(exist_ok=True)
        (etc / "sysusers.d/detak.conf").write_text((ROOT / "packaging/sysusers.d/detak-agent.conf").read_text())
        container.systemctl("restart", "systemd-sysusers")
        container.install("kinds.service", OF_THE_AGENT_ALONE.sub("", service) + TESTS)
        container.systemctl("start", "--no-block", "kinds")
        until("they end", lambda: container.state("kinds") in {"inactive", "failed"}, 900, 2)
        assert (container.root / "said").exists(), container.systemctl("status", "kinds").stdout
        said = (container.root / "said").read_text()
        assert container.state("kinds") == "inactive", said[-4_000:]
        assert re.search(r"\b[5-9]\d\d passed, \d+ skipped", said), said[-4_000:]
