"""The time since a check's last sample: evidence may be due, missing, or never to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import Life, Sighting
from detak_collector.downtime.reading import Sketch

PRESUMED = "presumed down: missing heartbeats"
WHOLE_SITE = "presumed down: site"
ISOLATED = "not observed: isolated"
REMOVED = "not observed: removed"


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a node besides its own evidence. All in UTC.

    A witness elsewhere reached the host in `host_up`, and since then has not said anything, nor needs to have, in
    `host_due`; one that speaks for the host itself saw it certainly down in
    `host_down`, and by its samples alone in `host_unreached`. The whole site was silent at once in `site_silent`.
    From `retired` on nothing more is expected of the node.
    """

    host_up: Intervals = EMPTY
    host_due: Intervals = EMPTY
    host_down: Intervals = EMPTY
    host_unreached: Intervals = EMPTY
    site_silent: Intervals = EMPTY
    retired: int | None = None

    def since_retired(self, until: int) -> Intervals:
        """The time up to `until` in which nothing more is expected."""
        return EMPTY if self.retired is None else Intervals.span(self.retired, until)


NOTHING_BESIDE = Beside()

BACKLOG_MS = 3_600_000
"""What arrives later than this is backlog and tells nothing of now: no month that is over depends on who is heard."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The last sighting, the node's last life, and what tells how to read the time since."""

    last: Sighting
    final: Life
    facts: Facts
    now: int
    silent: bool
    could_not_run: bool
    beside: Beside

    @property
    def pending(self) -> bool:
        """Whether the next sample is merely not here yet."""
        same_run = self.last.life is self.final and self._stopped is None
        return same_run and not self.silent and not self.could_not_run and not self._is_overdue

    @property
    def _is_overdue(self) -> bool:
        """Whether it should have been here: the deadline has passed since the last one spoke for no more time."""
        due = self.last.last + self.last.settings.reach_ms
        return self.now - due > BACKLOG_MS or is_silent(due, self.facts, self.now)

    def add_to(self, sketch: Sketch) -> None:
        """Lay the tail into the sketch. Evidence in flight is not "not observed": the last word stands, as possible."""
        last, whole = self.last, Intervals.span(self.last.last, self.now)
        sketch.possible.append((last.last_surely, self.now))
        said = last.span.message if not last.good else ""
        if self.pending:
            if last.good:
                sketch.due.append((last.last_surely, self.now))
            else:
                sketch.counted.extend(whole)
                sketch.note((last.last, self.now), "down", said, [last.last_reference])
            return
        counted = (self._counted() & whole) - self._retired
        sketch.counted.extend(counted)
        sketch.presumed.extend(counted)
        sketch.unobserved.extend(whole - counted)
        if self._host_is_silent:
            sketch.certain.extend(counted & self.beside.host_down)
        self._note(sketch, self._shown_as(counted), said)
        self._note(sketch, self._reasons(whole - counted), "")

    @property
    def _retired(self) -> Intervals:
        return self.beside.since_retired(self.now)

    @property
    def _stopped(self) -> str | None:
        """Why the agent ended, if it did: after a reload it goes on."""
        stopped = self.final.run.stopped
        return None if stopped == "reload" else stopped

    @property
    def _is_removed(self) -> bool:
        return self.final.settings(self.last.span.check) is None

    @property
    def _host_is_silent(self) -> bool:
        """Whether the node itself is not heard, or shut down, and the check tells of that node."""
        if self._is_removed or self.last.settings.remote:
            return False
        return self.silent if self._stopped is None else self._stopped == "shutdown"

    def _counted(self) -> Intervals:
        """Which of the time since the last sample counts all the same."""
        if self._is_removed:
            return EMPTY if self.last.good else Intervals.span(self.last.last, self.now)
        if not self._host_is_silent:
            return EMPTY
        return (Intervals.span(self._gone(), self.now) & self.facts.watched) - self._reached

    @property
    def _reached(self) -> Intervals:
        """Where the host is not given up for silence; a shutdown that the agent told of waits for no witness."""
        up = self.beside.host_up
        return up if self._stopped is not None else up | self.beside.host_due

    def _gone(self) -> int:
        """When the host went, as counted."""
        clock, run, last = self.final.clock, self.final.run, self.last
        if self._stopped is not None and run.stopped_at is not None:
            return clock.middle(run.stopped_at)
        gone = clock.middle(self.final.last_tick) + run.tick_ms
        went_on = not last.good and gone - last.last <= last.settings.reach_ms + run.tick_ms
        return min(gone, last.last) if went_on else gone

    def _shown_as(self, counted: Intervals) -> dict[str, Intervals]:
        """What to call the time that counts."""
        if self._is_removed:
            return {"down": counted}
        if self._stopped is not None:
            return {"down: shut down": counted}
        site = self.beside.site_silent
        return {PRESUMED: counted - site, WHOLE_SITE: counted & site}

    def _reasons(self, unseen: Intervals) -> dict[str, Intervals]:
        """Why the rest was not observed: for silence the witness and the collector say it."""
        after, before = unseen & self._retired, unseen - self._retired
        if self._host_is_silent:
            isolated = before & self._reached
            unheard = before - self.facts.watched - isolated
            return {ISOLATED: isolated, "not observed: collector": unheard, REMOVED: after}
        if self._is_removed:
            return {REMOVED: unseen}
        return {self._reason(): before, REMOVED: after}

    def _reason(self) -> str:
        if self._stopped is not None:
            return "not observed: agent" if self._stopped == "failed" else "not observed: stopped"
        return "not observed: check" if self.could_not_run else "not observed: agent"

    def _note(self, sketch: Sketch, told: Mapping[str, Intervals], said: str) -> None:
        for shown_as, where in told.items():
            for gap in where:
                sketch.note(gap, shown_as, said, [self.last.last_reference])


def last_heard(heard: int | None, final: Life, now: int) -> int | None:
    """When the node was heard last: when its liveness arrived, or where that was backlog, when it last ticked."""
    ticked = final.clock.latest(final.last_tick)
    return heard if heard is None or now - ticked <= BACKLOG_MS else ticked


def is_silent(heard: int | None, facts: Facts, now: int) -> bool:
    """Whether, since a node was heard last, this collector was there to hear it for longer than the deadline."""
    if heard is None:
        return True
    return any(min(end, now) - max(begin, heard) > facts.down_after_ms for begin, end in facts.watched)
