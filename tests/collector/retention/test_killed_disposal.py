"""A disposal that is killed at any moment leaves a store that verifies, and goes on when it is asked for again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from disposed_season import Season

KILLED = """
import os, signal, sys
from contextlib import contextmanager
from detak_collector import cli
from detak_collector.clocks import Reading
from detak_collector.commands import retention, session

config, utc, boottime, boot, what, number = sys.argv[1:]
session.system_clock = lambda: lambda: Reading(int(utc), int(boottime), boot)

@contextmanager
def killing():
    def step(done, at, of):
        if (done, at) == (what, int(number)):
            os.kill(os.getpid(), signal.SIGKILL)
    yield step

retention._bar = killing
sys.exit(cli.run(["--config", config, "retention", "dispose", "1", "--by", "Cici"]))
"""


MOMENTS = [("disposing of blocks", 2)]
if os.environ.get("DETAK_NIGHTLY") == "1":
    MOMENTS = [("keeping months", 1), ("planning blocks", 2), *((MOMENTS[0][0], at) for at in (1, 1))]
"""The steps that it does not survive: what was disposed of before does not count again."""


@pytest.mark.system
def test_a_disposal_that_is_killed_is_intact_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    season = Season(tmp_path / "detak", capsys, monkeypatch)
    season.sealed()
    season.approved()
    kept = season.says("ledger", "head").strip()
    for what, number in MOMENTS:
        now = season.now
        told = (season.folder / "collector.toml", now.utc, now.boottime, now.boot, what, number)
        killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, told)], timeout=60, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert "intact" in season.says("verify", "--head", kept)
    assert "still hold what was disposed of" in season.says("retention")
    assert "a disposal of evidence was interrupted" in season.says(
        "ledger", "export", "-o", str(tmp_path / "x"), code=3
    )
    assert "disposed of: " in season.says("retention", "dispose", "1", by="Cici")
    assert "interrupted" not in season.says("retention")
    assert "143 records of blocks 1 to 4" in season.says("verify", "--sealed", "--head", kept)
