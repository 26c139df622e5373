"""What is recorded beside evidence, by people or by a collector: one append-only log of entries. Pure.

Two logs are merged by the entries' ids. What they say is read in one order, so equal sets of entries say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

RULING = "ruling"
FIGURE = "figure"
PROMOTION = "promotion"
GRANT = "grant"
RESTORE = "restore"
PROPOSAL = "proposal"
DECISION = "decision"
CLAIM = "claim"
CATALOGUE = "catalogue"
CATALOGUE_DECISION = "catalogue-decision"
SEAL = "seal"
RESTATEMENT = "restatement"
SEAL_DECISION = "seal-decision"
DISPUTE = "dispute"
DISPUTE_DECISION = "dispute-decision"
DISPOSAL = "disposal"
DISPOSAL_DECISION = "disposal-decision"
DISPOSED = "disposed"
MAIL = "mail"
ANNOTATION = "annotation"
ACKNOWLEDGEMENT = "acknowledgement"
ATTACHMENT = "attachment"
NOTE = "note"
NOTICE = "notice"

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `id` is 128 random bits as hexadecimal, `collector` where it was made, `body` canonical JSON.

    `seen` counts, by collector, the entries that were in its log when it was made.
    """

    id: str
    kind: str
    recorded_utc: int
    author: str
    collector: str
    seen: Mapping[str, int]
    body: str

    @property
    def told(self) -> Body:
        """What the body holds."""
        told: Body = json.loads(self.body)
        return told

    def knew(self, other: Entry) -> bool:
        """Whether the other one was there when this one was made."""
        return self.seen.get(other.collector, 0) > other.seen.get(other.collector, 0)


def canonical(body: Body) -> str:
    """The one text of a body: keys in order, no spaces."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The order in which entries are read, wherever they were made: of one collector as it made them."""
    return sorted(entries, key=lambda one: (one.recorded_utc, one.collector, one.seen.get(one.collector, 0), one.id))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two entries about the same thing, made by two collectors that did not know of each other's. The later counts."""

    subject: str
    earlier: Entry
    later: Entry


def contradictions(entries: Iterable[Entry]) -> Iterator[Contradiction]:
    """All of them, in the order of the entries."""
    by_subject: dict[str, list[Entry]] = {}
    for one in in_order(entries):
        for subject in _subjects(one):
            by_subject.setdefault(subject, []).append(one)
    for subject, named in sorted(by_subject.items()):
        yield from (
            Contradiction(subject, one, other)
            for one, other in combinations(named, 2)
            if one.collector != other.collector and not one.knew(other) and not other.knew(one)
        )


_ONE_SUBJECT = {
    PROMOTION: "which collector leads",
    CATALOGUE: "the catalogue",
    CATALOGUE_DECISION: "a version of the catalogue",
}
_OF_ONE = {
    FIGURE: ("the published figure of", "year"),
    ANNOTATION: ("the annotation of outage", "outage"),
    SEAL: ("the seal of", "period"),
    RESTATEMENT: ("the seal of", "period"),
}


def _subjects(entry: Entry) -> Sequence[str]:
    told = entry.told
    if entry.kind in _OF_ONE:
        words, key = _OF_ONE[entry.kind]
        return [f"{words} {told[key]}"] if told.get(key) else []
    if entry.kind in _ONE_SUBJECT:
        return [_ONE_SUBJECT[entry.kind]]
    if entry.kind == GRANT and told["source"] != "directory":
        return [f"the role {told['role']} of {told['user']}"]
    if entry.kind == RULING:
        undone = [f"ruling {told['undoes']}"] if told.get("undoes") else []
        return [*undone, *(f"outage {number}" for number in told.get("outages", ()))]
    if entry.kind in {PROPOSAL, DECISION} and told.get("root"):
        return [f"{told.get('about', 'exclusion')} {told['root']}"]
    return []
