"""A past is imported at a collector that serves and watches, and goes with a bundle to who checks it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from installation import PROGRAMS, installation, process_check, service_of, sleeper, until

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
KUMA = ROOT / "tests/collector/past/samples/uptime-kuma-heartbeats.csv"
PATIENCE_S = 60.0
OUTAGE_MS = 900_022
"""Of the portal in that file."""


def test_a_past_is_imported_at_a_serving_collector_and_a_bundle_of_its_year_comes_out_the_same(tmp_path: Path) -> None:
    app = sleeper()
    (tmp_path / "app.pid").write_text(str(app.pid))
    words = ("past", "import", str(KUMA), "--mapping", "uptime-kuma", "--map", "Portal=s", "--ignore-others",
             "--document", "ND-1/2026", "--by", "Ani")  # fmt: skip
    try:
        with installation(tmp_path, service_of("n/app")) as made:
            made.add_agent("n", process_check(tmp_path / "app.pid"))
            until("it is watched", lambda: made.condition() == "up", PATIENCE_S)
            watched = time.time()
            (name,) = re.findall(r"past approve ([0-9a-f]{8})", made.collector_says(*words))
            made.collector_says("past", "approve", name, "--by", "Budi")
            figure = json.loads(made.collector_says("report", "--period", "2022", "--format", "json"))["figure"]
            assert (figure["counted_ms"], figure["certain_ms"]) == (OUTAGE_MS, 0)
            packed = tmp_path / "2022.tar.gz"
            made.collector_says("bundle", "2022", "-o", str(packed))
            again = json.loads(made.collector_says("recompute", str(packed), "--format", "json"))
            assert again["figure"] == figure
            live = tmp_path / "live.csv"
            time.sleep(max(0.0, watched + 3 - time.time()))
            end = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 1))
            live.write_text(f"monitor,time,status,msg\nPortal,2024-01-01 00:00:00,0,\nPortal,{end},1,\n")
            done = subprocess.run(
                [str(PROGRAMS / "detak-collector"), "--config", str(tmp_path / "collector.toml"), *words[:2], str(live),
                 *words[3:]], capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 2
            assert "live.csv:2: checks of s were observed from" in done.stderr
    finally:
        app.kill()
        app.wait()
