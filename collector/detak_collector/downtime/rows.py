"""The rows of the reading table that lie between two sightings of one check: what the time between them was.

Each row says which part is certain, counted and possible down, which was not observed, and what to call it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.facts import ALIVE, Previous
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.lives import Life, Sighting

AGENT_CAME_LATE_MS = 120_000
"""After a boot the host is taken to be down no longer than this if the agent itself came later."""

WATCHDOG_MS = 30_000
"""Watchdog, abort and restart: by then a guarded agent that died alone would have ticked again."""

WATCHDOG_HOLDS_MS = 900_000
RUNS_MEANS_UP = frozenset({ALIVE, "process", "systemd"})
"""Kinds that mean no more than `it runs`: an unchanged mark proves that they ran throughout."""


@dataclass(frozen=True, slots=True)
class Row:
    """The time between two sightings. `joins`: it belongs to the failure on both of its sides, which goes on."""

    shown_as: str = ""
    certain: tuple[Interval, ...] = ()
    counted: tuple[Interval, ...] = ()
    possible: tuple[Interval, ...] = ()
    unobserved: tuple[Interval, ...] = ()
    joins: bool = False
    as_silence: bool = False


QUIET = Row()
"""Nothing happened: most rows are this one."""


def between(earlier: Sighting, later: Sighting, lives: tuple[Life, ...], *, could_not_run: bool) -> Row:
    """The row for the time from the last sample of `earlier` to the first of `later`."""
    if later.place > earlier.place:
        return _across_runs(earlier, later, lives)
    apart = later.span.first_begin - earlier.span.last_begin
    if could_not_run:
        return _hole(earlier, later, "not observed: check", own_making=False)
    if apart <= earlier.settings.reach_ms:
        return _ordinary(earlier, later)
    if _starved(earlier, later):
        return _hole(earlier, later, "not observed: starved", own_making=True)
    return _hole(earlier, later, "not observed: lost", own_making=True)


def _ordinary(earlier: Sighting, later: Sighting) -> Row:
    """Two samples close enough to speak for the time between them."""
    if earlier.good and later.good and earlier.span.marks == later.span.marks:
        return QUIET
    possible = ((earlier.last_surely, later.first_over),)
    if earlier.good and later.good:
        return Row("possibly restarted between samples", possible=possible)
    if earlier.good:
        return Row(possible=possible)
    counted = ((earlier.last, later.first),)
    return Row(counted=counted, possible=possible, joins=not later.good)


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


def _across_runs(earlier: Sighting, later: Sighting, lives: tuple[Life, ...]) -> Row:
    between_them = range(earlier.place + 1, later.place + 1)
    anew = next((at for at in between_them if lives[at].segment != earlier.life.segment), None)
    if earlier.settings.remote:
        return _hole(earlier, later, "not observed: agent", own_making=True)
    if anew is not None and lives[anew].run.boot == earlier.life.run.boot:
        return _restored(earlier, later, lives[anew - 1])
    if anew is not None:
        return _new_boot(earlier, later, lives[anew - 1], lives[anew])
    return _same_boot(earlier, later, lives)


def _same_boot(earlier: Sighting, later: Sighting, lives: tuple[Life, ...]) -> Row:
    """The agent went and came back while the host ran on."""
    previous = _previous(lives[later.place - 1], lives[later.place])
    stopped = previous.stopped if previous else lives[earlier.place].run.stopped
    if stopped == "reload" and later.span.first_begin - earlier.span.last_begin <= earlier.settings.reach_ms:
        return _ordinary(earlier, later)
    if earlier.good and later.good and _ran_throughout(earlier, later):
        return QUIET
    return _hole(earlier, later, "not observed: stopped" if stopped else "not observed: agent", own_making=True)


def _restored(earlier: Sighting, later: Sighting, before: Life) -> Row:
    """The machine was set back to an earlier moment of itself: until then its newer self was gone."""
    gone = before.clock.middle(before.last_tick) + before.run.tick_ms
    begin = gone if earlier.good else min(gone, earlier.last)
    return Row(
        "down: restored", counted=((begin, later.first),), possible=((earlier.last_surely, later.first_over),)
    )  # fmt: skip


def _ran_throughout(earlier: Sighting, later: Sighting) -> bool:
    if earlier.span.check == ALIVE:
        return True
    return (
        earlier.settings.kind in RUNS_MEANS_UP and bool(earlier.span.marks) and earlier.span.marks == later.span.marks
    )


def _previous(before: Life, after: Life) -> Previous | None:
    previous = after.run.previous
    return previous if previous is not None and previous.run == before.run.run else None


def _new_boot(earlier: Sighting, later: Sighting, before: Life, after: Life) -> Row:
    """The host went and came back: crash or shutdown, as far as the new run's journal proves it."""
    previous = _previous(before, after)
    if previous is not None and previous.stopped == "stop":
        return _hole(earlier, later, "not observed: stopped", own_making=True)
    possible = ((earlier.last_surely, later.first_over),)
    if previous is None or previous.last_number > before.run.complete_to:
        gone = before.clock.middle(before.last_tick) + before.run.tick_ms
        from_here = gone if earlier.good else earlier.last
        return Row(
            "presumed down: missing heartbeats", counted=((from_here, later.first),), possible=possible,
            unobserved=((earlier.last, later.first),), joins=False, as_silence=True,
        )  # fmt: skip
    reboot = _Reboot(before, after, previous)
    if after.clock.middle(after.run.init_started) <= before.clock.middle(previous.last_tick):
        return _hole(earlier, later, "not observed: agent", own_making=True)
    if previous.stopped == "shutdown" and previous.stopped_at is not None:
        return _shut_down(earlier, later, reboot, previous.stopped_at)
    return _crashed(earlier, later, reboot)


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
    counted, unobserved = _down_until_back(earlier, later, after, before.clock.middle(at))
    return Row("down: shut down", certain, counted, ((earlier.last_surely, later.first_over),), unobserved)


def _crashed(earlier: Sighting, later: Sighting, reboot: _Reboot) -> Row:
    before, after, last_tick = reboot.before, reboot.after, reboot.previous.last_tick
    certain: tuple[Interval, ...] = ()
    if before.run.watchdog_ms is not None:
        guarded = before.clock.latest(last_tick) + max(WATCHDOG_MS, 2 * before.run.watchdog_ms)
        booted = after.clock.earliest(after.run.init_started)
        if booted - before.clock.earliest(last_tick) <= WATCHDOG_HOLDS_MS:
            certain = ((guarded, booted),)
    gone = before.clock.middle(last_tick) + before.run.tick_ms
    counted, unobserved = _down_until_back(earlier, later, after, gone)
    return Row("down: rebooted", certain, counted, ((earlier.last_surely, later.first_over),), unobserved)


def _down_until_back(
    earlier: Sighting, later: Sighting, after: Life, gone: int
) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """Counted from when the host went to the check's next sample, or not long after the boot if the agent came late."""
    begin = gone if earlier.good else min(gone, earlier.last)
    latest = after.clock.middle(after.run.init_started) + AGENT_CAME_LATE_MS
    if after.clock.middle(after.run.opened) <= latest or later.first <= latest:
        return ((begin, later.first),), ()
    return ((begin, latest),), ((latest, later.first),)
