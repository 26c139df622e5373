"""Reading what an agent sampled: spans in agent time become three nested sets in UTC.

Invariant, for outages longer than the distance between two samples: certain within truth within possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.facts import Facts, Node
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import History, Life, Sighting, doubled
from detak_collector.downtime.reading import Latest, Reading, Sketch, never_seen
from detak_collector.downtime.rows import QUIET, Row, between


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is read, and the moment at which it is read."""

    begin: int
    end: int
    now: int


def read_sampled(check: str, history: History, facts: Facts, window: Window, *, host_up: Intervals = EMPTY) -> Reading:
    """What a node's own evidence says of one of its checks. `host_up`: a witness elsewhere reached the host then."""
    lives = history.lives
    known, could_not_run = _known(history.seen.get(check, ()))
    if not known:
        return never_seen(check, window.begin, window.end)
    sketch = Sketch(check, remote=known[-1].settings.remote)
    _before(sketch, known[0], window)
    rows = [
        between(earlier, later, lives, could_not_run=place in could_not_run)
        for place, (earlier, later) in enumerate(pairwise(known), start=1)
    ]
    _failures(sketch, known, rows)
    for row, (earlier, later) in zip(rows, pairwise(known), strict=True):
        if row is not QUIET:
            _add_row(sketch, row, earlier, later, facts)
    for one in known:
        if one.span.state == "degraded":
            sketch.degraded.append((one.first, one.last))
            sketch.note((one.first, one.last), "degraded", one.span.message, [one.reference])
    _frozen(sketch, lives, facts)
    for both in doubled(lives):
        sketch.forget(both, "not observed: two agents with one identity")
    tail = _Tail(
        last=known[-1],
        final=lives[-1],
        facts=facts,
        now=window.now,
        silent=_silent(history.node, facts, window.now),
        could_not_run=len(known) in could_not_run,
        host_up=host_up,
    )
    tail.add_to(sketch)
    sketch.latest = _latest(known, pending_from=known[-1].last if tail.pending else None)
    return sketch.read(window.begin, window.end)


def _known(seen: Sequence[Sighting]) -> tuple[list[Sighting], frozenset[int]]:
    """The sightings that say up or down, and the places in that list before which the check could not run."""
    known: list[Sighting] = []
    could_not_run: set[int] = set()
    for one in seen:
        if one.span.state == "unknown":
            could_not_run.add(len(known))
        else:
            known.append(one)
    return known, frozenset(could_not_run)


def _frozen(sketch: Sketch, lives: Sequence[Life], facts: Facts) -> None:
    """A guest that stood still was down for as long: at the end of the gap, which its own clock cannot show."""
    if sketch.remote:
        return
    for life in {one.segment: one for one in lives}.values():
        for freeze in life.clock.freezes():
            began, over = life.clock.earliest(freeze.after), life.clock.latest(freeze.before)
            if any(began <= step <= over for step in facts.stepped_utc):
                continue
            end = life.clock.after(freeze.before)
            gap = (end - (freeze.least_ms + freeze.most_ms) // 2, end)
            sketch.counted.append(gap)
            sketch.possible.append((began, over))
            sketch.certain.append((over - freeze.least_ms, began + freeze.least_ms))
            sketch.note(gap, "down: frozen")


def _before(sketch: Sketch, first: Sighting, window: Window) -> None:
    """Nothing is known before the first sample."""
    sketch.unobserved.append((window.begin, first.first))
    sketch.possible.append((window.begin, first.first_over))
    sketch.note((window.begin, first.first), "not observed: before its first report")


def _failures(sketch: Sketch, known: Sequence[Sighting], rows: Sequence[Row]) -> None:
    """Bad samples joined by bad samples: certain from the end of the first to the begin of the last."""
    chain: list[Sighting] = []
    for place, one in enumerate(known):
        if one.good:
            continue
        chain.append(one)
        if place < len(rows) and rows[place].joins:
            continue
        first, last = chain[0], chain[-1]
        sketch.certain.append((first.first_surely, last.last_surely))
        sketch.counted.append((first.first, last.last))
        sketch.possible.append((first.first_possibly, last.last_over))
        evidence = [one.reference for one in chain]
        sketch.note((first.first, max(last.last, first.first + 1)), "down", first.span.message, evidence)
        chain = []


def _add_row(sketch: Sketch, row: Row, earlier: Sighting, later: Sighting, facts: Facts) -> None:
    counted = Intervals.of(row.counted)
    if row.as_silence:
        counted = counted & facts.watched
        sketch.presumed.extend(counted)
        sketch.unobserved.extend(Intervals.of(row.unobserved) - counted)
    else:
        sketch.unobserved.extend(row.unobserved)
    sketch.counted.extend(counted)
    sketch.certain.extend(row.certain)
    sketch.possible.extend(row.possible)
    if row.shown_as:
        message = earlier.span.message if not earlier.good else ""
        sketch.note((earlier.last, later.first), row.shown_as, message, (earlier.reference, later.reference))


@dataclass(frozen=True, slots=True)
class _Tail:
    """The time since a check's last sample: evidence may be due, missing, or never to come."""

    last: Sighting
    final: Life
    facts: Facts
    now: int
    silent: bool
    could_not_run: bool
    host_up: Intervals

    @property
    def pending(self) -> bool:
        """Whether the next sample is merely not here yet."""
        same_run = self.last.life is self.final and self.final.run.stopped is None
        return same_run and not self.silent and not self.could_not_run

    def add_to(self, sketch: Sketch) -> None:
        """Lay the tail into the sketch. Evidence in flight is not "not observed": the last word stands, as possible."""
        last, whole = self.last, Intervals.span(self.last.last, self.now)
        sketch.possible.append((last.last_surely, self.now))
        if self.pending:
            if not last.good:
                sketch.counted.extend(whole)
                sketch.note((last.last, self.now), "down", last.span.message, [last.reference])
            return
        shown_as, counted = self._row()
        counted = (counted & whole) - self.host_up
        sketch.counted.extend(counted)
        sketch.presumed.extend(counted)
        sketch.unobserved.extend(whole - counted)
        for gap in counted:
            sketch.note(gap, shown_as, last.span.message if not last.good else "", [last.reference])
        self._name_unseen(sketch, shown_as, whole - counted)

    def _row(self) -> tuple[str, Intervals]:
        """What to call the time since the last sample, and which of it is counted all the same."""
        last, final, watched = self.last, self.final, self.facts.watched
        local = not last.settings.remote
        if final.run.stopped == "shutdown" and final.run.stopped_at is not None and local:
            return "down: shut down", Intervals.span(final.clock.middle(final.run.stopped_at), self.now) & watched
        if final.run.stopped is not None:
            return "not observed: stopped", EMPTY
        if final.settings(last.span.check) is None:
            return "not observed: removed", EMPTY if last.good else Intervals.span(last.last, self.now) & watched
        if self.silent and local:
            gone = final.clock.middle(final.last_tick) + final.run.tick_ms
            begin = gone if last.good else min(gone, last.last)
            return "presumed down: missing heartbeats", Intervals.span(begin, self.now) & watched
        return "not observed: check" if self.could_not_run else "not observed: agent", EMPTY

    def _name_unseen(self, sketch: Sketch, shown_as: str, unseen: Intervals) -> None:
        """Say why the rest was not observed: the row says it, or for silence the witness and the collector do."""
        if shown_as.startswith("not observed"):
            reasons = {shown_as: unseen}
        else:
            unheard = unseen - self.facts.watched
            reasons = {"not observed: isolated": unseen & self.host_up, "not observed: collector": unheard}
        for reason, where in reasons.items():
            for gap in where:
                sketch.note(gap, reason, evidence=[self.last.reference])


def _silent(node: Node, facts: Facts, now: int) -> bool:
    """Whether the node's deadline has passed while this collector was there to hear it."""
    if node.heard_utc is None:
        return True
    watching_since = max((begin for begin, _ in facts.watched if begin <= now), default=now)
    return now > max(node.heard_utc, watching_since) + facts.down_after_ms


def _latest(known: Sequence[Sighting], pending_from: int | None) -> Latest:
    last = known[-1]
    since = last
    for one in reversed(known):
        if one.span.state != last.span.state or one.place != last.place:
            break
        since = one
    return Latest(last.span.state, since.first, last.span.message, pending_from)
