"""What is read and written of a chain with the standard library alone, so that an auditor's laptop needs no more. Pure.

Headers are few; the lines of records, which are millions, are made in `lines.py`, and both make the same text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

RECORD = "record"
"""The key that says what a line is: run, span, exchange, gap, conflict or entry."""


def plain_line(told: Mapping[str, object]) -> bytes:
    """The canonical text, without an end of line: keys in order, no spaces, UTF-8. It must hold no fractions."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def named(line: bytes) -> str:
    """Which record a line is, for people: `span 3 of run 1a2b of node db-01, check web (sequence 17)`."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return "a line that is no record"
    if told.get(RECORD) == "entry":
        return f"entry {told.get('number')} ({told.get('kind')} by {told.get('author')}, id {told.get('id')})"
    return _fact_named(told)


def _fact_named(told: Mapping[str, Any]) -> str:
    run, node, sequence = told.get("run"), told.get("node"), told.get("sequence")
    if told.get(RECORD) == "run":
        return f"the opening of run {run} of node {node} (sequence {sequence})"
    check = f", check {told['check']}" if "check" in told else ""
    return f"{told.get(RECORD)} {told.get('number')} of run {run} of node {node}{check} (sequence {sequence})"
