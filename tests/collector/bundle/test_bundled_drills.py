"""Whether what a bundle tells as a drill was one: declared before it began, or in the place of one that was."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from detak_collector.bundle.entered import disagreements
from detak_collector.bundle.manifest import Corrections, Manifest
from detak_collector.downtime.catalogue import Exclusion

BEGIN, END, NOW = 1_700_000_000_000, 1_700_003_600_000, 1_700_100_000_000
MANIFEST = Manifest("", 2, "", "", 0, NOW, NOW, "", "", "", (), {})
JAKARTA = ZoneInfo("Asia/Jakarta")
FROM, TO = "2023-11-14T22:13:20Z", "2023-11-14T23:13:20Z"


def proposed(name: str, at: int, target: str | None = None) -> list[dict[str, Any]]:
    record = {"category": "planned", "scope": {"all": True}, "from": FROM, "to": TO, "document": "ND", "reason": "why"}
    body = {"about": "exclusion", "name": name, "root": "x1", "record": record, "drill": True, "target": target}
    proposal = {"id": f"p-{name}", "kind": "proposal", "author": "Ani", "recorded_utc": at, "body": body}
    verdict = {"about": "exclusion", "verdict": "approve", "on": f"p-{name}"}
    return [proposal, {"id": name, "kind": "decision", "author": "Budi", "recorded_utc": at + 1, "body": verdict}]


def told(name: str, at: int, drills: tuple[str, ...]) -> Corrections:
    one = Exclusion(name, "planned", "all", "", BEGIN, END, "ND", "why", "Ani", at, "Budi", at + 1)
    return Corrections((one,), (), drills)


@pytest.mark.parametrize(
    ("entries", "name", "at", "is_drill"),
    [
        (proposed("x1", BEGIN - 1), "x1", BEGIN - 1, True),
        (proposed("x1", BEGIN + 1), "x1", BEGIN + 1, False),
        ([*proposed("x1", BEGIN - 1), *proposed("x2", END, "p-x1")], "x2", END, True),
        ([*proposed("x1", BEGIN + 1), *proposed("x2", END, "p-x1")], "x2", END, False),
        (proposed("x2", END, "p-x2"), "x2", END, False),
    ],
    ids=["ahead", "late", "in the place of one", "in the place of a late one", "in its own place"],
)
def test_a_drill_is_what_was_declared_as_one_in_time(
    entries: list[dict[str, Any]],
    name: str,
    at: int,
    is_drill: bool,
) -> None:
    for drills in ((), (name,)):
        found = list(disagreements(entries, MANIFEST, {}, told(name, at, drills), JAKARTA))
        is_noticed = any(one.endswith("and the bundle says otherwise") for one in found)
        assert is_noticed == (is_drill != bool(drills)), found
