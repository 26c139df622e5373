"""A short soak: what must hold of every one on any machine, however long. Memory and disk are judged by longer ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from installation import NIGHTLY

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"
SMALL = ("--hours", "0.03", "--simulated", "200", "--real", "3", "--fault-every-s", "3")

pytestmark = [pytest.mark.system, pytest.mark.skipif(not NIGHTLY, reason="three minutes: at night only")]


def test_nothing_acknowledged_is_lost_both_say_the_same_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = subprocess.run([sys.executable, str(SOAK), *SMALL], capture_output=True, text=True, timeout=900, check=False)
    said = done.stdout + done.stderr
    *_, last = done.stdout.splitlines() or [""]
    assert done.returncode in {0, 1}, said
    assert re.search(r"^soak hours=0.03 nodes=203 .* lost=0 .* verify=clean figures=equal$", last), said
    assert "met     messages of well-behaved nodes that were refused: 0" in done.stdout, said
    assert "processes that ended by themselves: 0" in done.stdout, said
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(one)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
