"""What a run of bench/isolation.py has shown, its bounds, and the lines that it prints. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from detak_agent.schedule import next_due
from isolation_meter import AT_LEAST, HALF, Held, permille, quarters

LATE_MS = 250
RSS_MIB = 2.0
"""How much memory may grow from the second quarter to the last, both at its least and at half of all moments.

Memory that is kept for a while and then freed, again and again, has a steady least; the middle shows how long a while.
"""

_THREADS, _DESCRIPTORS, _CHILDREN = 4, 8, 60
_NEVER_MS = 1.5
"""Ticks further apart than this many of their intervals leave time without evidence."""


@dataclass(frozen=True, slots=True)
class Shown:
    """By one run: in milliseconds of agent time, unless the name says otherwise."""

    tick_ms: int
    beat_ms: int
    ticks: Sequence[int]
    commits: Sequence[int]
    beats: Sequence[tuple[int, int, str]]
    alive: Sequence[tuple[int, int, int]]
    idle_late_ms: Sequence[float]
    held: Sequence[Held]
    records: int
    not_stored: int
    ordinary: int
    ordinary_failed: Sequence[str]
    stopped_within_s: float
    left: Sequence[str]

    @property
    def late_ms(self) -> list[int]:
        """How late each tick was: after the moment that was due after the one before, across reloads too."""
        pairs = pairwise(self.ticks)
        return [max(0, now - next_due("", self.tick_ms, before)) for before, now in pairs]

    def latest(self) -> list[tuple[int, float]]:
        """How late the latest three ticks were, and how many seconds after the first tick."""
        moments = [(now - self.ticks[0]) / 1_000 for now in self.ticks[1:]]
        return sorted(zip(self.late_ms, moments, strict=True), reverse=True)[:3]

    @property
    def beats_lost(self) -> int:
        """Beats that were not made or not taken, times without a stored tick, and records that no collector has."""
        made = [begin for begin, _, wrong in self.beats if not wrong]
        pauses = pairwise(made)
        missed = sum(max(0, round((now - before) / self.beat_ms) - 1) for before, now in pauses)
        return missed + len(self.beats) - len(made) + len(list(self._gaps())) + self.not_stored

    def _gaps(self) -> Iterator[int]:
        """Times without a stored tick: between two spans of `alive`, or within one."""
        allowed = int(self.tick_ms * _NEVER_MS)
        between = (then - last for (_, last, _), (then, _, _) in pairwise(self.alive))
        yield from (gap for gap in (*between, *(largest for _, _, largest in self.alive)) if gap > allowed)

    def grown(self, what: str) -> float:
        """How much more of this is held in the last quarter than in the second.

        Threads, files and processes come and go with what hangs: of them only the least tells of a leak.
        """
        values = [getattr(one, what) for one in self.held]
        shares = (AT_LEAST, HALF) if what == "rss_mib" else (AT_LEAST,)
        return max(last - second for second, last in (quarters(values, share) for share in shares))


def broken(shown: Shown) -> list[str]:
    """The bounds that do not hold, in words."""
    late = permille(shown.late_ms, 999)
    found = [f"a tick was {late:.0f} ms late (p99.9)"] if late > LATE_MS else []
    found += [f"{shown.beats_lost} beats were lost"] if shown.beats_lost else []
    for what, most in (
        ("rss_mib", RSS_MIB), ("threads", _THREADS), ("descriptors", _DESCRIPTORS), ("children", _CHILDREN)
    ):  # fmt: skip
        found += [f"{what} grew by {shown.grown(what):.1f}"] if shown.grown(what) > most else []
    found += [f"left behind: {words}" for words in shown.left]
    found += [f"an ordinary check failed: {words}" for words in shown.ordinary_failed]
    return found


def report(shown: Shown) -> str:
    """The whole of it; the last line is for programs."""
    late, beats = shown.late_ms, [end - begin for begin, end, _ in shown.beats]
    lines = [f"{'ms':24} {'median':>8} {'p99':>8} {'p99.9':>8} {'most':>8}"]
    for name, values in (
        ("ticks late", late), ("idle loop late", shown.idle_late_ms), ("commit", shown.commits), ("beat", beats)
    ):  # fmt: skip
        numbers = " ".join(f"{permille(values, share):>8.1f}" for share in (500, 990, 999, 1_000))
        lines.append(f"{name:24} {numbers}")
    lines.append(f"\n{'':24} {'2nd quarter':>12} {'last':>8} {'half: 2nd':>12} {'last':>8} {'most':>8}")
    for what in ("rss_mib", "threads", "descriptors", "children", "zombies"):
        values = [getattr(one, what) for one in shown.held]
        least, half = quarters(values, AT_LEAST), quarters(values, HALF)
        numbers = f"{least[0]:>12.1f} {least[1]:>8.1f} {half[0]:>12.1f} {half[1]:>8.1f}"
        lines.append(f"{what:24} {numbers} {max(values):>8.1f}")
    lines.append(
        f"\n{len(beats)} beats, {shown.records} closed records, {shown.not_stored} of them not in the store, "
        f"{len(shown.alive)} spans of alive; {len(shown.ordinary_failed)} of {shown.ordinary} ordinary checks failed; "
        f"stopped within {shown.stopped_within_s:.1f} s, {len(shown.left)} processes left"
    )
    lines += [f"a tick was {late:.0f} ms late {at_s:.1f} s after the start" for late, at_s in shown.latest()]
    lines += [f"a beat was lost: {why}" for _, _, why in shown.beats if why]
    lines.append(
        f"isolation ticks={len(shown.ticks)} late_ms_p999={permille(late, 999):.0f} late_ms_most={max(late):.0f} "
        f"idle_late_ms_most={max(shown.idle_late_ms, default=0):.0f} beats_lost={shown.beats_lost} "
        f"not_delivered={shown.not_stored} rss_mib={max(one.rss_mib for one in shown.held):.0f} "
        f"rss_growth_mib={shown.grown('rss_mib'):.1f}"
    )
    return "\n".join(lines)
