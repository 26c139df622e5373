"""The one line of each record: JSON with sorted keys, with names where the store has numbers. Pure.

The same line stands in a bundle, so that what is chained is what a third party reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

RECORD = "record"
"""The key that says what a line is: run, span, exchange, gap, conflict or entry."""

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


def line_of(told: Mapping[str, object]) -> bytes:
    """The canonical text of a record, without an end of line: keys in order, no spaces, UTF-8."""
    return _encode(told)


def value_of(text: str) -> object:
    """What a column of JSON holds. It is written anew in the line, so that no line ever has two texts or two lines.

    A text that is no JSON was altered: it stands there as a string, which is another line than it was.
    """
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def named(line: bytes) -> str:
    """Which record a line is, for people: `span 3 of run 1a2b of node db-01, check web (sequence 17)`."""
    try:
        told = _decode(line)
    except (msgspec.DecodeError, RecursionError):
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
