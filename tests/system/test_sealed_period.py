"""Two people seal a month at a collector that serves; what comes later leaves it sealed until it is restated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.request import urlopen

import pytest
from installation import installation, service_of, until

pytestmark = pytest.mark.system

PATIENCE_S = 90.0
MONTH = "2024-10"
"""Long over, and nothing of it was observed: so nobody seals it alone."""

DECLARED = ("declare", "add", "--category", "down", "--service", "s", "--from", "2024-10-05T10:00", "--to",
            "2024-10-05T10:30", "--document", "BA-1", "--reason", "found in the minutes", "--by", "Ani")  # fmt: skip
HALF_AN_HOUR = 1_800_000


def page(url: str) -> str:
    with urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
    return content.decode()


def label(url: str) -> str:
    """What the page of the month's figure says of its seal."""
    found = re.search(r'class="soft sealed">([^<]*)<', page(f"{url}/figure/{MONTH}"))
    return found[1] if found else ""


def test_a_sealed_month_stands_on_the_page_and_in_reports_until_it_is_restated(tmp_path: Path) -> None:
    with installation(tmp_path, service_of("n/app")) as made:

        def report() -> dict[str, object]:
            told: dict[str, object] = json.loads(made.collector_says("report", "--period", MONTH, "--format", "json"))
            return told

        assert label(made.url) == ""
        assert "Coverage is 0 %, and a seal asks for 95 %" in page(f"{made.url}/closing/{MONTH}")
        made.collector_says("seal", MONTH, "--despite", "before our time", "--by", "Ani")
        told = made.collector_says("seal", "approve", "1", "--by", "Budi")
        head = told.rpartition("ledger head ")[2].split()[0]
        until("the page says it", lambda: "Sealed, no. 1," in label(made.url), PATIENCE_S)
        made.collector_says(*DECLARED)
        made.collector_says("declare", "approve", "d1", "--by", "Budi")
        until("the page tells both", lambda: "(+30 min 0.0 s of downtime)" in label(made.url), PATIENCE_S)
        sealed = report()
        assert sealed["figure"]["counted_ms"] == 0  # type: ignore[index]
        assert sealed["seal"]["by_later_facts"]["counted_ms"] == HALF_AN_HOUR  # type: ignore[index]
        made.collector_says("restate", MONTH, "--reason", "minutes found", "--by", "Ani")
        made.collector_says("seal", "approve", "2", "--by", "Budi")
        assert report()["figure"]["counted_ms"] == HALF_AN_HOUR  # type: ignore[index]
        until("the page restates it", lambda: "Restated, no. 2," in label(made.url), PATIENCE_S)
        assert "come out as others" in made.collector_says("verify", "--sealed", "--head", head)
