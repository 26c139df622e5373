"""What is required of the scores, and the tables that tell them. Pure but for what it returns as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.scores import Expected, Scores, Verdict, at_most, mean
from lab.things import Pace

ALLOWED_MS = 300
ALLOWED_DETECTION_MS = 1_000
_CLASSES = {
    "process": "a process that ends", "hang": "what hangs or is slow", "crash": "a node that crashes",
    "cut": "a cut-off", "other": "other",
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """Records that a store lacks, what the two collectors tell apart, and exclusions that took out something else."""

    lost: Sequence[str]
    differing: Sequence[str]
    excluded: Sequence[str] = ()


@dataclass(frozen=True)
class Limit:
    """One requirement: what was measured, and at most what it may be."""

    what: str
    measured: float
    allowed: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is."""
        return self.measured <= self.allowed

    def __str__(self) -> str:
        return (
            f"{'met   ' if self.is_met else 'MISSED'}  {self.what}: {self.measured:.0f}{self.unit} "
            f"(at most {self.allowed:.0f}{self.unit})"
        )


def limits(
    alone: Scores, every: Scores, evidence: Evidence, expected: Mapping[str, Expected], pace: Pace
) -> Iterator[Limit]:
    """The requirements. Errors and times are those of faults that were alone, the rest is of all."""
    yield Limit("outages outside of [certain, possible]", every.outside, 0)
    yield Limit("counted outages that touch no true one", len(every.false), 0)
    yield Limit("records that a store lacks", len(evidence.lost), 0)
    yield Limit("differences between the two collectors' figures", len(evidence.differing), 0)
    yield Limit("services of which something else was excluded than was decided", len(evidence.excluded), 0)
    classes: dict[str, list[Verdict]] = {}
    for one in alone.verdicts:
        classes.setdefault(_of(one, expected).detected or "none", []).append(one)
    crashes = classes.get("crash", [])
    others = [one for name, of_class in classes.items() if name not in {"crash", "none"} for one in of_class]
    allowed = pace.interval_ms // 3 + ALLOWED_MS
    if others:
        yield Limit("mean |counted - true|", mean(abs(one.error_ms) for one in others), allowed, " ms")
    if crashes:
        allowed += pace.tick_ms
        yield Limit("mean |counted - true| of crashes", mean(abs(one.error_ms) for one in crashes), allowed, " ms")
    yield from _detection(classes, pace)


def _detection(classes: Mapping[str, Sequence[Verdict]], pace: Pace) -> Iterator[Limit]:
    killed, crashed = seen(classes.get("process", ())), seen(classes.get("crash", ()))
    if killed:
        allowed = pace.interval_ms + ALLOWED_DETECTION_MS
        yield Limit("a killed process is shown, p99", at_most(killed, 99) or 0, allowed, " ms")
    if crashed:
        half = pace.down_after_ms - pace.beat_ms // 2 + ALLOWED_DETECTION_MS // 2
        yield Limit("a crashed node is shown, p50", at_most(crashed, 50) or 0, half, " ms")
        whole = pace.down_after_ms + ALLOWED_DETECTION_MS
        yield Limit("a crashed node is shown, p99", at_most(crashed, 99) or 0, whole, " ms")


def seen(verdicts: Sequence[Verdict]) -> list[int]:
    """After how long each was shown; one that never was counts as long as it lasted."""
    return [one.outage.end - one.outage.begin if one.seen_ms is None else one.seen_ms for one in verdicts]


def table(scores: Scores, expected: Mapping[str, Expected], heading: str) -> Iterator[str]:
    """A row for each kind, in Markdown; milliseconds."""
    kinds: dict[str, list[Verdict]] = {}
    for one in scores.verdicts:
        kinds.setdefault(one.outage.kind.partition(":")[0], []).append(one)
    yield from _head(heading)
    yield from (_row(kind, verdicts, expected) for kind, verdicts in sorted(kinds.items()))


def in_classes(scores: Scores, expected: Mapping[str, Expected], heading: str) -> Iterator[str]:
    """A row for each class whose detection is measured, and one of all: how soon it shows depends on these."""
    yield from _head(heading)
    for name, words in _CLASSES.items():
        verdicts = [one for one in scores.verdicts if _of(one, expected).detected == name]
        if verdicts:
            yield _row(words, verdicts, expected)
    if scores.verdicts:
        yield _row("all", scores.verdicts, expected)


def _head(heading: str) -> Iterator[str]:
    yield f"| {heading} | outages | outside | mean error | largest error | width | shown p50 | shown p99 | wrong |"
    yield "|---|---|---|---|---|---|---|---|---|"


def _row(name: str, verdicts: Sequence[Verdict], expected: Mapping[str, Expected]) -> str:
    errors = [abs(one.error_ms) for one in verdicts]
    times = seen([one for one in verdicts if _of(one, expected).detected])
    numbers = (
        len(verdicts), sum(bool(one.outside) for one in verdicts), round(mean(errors)), max(errors),
        round(mean(one.width_ms for one in verdicts)), _or_dash(at_most(times, 50)), _or_dash(at_most(times, 99)),
        sum(bool(one.wrong) for one in verdicts),
    )  # fmt: skip
    return f"| {name} | {' | '.join(map(str, numbers))} |"


def last_line(alone: Scores, every: Scores, evidence: Evidence, pace: Pace) -> str:
    """The whole proof in one."""
    error = mean(abs(one.error_ms) for one in alone.verdicts)
    return (
        f"proof outages={len(every.verdicts)} outside_bounds={every.outside} mean_abs_error_ms={error:.0f} "
        f"check_interval_ms={pace.interval_ms} false_outages={len(every.false)} lost={len(evidence.lost)}"
    )


def _of(verdict: Verdict, expected: Mapping[str, Expected]) -> Expected:
    return expected.get(verdict.outage.kind, Expected())


def _or_dash(number: int | None) -> object:
    return "-" if number is None else number
