"""A short run of bench/proof.py: some real faults of each subject, and what must hold of every one on any machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from installation import NIGHTLY

PROOF = Path(__file__).parents[2] / "bench" / "proof.py"
KINDS = (
    "process killed", "answers too slow", "out of memory", "certificate expired", "database read-only", "replica lags",
    "firewall drops answers", "node crashes", "node shut down", "process killed while cut off", "agent killed",
    "both collectors killed", "clock steps back", "guest frozen", "planned work overruns",
)  # fmt: skip

pytestmark = [
    pytest.mark.system("nsenter", "ip", "nginx", "named", "redis-server", "cc"),
    pytest.mark.skipif(not NIGHTLY, reason="three minutes: at night only"),
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces and mounts: root only"),
]


def test_no_fault_leaves_the_bounds_loses_evidence_or_leaves_anything_behind() -> None:
    command = [sys.executable, str(PROOF), "--quick", "--outages", "30", "--mixed", "20", "--only", ",".join(KINDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said, _ = process.communicate(timeout=900)
    *_, last = said.splitlines()
    assert re.search(r"^proof outages=\d\d .*outside_bounds=0 .* lost=0$", last), said
    assert "could not" not in said
    assert f"lab{process.pid}" not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
