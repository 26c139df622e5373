"""Whether the facts that a figure was derived from are those of the chained records: none altered, added or left out.

Not chained, and so not compared: spans that were still open, when the collector watched and whom it did not hear, and
how a run's last word ended it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from detak_collector.bundle.evidence import Recorded, Records, RunKey
from detak_collector.downtime.facts import ALIVE, Facts, Run, Settings, Span
from detak_collector.downtime.intervals import Intervals

Told = dict[str, Any]
"""A record as its line says it."""


@dataclass(slots=True)
class _OfCheck:
    """The recorded spans of one check in one run, in the order of their numbers."""

    numbers: list[int] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)

    def between(self, first: int, last: int) -> list[Told]:
        """Those with a number in [first, last]."""
        found = self.recorded[bisect_left(self.numbers, first) : bisect_right(self.numbers, last)]
        return [one.told for one in found]


@dataclass(slots=True)
class Agreement:
    """Takes the facts of one month after another. `wrong` says what disagrees; the rest counts.

    `open`: spans not chained yet. `unseen`: numbers of records that are not here, still open or left out.
    """

    records: Records
    as_of: int
    spans: int = 0
    open: int = 0
    unseen: int = 0
    wrong: list[str] = field(default_factory=list)
    _by_check: dict[tuple[RunKey, str], _OfCheck] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for (node, run, number), recorded in sorted(self.records.spans.items(), key=lambda one: one[0]):
            if recorded.recorded_utc is not None and recorded.recorded_utc <= self.as_of:
                of = self._by_check.setdefault(((node, run), recorded.check), _OfCheck())
                of.numbers.append(number)
                of.recorded.append(recorded)

    def take(self, facts: Facts) -> None:
        """The facts of a month."""
        for node in facts.nodes.values():
            for run in node.runs:
                self.wrong += self._of_run(node.name, run)

    def _of_run(self, node: str, run: Run) -> Iterator[str]:
        place = f"run {run.run} of node {node}"
        chained = self.records.runs.get((node, run.run))
        if chained is None:
            yield f"{place}: its opening is in no record"
            return
        if not _is_opening(chained.get("opening"), run):
            yield f"{place}: its opening is not that of the record"
        known = self.records.exchanges.get((node, run.run), set())
        if any(tuple(one) not in known for one in run.exchanges):
            yield f"{place}: a clock exchange is in no record"
        used: dict[str, list[Span]] = {}
        for span in run.spans:
            used.setdefault(span.check, []).append(span)
        for check, spans in used.items():
            yield from self._of_check(f"{place}, check {check}", (node, run.run), spans, _reach_ms(run, check))
        self.unseen += self._unseen(node, run)

    def _of_check(self, place: str, run: RunKey, spans: Sequence[Span], reach_ms: int) -> Iterator[str]:
        records = self._by_check.get((run, spans[0].check), _OfCheck())
        closed = sorted((one for one in spans if one.closed), key=lambda one: one.number)
        still_open = {one.number for one in spans if not one.closed}
        self.open += len(still_open)
        self.spans += len(closed)
        for span in closed:
            if span.through is None and (*run, span.number) in self.records.conflicts:
                # Of several versions it is the one that reaches furthest, and the engine observes none of them.
                continue
            found = records.between(span.number, span.last)
            if not found or (found[0].get("number"), found[-1].get("number")) != (span.number, span.last):
                yield f"{place}, span {span.number}: is in no record"
            elif not _is_span(found, span, reach_ms):
                yield f"{place}, span {span.number}: is not as its record says"
        for before, after in pairwise(closed):
            for told in records.between(before.last + 1, after.number - 1):
                if told.get("number") not in still_open:
                    yield f"{place}, span {told.get('number')}: recorded, and left out"

    def _unseen(self, node: str, run: Run) -> int:
        """How many numbers between those used have no record in the bundle, and are not said to be lost."""
        used = [at for span in run.spans if span.closed for at in (span.number, span.last)]
        if not used:
            return 0
        told = self.records.numbers.get((node, run.run), [])
        lost = [(one.first, one.last + 1) for one in run.lost]
        still_open = [(one.number, one.number + 1) for one in run.spans if not one.closed]
        whole = Intervals.span(min(used), max(used) + 1)
        return (whole - Intervals.of([*told, *lost, *still_open])).total


def _is_span(records: Sequence[Told], span: Span, reach_ms: int) -> bool:
    """Whether the records say what the span says; several may be told as one only while up, without a break."""
    if any(one.get("state") != span.state or _marks(one) != span.marks for one in records):
        return False
    first, last = records[0], records[-1]
    edges = (first.get("first_begin"), first.get("first_end"), last.get("last_begin"), last.get("last_end"))
    apart = [int(after["first_begin"]) - int(before["last_begin"]) for before, after in pairwise(records)]
    if apart and (span.state != "up" or not all(0 <= one <= reach_ms for one in apart)):
        return False
    found = (
        *edges,
        sum(int(one["samples"]) for one in records),
        max([*apart, *(int(one["largest_gap"]) for one in records)]),
        last.get("message"),
    )
    said = (span.first_begin, span.first_end, span.last_begin, span.last_end)
    return found == (*said, span.samples, span.largest_gap, span.message)


def _marks(told: Told) -> tuple[tuple[str, str], ...] | None:
    marks = told.get("marks")
    return tuple(sorted(marks.items())) if isinstance(marks, dict) else None


def _reach_ms(run: Run, check: str) -> int:
    """How far apart two samples may lie and still speak for the time between them."""
    if check == ALIVE:
        return Settings(ALIVE, ALIVE, run.tick_ms, 0).reach_ms
    return next((one.reach_ms for one in run.checks if one.name == check), 0)


def _is_opening(opening: object, run: Run) -> bool:
    if not isinstance(opening, dict):
        return False
    names = ("boot", "opened_agent", "init_started_agent", "tick_ms")
    found = tuple(opening.get(name) for name in names)
    checks = opening.get("checks", [])
    told = {(one.get("name"), one.get("interval_ms"), one.get("timeout_ms")) for one in checks}
    mine = {(one.name, one.interval_ms, one.timeout_ms) for one in run.checks if one.name != ALIVE}
    return found == (run.boot, run.opened, run.init_started, run.tick_ms) and mine == told
