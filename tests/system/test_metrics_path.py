"""From /proc of this machine to what a chart is drawn from, with a real agent and a real collector."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from installation import Installation, installation, service_of, until

pytestmark = pytest.mark.system

METRICS_MS = 10_000


def metrics(made: Installation) -> dict[tuple[str, str], list[float | None]]:
    """The means of every series by name and label."""
    with urllib.request.urlopen(f"{made.url}/api/v1/nodes/n/metrics", timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
    return {(one["name"], one["label"]): one["mean"] for one in told["series"]}


def test_the_collector_tells_how_busy_a_node_is_and_how_long_its_checks_take(tmp_path: Path) -> None:
    with installation(tmp_path, service_of("n/web")) as made:
        web = f'[[check]]\nname = "web"\nkind = "tcp"\nhost = "127.0.0.1"\nport = {made.port}\ninterval_ms = 1000\n'
        made.add_agent("n", web, top=f"metrics_ms = {METRICS_MS}\n")
        until("a point is there", lambda: metrics(made), patience_s=4 * METRICS_MS / 1_000)
        told = metrics(made)
        (latency,) = told["latency_ms", "web"]
        assert latency is not None
        assert 0 <= latency < 1_000
        (busy,) = told["cpu_percent", ""]
        assert busy is not None
        assert 0 <= busy <= 100
        (memory,) = told["agent_memory_bytes", ""]
        assert memory is not None
        assert 10_000_000 < memory < 200_000_000
        assert ("memory_used_percent", "") in told
        assert ("disk_used_percent", "/") in told
        assert "no metrics" not in made.log("n")
        assert "metrics are lost" not in made.log("collector")
