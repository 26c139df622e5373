"""A log of seals, restatements and decisions without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from decision_log import Log
from detak_collector.closing.bodies import (
    DisputeBody,
    DisputeDecisionBody,
    SealBody,
    SealDecisionBody,
    Verdict,
    body_of,
)
from detak_collector.closing.disputes import Disputes
from detak_collector.closing.seals import Seal, Seals
from detak_collector.pair.entry import DISPUTE, DISPUTE_DECISION, RESTATEMENT, SEAL, SEAL_DECISION

MONTHS = {"2026-01": (0, 31), "2026-02": (31, 59), "2026-Q1": (0, 90)}
"""Days, which serve as milliseconds."""


def body(period: str = "2026-01", figure: str = "a", number: int = 1, **more: object) -> SealBody:
    """A seal whose account is only a digest."""
    begin, end = MONTHS[period]
    told = {
        "number": number, "period": period, "begin": begin, "end": end, "as_of": 100,
        "digest": sha256(figure.encode()).hexdigest(), "account": figure, "head": "1:" + "0" * 64, "rule_version": "1",
        "program": "0.1.0", "login": "root", **more,
    }  # fmt: skip
    return SealBody(**told)  # type: ignore[arg-type]


@dataclass
class SealLog:
    """One collector's log."""

    log: Log = field(default_factory=Log)

    def seal(self, author: str, period: str = "2026-01", figure: str = "a", *, despite: bool = False) -> str:
        hindrances = ["coverage is 3 %"] if despite else []
        number = self.seals().next_number()
        self.log.make(SEAL, body_of(body(period, figure, number, hindrances=hindrances)), author)
        return self.seals().all[-1].label

    def restate(self, author: str, label: str, figure: str = "b") -> str:
        old = self.named(label)
        number = self.seals().next_number()
        told = body(old.body.period, figure, number, restates=old.entry.id, needs_approval=True)
        self.log.make(RESTATEMENT, body_of(told), author)
        return self.seals().all[-1].label

    def decide(self, author: str, label: str, verdict: Verdict = "approve") -> None:
        self.log.make(SEAL_DECISION, body_of(SealDecisionBody(self.named(label).entry.id, verdict, author)), author)

    def dispute(self, author: str, outage: int = 7) -> None:
        self.log.make(DISPUTE, body_of(DisputeBody(outage, "impor", 5, 9, author, "not ours")), author)

    def answer(self, author: str, number: int, verdict: str) -> None:
        on = self.disputes().all[number - 1].entry.id
        self.log.make(DISPUTE_DECISION, body_of(DisputeDecisionBody(on, verdict, author)), author)  # type: ignore[arg-type]

    def seals(self) -> Seals:
        return Seals.of(self.log.entries)

    def disputes(self) -> Disputes:
        return Disputes.of(self.log.entries)

    def named(self, label: str) -> Seal:
        found = self.seals().labelled(label)
        assert found is not None
        return found

    def states(self) -> dict[str, str]:
        return {one.label: one.state.value for one in self.seals().all}
