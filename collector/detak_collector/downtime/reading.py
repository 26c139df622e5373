"""What the reading of one check comes to: three nested sets, what was not observed, and why each stretch is so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from detak_collector.downtime.intervals import EMPTY, Interval, Intervals
from detak_collector.downtime.triple import NOWHERE, Triple

NEVER = "not observed: never reported"
SHORT_FREEZE = "degraded: frozen"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch that was not simply up: its reading (`down: rebooted`, `not observed: agent`), what the check said.

    `evidence` names the spans it rests on, as `run/number`.
    """

    begin: int
    end: int
    shown_as: str
    message: str = ""
    evidence: tuple[str, ...] = ()

    def touches(self, begin: int, end: int) -> bool:
        """Whether it shares time with [begin, end)."""
        return self.begin < end and begin < self.end


@dataclass(frozen=True, slots=True)
class Latest:
    """What the check said last, and when it was first in that state. `pending_from`: evidence since is still due."""

    state: str
    since: int
    message: str
    pending_from: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One check over the window that was read.

    `seen` is the certain set as far as the node itself can see: for a remote check the network between may be at
    fault, and `down.certain` holds only what that rules out. `failing` reaches from the first bad sample of each
    failure to the last, one alone being a millisecond. `assumed` is the part of the certain set that rests on
    the watchdog assumption alone: that an agent which died while its host ran on would have been back. `presumed` is
    counted time without evidence, which the rules call down for want of heartbeats. `proven_up` was declared on other
    evidence. `due` is the time since a last good sample whose successor is merely not here yet. `kind` is that of the
    check as an agent ran it last.
    """

    check: str
    down: Triple = NOWHERE
    unobserved: Intervals = EMPTY
    presumed: Intervals = EMPTY
    degraded: Intervals = EMPTY
    seen: Intervals = EMPTY
    failing: Intervals = EMPTY
    assumed: Intervals = EMPTY
    passages: tuple[Passage, ...] = ()
    remote: bool = False
    latest: Latest | None = None
    proven_up: Intervals = EMPTY
    due: Intervals = EMPTY
    kind: str = ""

    @property
    def quiet(self) -> bool:
        """Whether it was simply up throughout."""
        return not (self.down.possible or self.unobserved or self.degraded)

    @property
    def never(self) -> bool:
        """Whether there is no evidence of it at all."""
        return bool(self.passages) and self.passages[0].shown_as == NEVER

    @property
    def spared(self) -> bool:
        """Whether a freeze is degraded only because a rule says that short ones are."""
        return any(passage.shown_as == SHORT_FREEZE for passage in self.passages)

    def clip(self, begin: int, end: int) -> Reading:
        """Its sets inside [begin, end); passages and the last word as they are."""
        return replace(
            self,
            down=self.down.clip(begin, end),
            unobserved=self.unobserved.clip(begin, end),
            presumed=self.presumed.clip(begin, end),
            degraded=self.degraded.clip(begin, end),
            seen=self.seen.clip(begin, end),
            failing=self.failing.clip(begin, end),
            assumed=self.assumed.clip(begin, end),
            proven_up=self.proven_up.clip(begin, end),
            due=self.due.clip(begin, end),
        )

    def without_watchdog(self) -> Reading:
        """The same where no watchdog is relied on: what only that makes certain is still counted."""
        if not self.assumed:
            return self
        down = replace(self.down, certain=self.down.certain - self.assumed)
        return replace(self, down=down, seen=self.seen - self.assumed, assumed=EMPTY)


def never_seen(check: str, begin: int, end: int) -> Reading:
    """A check of which there is no evidence at all: possibly down throughout, and not observed."""
    whole = Intervals.span(begin, end)
    passages = (Passage(begin, end, NEVER),) if whole else ()
    return Reading(check, Triple(possible=whole), unobserved=whole, passages=passages)


@dataclass(slots=True)
class Sketch:
    """A reading being put together from its rows; `read` clips it to the window and makes the sets nest."""

    check: str
    remote: bool = False
    kind: str = ""
    certain: list[Interval] = field(default_factory=list)
    failing: list[Interval] = field(default_factory=list)
    assumed: list[Interval] = field(default_factory=list)
    counted: list[Interval] = field(default_factory=list)
    possible: list[Interval] = field(default_factory=list)
    unobserved: list[Interval] = field(default_factory=list)
    presumed: list[Interval] = field(default_factory=list)
    degraded: list[Interval] = field(default_factory=list)
    due: list[Interval] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    latest: Latest | None = None
    unusable: list[Interval] = field(default_factory=list)
    doubtful: list[Interval] = field(default_factory=list)
    """Where nothing is certain, whatever samples on both sides say."""

    def forget(self, where: Interval, shown_as: str) -> None:
        """Nothing that was said of this stretch can be relied on: it is not observed."""
        self.unusable.append(where)
        self.note(where, shown_as)

    def note(self, where: Interval, shown_as: str, message: str = "", evidence: Iterable[str] = ()) -> None:
        """Name a stretch, for people."""
        if where[0] < where[1]:
            self.passages.append(Passage(*where, shown_as, message, tuple(evidence)))

    def read(self, begin: int, end: int) -> Reading:
        """The reading inside [begin, end)."""

        def clipped(pairs: list[Interval]) -> Intervals:
            return Intervals.of(pairs).clip(begin, end)

        unusable = clipped(self.unusable)
        unobserved = clipped(self.unobserved) | unusable
        counted = clipped(self.counted) - unusable
        proven = clipped(self.certain) - clipped(self.doubtful)
        assumed = clipped(self.assumed) - clipped(self.doubtful)
        down = Triple.nested(proven | assumed, counted, clipped(self.possible) | unobserved)
        return Reading(
            self.check,
            down=down,
            unobserved=unobserved,
            presumed=clipped(self.presumed) & down.counted,
            degraded=clipped(self.degraded) - down.counted,
            seen=down.certain,
            failing=clipped(self.failing) - unusable,
            assumed=down.certain - proven,
            passages=tuple(_joined(sorted(self.passages, key=lambda one: (one.begin, one.end)))),
            remote=self.remote,
            latest=self.latest,
            due=clipped(self.due) - unusable,
            kind=self.kind,
        )


def _joined(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Passages in order; neighbours that say the same are one."""
    latest: Passage | None = None
    for one in passages:
        if latest is not None and latest.end == one.begin and _says_the_same(latest, one):
            evidence = tuple(dict.fromkeys((*latest.evidence, *one.evidence)))
            latest = replace(latest, end=one.end, evidence=evidence)
            continue
        if latest is not None:
            yield latest
        latest = one
    if latest is not None:
        yield latest


def _says_the_same(first: Passage, second: Passage) -> bool:
    return (first.shown_as, first.message) == (second.shown_as, second.message)
