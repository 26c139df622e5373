"""A log of proposals and decisions without a database: one collector's, or those of two that do not hear each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from detak_collector.decisions.proposal import (
    ADD,
    APPROVE,
    EXCLUSION,
    LETTERS,
    REJECT,
    REPLACE,
    TAKE_BACK,
    WITHDRAW,
    About,
    Action,
    DecisionBody,
    ProposalBody,
    Verdict,
    body_of,
)
from detak_collector.decisions.register import Register, next_number
from detak_collector.pair.entry import DECISION, PROPOSAL, Body, Entry, canonical

DAY = 86_400_000
BEGIN = 1_767_225_600_000
"""1 January 2026."""
RECORD: Mapping[str, Any] = {
    "category": "planned",
    "scope": {"service": "impor"},
    "from": "2026-03-01T15:00:00Z",
    "to": "2026-03-01T17:00:00Z",
    "document": "ND-12/2026",
    "reason": "patches",
}
DECLARED = {**RECORD, "category": "down"}


@dataclass
class Log:
    """What one collector has. Each step is a second after the last one that it knows of."""

    collector: str = "dc"
    entries: list[Entry] = field(default_factory=list)
    now: int = BEGIN

    def add(self, author: str, record: Mapping[str, Any] = RECORD, *, about: About = EXCLUSION, uid: str = "") -> str:
        return self._propose(about, ADD, author, None, record, uid)

    def amend(self, name: str, author: str, record: Mapping[str, Any] = RECORD) -> str:
        return self._propose(EXCLUSION, REPLACE, author, name, record, "")

    def end(self, name: str, author: str) -> str:
        """Proposes its withdrawal."""
        return self._propose(EXCLUSION, WITHDRAW, author, name, None, "")

    def approve(self, name: str, author: str) -> None:
        self._decide(name, author, APPROVE)

    def reject(self, name: str, author: str) -> None:
        self._decide(name, author, REJECT)

    def take_back(self, name: str, author: str) -> None:
        self._decide(name, author, TAKE_BACK)

    def hear(self, other: Log) -> None:
        """Takes what the other one has."""
        known = {one.id for one in self.entries}
        self.entries += [one for one in other.entries if one.id not in known]
        self.now = max([self.now, *(one.recorded_utc for one in self.entries)])

    def wait(self, length_ms: int) -> None:
        self.now += length_ms

    def make(self, kind: str, body: Body, author: str) -> Entry:
        self.now += 1_000
        seen = Counter(one.collector for one in self.entries)
        id_ = f"{len(self.entries):024x}{self.collector.encode().hex():0>8}"
        entry = Entry(id_, kind, self.now, author, self.collector, dict(seen), canonical(body))
        self.entries.append(entry)
        return entry

    def register(self, moment: int | None = None) -> Register:
        return Register.of(self.entries, moment)

    def states(self) -> dict[str, str]:
        return states_of(self.entries)

    def _propose(
        self, about: About, action: Action, author: str, on: str | None, record: Mapping[str, Any] | None, uid: str
    ) -> str:
        matters = self.register().matters.values()
        target = next((one for one in matters if one.name == on), None)
        name = f"{LETTERS[about]}{next_number(self.entries)}"
        body = ProposalBody(
            about=about,
            action=action,
            name=name,
            root=name if target is None else target.proposal.body.root,
            login=author,
            target=None if target is None else target.proposal.entry.id,
            record=None if record is None else dict(record),
            uid=uid,
        )
        self.make(PROPOSAL, body_of(body), author)
        return name

    def _decide(self, name: str, author: str, verdict: Verdict) -> None:
        matter = next(one for one in self.register().matters.values() if one.name == name)
        proposed = matter.proposal.body
        body = DecisionBody(
            about=proposed.about,
            verdict=verdict,
            name=name,
            root=proposed.root,
            on=matter.proposal.entry.id,
            login=author,
        )
        self.make(DECISION, body_of(body), author)


def states_of(entries: Iterable[Entry]) -> dict[str, str]:
    """How each proposal stands, by name."""
    return {one.name: one.state.value for one in Register.of(entries).matters.values()}


def apart(log: Log) -> tuple[Log, Log]:
    """Two collectors that both know this log, and from now on nothing of each other."""
    return Log("dc", list(log.entries), log.now), Log("drc", list(log.entries), log.now)
