"""The rows of the reading table that lie between two sightings of one check: what the time between them was.

Each row says which part is certain, counted and possible down, which was not observed, and what to call it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from detak_collector.downtime.facts import ALIVE, Previous
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals
from detak_collector.downtime.lives import Life, Sighting
from detak_collector.downtime.losses import Missing, lacks_its_end, missing_between
from detak_collector.downtime.starts import start_of

AGENT_CAME_LATE_MS = 120_000
"""After a boot the host is taken to be down no longer than this if the agent itself came later."""

WATCHDOG_MS = 30_000
"""Watchdog, abort and restart: by then a guarded agent that died alone would have ticked again."""

WATCHDOG_HOLDS_MS = 900_000
RUNS_MEANS_UP = frozenset({ALIVE, "systemd"})
"""Kinds that mean no more than `it runs`: an unchanged mark proves that they ran throughout. `process` means more: one
that has been stopped by a signal is down, and goes on as the same process."""


@dataclass(frozen=True, slots=True)
class Row:
    """The time between two sightings. `joins`: it belongs to the failure on both of its sides, which goes on.

    `assumed`: certain too, if a watchdog would have brought back an agent that died alone. `host_gone`: it is about
    the host, so that a witness elsewhere may know better. `as_silence`: it is counted as far as this collector was
    there to hear, and gives way to evidence.
    """

    shown_as: str = ""
    certain: tuple[Interval, ...] = ()
    assumed: tuple[Interval, ...] = ()
    counted: tuple[Interval, ...] = ()
    possible: tuple[Interval, ...] = ()
    unobserved: tuple[Interval, ...] = ()
    joins: bool = False
    host_gone: bool = False
    as_silence: bool = False


QUIET = Row()
"""Nothing happened: most rows are this one."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What rows rest on besides the two sightings.

    `settled`: what is missing from before this UTC is lost, later it may still be on its way. `host_unreached`: where
    every sample of a witness elsewhere failed to reach the host.
    """

    lives: tuple[Life, ...]
    settled: int
    host_unreached: Intervals = EMPTY


def between(earlier: Sighting, later: Sighting, grounds: Grounds, *, could_not_run: bool) -> Row:
    """The row for the time from the last sample of `earlier` to the first of `later`."""
    if later.place > earlier.place:
        return _across_runs(earlier, later, grounds)
    if could_not_run:
        return _hole(earlier, later, "not observed: check", own_making=False)
    if _speak_for_it(earlier, later):
        return _ordinary(earlier, later, grounds)
    if _starved(earlier, later):
        return _hole(earlier, later, "not observed: starved", own_making=True)
    return _hole(earlier, later, "not observed: lost", own_making=True)


def _speak_for_it(earlier: Sighting, later: Sighting) -> bool:
    """Whether the two samples are close enough to speak for the time between them."""
    return later.span.first_begin - earlier.span.last_begin <= earlier.settings.reach_ms


def _ordinary(earlier: Sighting, later: Sighting, grounds: Grounds) -> Row:
    """Two samples close enough, unless a record is missing that may tell of another one between them."""
    missing = missing_between(earlier, later, grounds.lives)
    if missing is Missing.NOTHING:
        return _adjacent(earlier, later)
    if missing is Missing.FOR_GOOD or later.first < grounds.settled:
        return _hole(earlier, later, "not observed: lost", own_making=True)
    # Still on its way: the last word stands, and joins nothing.
    counted = () if earlier.good else ((earlier.last, _failed_until(later)),)
    return Row(counted=counted, possible=((earlier.last_surely, later.first_over),))


def _adjacent(earlier: Sighting, later: Sighting) -> Row:
    """Two samples with nothing between them."""
    if earlier.good and later.good and earlier.span.marks == later.span.marks:
        return QUIET
    possible = ((earlier.last_surely, later.first_over),)
    if earlier.good and later.good:
        return Row("possibly restarted between samples", possible=possible)
    if earlier.good:
        return Row(possible=possible)
    counted = ((earlier.last, _failed_until(later)),)
    return Row(counted=counted, possible=possible, joins=not later.good)


def _failed_until(later: Sighting) -> int:
    return later.first_answered if later.good else later.first


def _hole(earlier: Sighting, later: Sighting, shown_as: str, *, own_making: bool) -> Row:
    """No evidence. A hole of the agent's own making does not end a failure that stands on both sides of it."""
    between_samples = (earlier.last, later.first)
    goes_on = own_making and not earlier.good and not later.good
    return Row(
        shown_as,
        counted=(between_samples,) if goes_on else (),
        possible=((earlier.last_surely, later.first_over),),
        unobserved=(between_samples,),
    )


def _starved(earlier: Sighting, later: Sighting) -> bool:
    """Whether the agent's own ticks have a hole between the two samples."""
    ticks = sorted(
        (span.first_begin, span.last_begin) for span in earlier.life.run.spans if span.check == ALIVE
    )  # fmt: skip
    begin, end = earlier.span.last_begin, later.span.first_begin
    return any(
        before[1] < end and begin < after[0] for before, after in pairwise(ticks)
    )  # fmt: skip


def _across_runs(earlier: Sighting, later: Sighting, grounds: Grounds) -> Row:
    lives = grounds.lives
    between_them = range(earlier.place + 1, later.place + 1)
    if any(lives[at].settings(earlier.span.check) is None for at in between_them):
        return _removed(earlier, later)
    anew = next((at for at in between_them if lives[at].segment != earlier.life.segment), None)
    if earlier.settings.remote:
        return _hole(earlier, later, "not observed: agent", own_making=True)
    if anew is not None and lives[anew].run.boot == earlier.life.run.boot:
        return _restored(earlier, later, lives[anew - 1])
    if anew is not None:
        return _new_boot(earlier, later, anew, grounds)
    return _same_boot(earlier, later, grounds)


def _removed(earlier: Sighting, later: Sighting) -> Row:
    """The agent ran without this check for a while: if it was removed while it was down, that stays counted."""
    stays = () if earlier.good else ((earlier.last, later.first),)
    return replace(_hole(earlier, later, "not observed: removed", own_making=False), counted=stays)


def _same_boot(earlier: Sighting, later: Sighting, grounds: Grounds) -> Row:
    """The agent went and came back while the host ran on."""
    lives = grounds.lives
    previous = _previous(lives[later.place - 1], lives[later.place])
    stopped = previous.stopped if previous else lives[earlier.place].run.stopped
    if stopped == "reload" and _speak_for_it(earlier, later):
        return _ordinary(earlier, later, grounds)
    if earlier.good and later.good and _ran_throughout(earlier, later):
        return QUIET
    was_stopped = stopped is not None and stopped != "failed"
    return _hole(earlier, later, "not observed: stopped" if was_stopped else "not observed: agent", own_making=True)


def _restored(earlier: Sighting, later: Sighting, before: Life) -> Row:
    """The machine, or its disk alone, was set back to an earlier moment of itself: its newer self was gone by then.

    Its journal knows less than it had told the collector, so that journal proves nothing of its end.
    """
    gone = before.clock.middle(before.last_tick) + before.run.tick_ms
    begin = gone if earlier.good else min(gone, earlier.last)
    return Row(
        "down: restored", counted=((begin, later.first),), possible=((earlier.last_surely, later.first_over),)
    )  # fmt: skip


def _ran_throughout(earlier: Sighting, later: Sighting) -> bool:
    if earlier.life.run.suspended_ms != later.life.run.suspended_ms:
        return False
    if earlier.span.check == ALIVE:
        return True
    return (
        earlier.settings.kind in RUNS_MEANS_UP and bool(earlier.span.marks) and earlier.span.marks == later.span.marks
    )


def _previous(before: Life, after: Life) -> Previous | None:
    previous = after.run.previous
    return previous if previous is not None and previous.run == before.run.run else None


def _new_boot(earlier: Sighting, later: Sighting, anew: int, grounds: Grounds) -> Row:
    """The host went and came back: crash or shutdown, as far as the new run's journal proves it.

    `anew` is the place of the first life of the new boot.
    """
    before, after = grounds.lives[anew - 1], grounds.lives[anew]
    previous = _previous(before, after)
    gave_up = before.run.stopped == "failed"
    if gave_up or (previous is not None and previous.stopped == "stop"):
        return _hole(earlier, later, "not observed: agent" if gave_up else "not observed: stopped", own_making=True)
    possible = ((earlier.last_surely, later.first_over),)
    if previous is None or lacks_its_end(before.run, previous, earlier):
        gone = before.clock.middle(before.last_tick) + before.run.tick_ms
        from_here = gone if earlier.good else earlier.last
        return Row(
            "presumed down: missing heartbeats", counted=((from_here, later.first),), possible=possible,
            unobserved=((earlier.last, later.first),), host_gone=True, as_silence=True,
        )  # fmt: skip
    if previous.last_tick < before.last_tick:
        return _restored(earlier, later, before)
    reboot = _Reboot(before, after, previous)
    if after.clock.middle(after.run.init_started) <= before.clock.middle(previous.last_tick):
        return _hole(earlier, later, "not observed: agent", own_making=True)
    if previous.stopped == "shutdown" and previous.stopped_at is not None:
        return _shut_down(earlier, later, reboot, previous.stopped_at)
    return _crashed(earlier, later, reboot, grounds.host_unreached)


@dataclass(frozen=True, slots=True)
class _Reboot:
    """The last life before a new boot, the first after it, and what the latter's journal tells of the former."""

    before: Life
    after: Life
    previous: Previous


def _shut_down(earlier: Sighting, later: Sighting, reboot: _Reboot, at: int) -> Row:
    before, after = reboot.before, reboot.after
    certain: tuple[Interval, ...] = ()
    if reboot.previous.slowest_stop_ms is not None:
        stopped = before.clock.latest(at) + reboot.previous.slowest_stop_ms
        certain = ((stopped, after.clock.earliest(after.run.init_started)),)
    return _until_back(earlier, later, reboot, Row("down: shut down", certain), gone=before.clock.middle(at))


def _crashed(earlier: Sighting, later: Sighting, reboot: _Reboot, host_unreached: Intervals) -> Row:
    before, last_tick = reboot.before, reboot.previous.last_tick
    assumed: tuple[Interval, ...] = ()
    if before.run.watchdog_ms is not None:
        guarded = before.clock.latest(last_tick) + max(WATCHDOG_MS, 2 * before.run.watchdog_ms)
        booted = reboot.after.clock.earliest(reboot.after.run.init_started)
        soon = booted - before.clock.earliest(last_tick) <= WATCHDOG_HOLDS_MS
        if soon or host_unreached.covers(Intervals.span(guarded, booted)):
            assumed = ((guarded, booted),)
    gone = before.clock.middle(last_tick) + before.run.tick_ms
    return _until_back(earlier, later, reboot, Row("down: rebooted", assumed=assumed), gone=gone)


def _until_back(earlier: Sighting, later: Sighting, reboot: _Reboot, row: Row, *, gone: int) -> Row:
    """Counted from when the host went to the check's next sample, or to its own start in that boot if a mark tells it.

    Without such a mark it ends not long after the boot if the agent itself came late. That start proves nothing: what
    ran before it, and ended before the agent looked, left no trace.
    """
    after = reboot.after
    begin = gone if earlier.good else min(gone, earlier.last)
    end = later.first
    unobserved: tuple[Interval, ...] = ()
    latest = after.clock.middle(after.run.init_started) + AGENT_CAME_LATE_MS
    start = start_of(later) if later.life.segment == after.segment else None
    if start is not None and start < later.first:
        end = start
    elif after.clock.middle(after.run.opened) > latest and later.first > latest:
        end, unobserved = latest, ((latest, later.first),)
    return replace(
        row,
        counted=((begin, end),),
        possible=((earlier.last_surely, later.first_over),),
        unobserved=unobserved,
        host_gone=True,
    )
