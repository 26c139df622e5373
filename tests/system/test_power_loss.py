"""A short run of bench/power_loss.py: few states, and still a store that promises too early is found out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

POWER_LOSS = Path(__file__).parents[2] / "bench" / "power_loss.py"
FEW = ("--seconds", "2", "--nodes", "2", "--states", "120")


@pytest.mark.system("strace")
@pytest.mark.skipif(
    os.environ.get("DETAK_NIGHTLY") != "1", reason="it starts the collector sixteen times, at night only"
)
def test_nothing_that_was_acknowledged_is_lost_with_the_power_and_hasty_stores_are_found_out() -> None:
    command = [sys.executable, str(POWER_LOSS), *FEW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    told = done.stdout + done.stderr
    found = re.fullmatch(r"power-loss states=(\d+) lost=0 mutants_caught=5/5", told.splitlines()[-1])
    assert found is not None, told
    assert int(found[1]) >= 60, told
    assert done.returncode == 0
