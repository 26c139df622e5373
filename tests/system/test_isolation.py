"""A short run of bench/isolation.py: hostile checks beside ordinary ones, and what must hold on any machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ISOLATION = Path(__file__).parents[2] / "bench" / "isolation.py"
CHECKS, MINUTES = 60, 0.25

LATE_MS = 1_000
"""A check that blocks the loop does so until its time-out, which is 4 s."""

TIMES_AS_LATE = 5
"""What else runs on this machine makes the agent late too: a thread that only waits tells how much."""

MOST_RSS_MIB = 250


@pytest.mark.system("openssl")
def test_hostile_checks_hold_up_no_tick_no_beat_and_no_other_check() -> None:
    command = [sys.executable, str(ISOLATION), "--minutes", str(MINUTES), "--checks", str(CHECKS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    told = done.stdout + done.stderr
    assert "isolation ticks=" in told, told
    numbers = {name: float(number) for name, number in re.findall(r"(\w+)=(-?[\d.]+)", done.stdout.splitlines()[-1])}

    assert numbers["late_ms_most"] <= LATE_MS + TIMES_AS_LATE * numbers["idle_late_ms_most"], told
    assert numbers["not_delivered"] == 0, told
    assert "a beat was lost" not in told, told
    assert numbers["rss_mib"] <= MOST_RSS_MIB, told
    assert failures(done.stderr) == []


def failures(errors: str) -> list[str]:
    """Ordinary checks that failed, and processes that stayed. An agent that had no processor rightly says so itself."""
    lines = re.findall(r"^broken: (an ordinary check failed: .*|left behind: .*)$", errors, re.MULTILINE)
    return [line for line in lines if "agent was starved" not in line]
