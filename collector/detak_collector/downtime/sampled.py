"""Reading what an agent sampled: spans in agent time become three nested sets in UTC.

Invariant, for outages longer than the distance between two samples: certain within truth within possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.catalogue import Dated
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals
from detak_collector.downtime.lives import History, Life, Sighting
from detak_collector.downtime.reading import SHORT_FREEZE, Latest, Reading, Sketch, never_seen
from detak_collector.downtime.rows import QUIET, Grounds, Row, between
from detak_collector.downtime.standstills import Standstill, standstills
from detak_collector.downtime.tail import ISOLATED, NOTHING_BESIDE, Beside, Tail, is_silent, last_heard


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is read, the moment at which it is read, and the rule by which short freezes are degraded."""

    begin: int
    end: int
    now: int
    freeze_degraded_below_ms: Dated[int] = Dated.always(0)


def read_sampled(
    check: str, history: History, facts: Facts, window: Window, beside: Beside = NOTHING_BESIDE
) -> Reading:
    """What a node's own evidence says of one of its checks, with what is known of the node besides."""
    lives = history.lives
    known, could_not_run = _known(history.seen.get(check, ()))
    whole_name = f"{history.node.name}/{check}"
    if not known:
        return never_seen(whole_name, window.begin, window.end)
    if _is_quiet(known, history, window) and not could_not_run:
        (one,) = known
        return Reading(whole_name, remote=one.settings.remote, latest=_latest(known, None), kind=one.settings.kind)
    sketch = Sketch(whole_name, known[-1].settings.remote, known[-1].settings.kind)
    _before(sketch, known[0], window)
    grounds = Grounds(lives, window.now - facts.down_after_ms, beside.host_unreached)
    rows = [
        between(earlier, later, grounds, could_not_run=place in could_not_run)
        for place, (earlier, later) in enumerate(pairwise(known), start=1)
    ]
    _failures(sketch, known, rows)
    for row, (earlier, later) in zip(rows, pairwise(known), strict=True):
        if row is not QUIET:
            _add_row(sketch, row, earlier, later, facts.watched, beside)
    _degraded(sketch, known)
    _stood_still(sketch, standstills(lives, facts.stepped_utc), window.freeze_degraded_below_ms)
    _doubtful(sketch, history)
    tail = Tail(
        last=known[-1],
        final=lives[-1],
        facts=facts,
        now=window.now,
        silent=is_silent(last_heard(history.node.heard_utc, lives[-1], window.now), facts, window.now),
        could_not_run=len(known) in could_not_run,
        beside=beside,
    )
    tail.add_to(sketch)
    sketch.latest = _latest(known, pending_from=known[-1].last if tail.pending else None)
    return sketch.read(window.begin, window.end)


def _is_quiet(known: Sequence[Sighting], history: History, window: Window) -> bool:
    """Whether one sighting says up for all of the window: of most checks and months it does."""
    if len(known) > 1 or known[0].span.state != "up" or history.doubtful:
        return False
    return known[0].first_over <= window.begin and window.end <= known[0].last_surely


def _degraded(sketch: Sketch, known: Sequence[Sighting]) -> None:
    for one in known:
        if one.span.state == "degraded":
            sketch.degraded.append((one.first, one.last))
            sketch.note((one.first, one.last), "degraded", one.span.message, [one.reference])


def _doubtful(sketch: Sketch, history: History) -> None:
    """What cannot be relied on: two agents spoke at once, or one of them said two things."""
    for both in history.doubled:
        sketch.forget(both, "not observed: two agents with one identity")
    for where in _contradicted(sketch.check.partition("/")[2], history.lives):
        sketch.forget(where, "not observed: contradicted")


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


def _stood_still(sketch: Sketch, found: Iterable[Standstill], degraded_below_ms: Dated[int]) -> None:
    """A machine that stood still was down for as long; what was shorter than the limit then in force is degraded."""
    for one in found:
        sketch.doubtful.append(one.gap)
        sketch.possible.append(one.gap)
        if one.counted is None:
            continue
        if sketch.remote:
            sketch.forget(one.gap, "not observed: frozen")
        elif one.counted[1] - one.counted[0] < degraded_below_ms.value_at(one.counted[0]):
            sketch.degraded.append(one.counted)
            sketch.note(one.counted, SHORT_FREEZE)
        else:
            sketch.counted.append(one.counted)
            sketch.note(one.counted, "down: frozen")


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
        begin, end = first.first, last.last
        sketch.certain.append((first.first_surely, last.last_surely))
        sketch.counted.append((begin, end))
        sketch.failing.append((begin, max(end, begin + 1)))
        sketch.possible.append((first.first_possibly, last.last_over))
        evidence = [one.reference for one in chain]
        sketch.note((begin, max(end, begin + 1)), "down", first.span.message, evidence)
        chain = []


def _add_row(sketch: Sketch, row: Row, earlier: Sighting, later: Sighting, watched: Intervals, beside: Beside) -> None:
    sketch.certain.extend(row.certain)
    sketch.assumed.extend(row.assumed)
    sketch.possible.extend(row.possible)
    evidence = (earlier.last_reference, later.reference) if row.shown_as else ()
    if row.as_silence:
        counted = _add_silence(sketch, row, watched - beside.since_retired(later.first), beside.host_up, evidence)
    else:
        counted = Intervals.of(row.counted) if row.host_gone else EMPTY
        sketch.counted.extend(row.counted)
        sketch.unobserved.extend(row.unobserved)
    if row.host_gone:
        sketch.certain.extend(counted & beside.host_down)
    if row.shown_as:
        message = earlier.span.message if not earlier.good else ""
        sketch.note((earlier.last, later.first), row.shown_as, message, evidence)


def _add_silence(
    sketch: Sketch, row: Row, watched: Intervals, host_up: Intervals, evidence: tuple[str, ...]
) -> Intervals:
    """What is presumed for want of heartbeats: of the time that was watched, where no witness saw the host up."""
    silent = Intervals.of(row.unobserved)
    isolated = silent & host_up
    presumed = (Intervals.of(row.counted) & watched) - isolated
    sketch.counted.extend(presumed)
    sketch.presumed.extend(presumed)
    sketch.unobserved.extend(silent - presumed)
    for gap in isolated:
        sketch.note(gap, ISOLATED, evidence=evidence)
    return presumed


def _contradicted(check: str, lives: Sequence[Life]) -> Intervals:
    """Where a run says two things: nothing of it stands, nor what a sample in it would say of the time around it."""
    doubtful: list[Interval] = []
    for life in lives:
        for one in life.run.contradicted:
            settings = life.settings(check)
            if settings is not None and one.check in (None, check):
                begin, end = one.begin - settings.reach_ms, one.end + settings.reach_ms
                doubtful.append((life.clock.earliest(begin), life.clock.latest(end)))
    return Intervals.of(doubtful)


def _latest(known: Sequence[Sighting], pending_from: int | None) -> Latest:
    last = known[-1]
    since = last
    for one in reversed(known):
        if one.span.state != last.span.state or one.place != last.place:
            break
        since = one
    return Latest(last.span.state, since.first, last.span.message, pending_from)
